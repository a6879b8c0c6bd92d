"""A YAML 1.2 file that remembers where each key and value stands.

YAML 1.2, not 1.1: there ``22:00`` is 1320 and ``no`` is False. Dates stay text, and so do all keys.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from monitor.config.problems import Problem
from monitor.config.secrecy import MASK, looks_secret, masked, may_show
from monitor.config.yaml_words import in_words

Loc = tuple[str | int, ...]
Kind = TypeVar("Kind")
_TAG = "tag:yaml.org,2002:"
_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file, line and column counted from 1."""

    line: int
    column: int


@dataclass(slots=True, kw_only=True)
class Document:
    """``data`` as plain dicts, lists and scalars (None if the file could not be read), its marks and first problems.

    A value whose key looks like a secret is replaced by a mask in ``data``: nothing later can show it.
    """

    path: Path
    raw: bytes = b""
    data: Any = None
    lines: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Loc, Mark] = field(default_factory=dict)
    values: dict[Loc, Mark] = field(default_factory=dict)
    secrets: list[tuple[Mark, Mark]] = field(default_factory=list)

    def at(self, loc: Loc, code: str, message: str, *, on_key: bool = False, suggestion: str | None = None) -> Problem:
        """A problem at the value of ``loc`` (its key with ``on_key``), or at the nearest place that exists."""
        mark = self._mark(loc, on_key=on_key)
        excerpt = self.excerpt(mark.line)
        return Problem(
            file=str(self.path),
            line=mark.line,
            column=mark.column,
            code=code,
            message=message,
            suggestion=suggestion,
            excerpt=excerpt,
        )

    def get(self, loc: Loc, kind: type[Kind]) -> Kind | None:
        """The value at ``loc`` if there is one of this kind, else None. A truth value is not a number."""
        value = self.data
        for step in loc:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        wrong = isinstance(value, bool) and kind is not bool
        return value if isinstance(value, kind) and not wrong else None

    def excerpt(self, line: int) -> str:
        """Source line ``line``, secrets masked, control characters replaced; empty where there is no such line."""
        if not 1 <= line <= len(self.lines):
            return ""
        text = self.lines[line - 1]
        for start, end in self.secrets:
            if start.line <= line <= end.line:
                first = start.column - 1 if line == start.line else 0
                last = end.column - 1 if line == end.line else len(text)
                text = text[:first] + MASK + text[last:] if last > first else text
        return _CONTROL.sub("?", masked(text)).rstrip()

    def _mark(self, loc: Loc, *, on_key: bool) -> Mark:
        for length in range(len(loc), -1, -1):
            here = loc[:length]
            mark = self.keys.get(here) if on_key or length < len(loc) else None
            mark = mark or self.values.get(here)
            if mark:
                return mark
        return Mark(1, 1)


def read_document(path: Path) -> Document:
    """Reads and composes the file. Never raises for what the file holds: mistakes are in ``problems``."""
    document = Document(path=path)
    try:
        document.raw = path.read_bytes()
    except OSError as error:
        document.problems.append(document.at((), "file-missing", f"the file cannot be read: {error.strerror}"))
        return document
    try:
        text = document.raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.raw.count(b"\n", 0, error.start) + 1
        document.problems.append(_syntax(document, Mark(line, 1), "the file is not UTF-8 text; save it as UTF-8"))
        return document
    document.lines = _BREAK.split(text)
    node = _compose(text, document)
    if node is not None:
        document.data = _plain(node, (), document, set())
    return document


def _compose(text: str, document: Document) -> Node | None:
    control = _CONTROL.search(text)
    if control:
        before = _BREAK.split(text[: control.start()])
        message = f"an invisible control character (U+{ord(control[0]):04X}) is not allowed; remove it"
        document.problems.append(_syntax(document, Mark(len(before), len(before[-1]) + 1), message))
        return None
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        (line, column), words = in_words(error, text)
        document.problems.append(_syntax(document, Mark(line + 1, column + 1), words))
    except (YAMLError, RecursionError, ValueError):
        document.problems.append(_syntax(document, Mark(1, 1), "this is not valid YAML"))
    else:
        if isinstance(node, Node):
            return node
        document.problems.append(_syntax(document, Mark(1, 1), "the file is empty"))
    return None


def _syntax(document: Document, mark: Mark, message: str) -> Problem:
    shown = may_show(document.lines, mark.line - 1)
    return Problem(
        file=str(document.path),
        line=mark.line,
        column=mark.column,
        code="syntax",
        message=message if shown else "this is not valid YAML (the line is not shown: a secret may be in it)",
        excerpt=document.excerpt(mark.line) if shown else "",
    )


def _plain(node: Node, loc: Loc, document: Document, seen: set[int]) -> Any:
    """The node as plain data; notes its marks, and duplicate keys, aliases and tags as problems."""
    document.values[loc] = Mark(node.start_mark.line + 1, node.start_mark.column + 1)
    if id(node) in seen:
        document.problems.append(
            document.at(loc, "alias", "anchors and aliases are not used here; write the value out", on_key=True)
        )
        return None
    if isinstance(node, MappingNode):
        seen.add(id(node))
        return dict(_pairs(node, loc, document, seen))
    if isinstance(node, SequenceNode):
        seen.add(id(node))
        return [_plain(item, (*loc, index), document, seen) for index, item in enumerate(node.value)]
    return _scalar(node, loc, document)


def _pairs(node: MappingNode, loc: Loc, document: Document, seen: set[int]) -> Iterator[tuple[str, Any]]:
    first: dict[str, Mark] = {}
    for key_node, value_node in node.value:
        mark = Mark(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, ScalarNode):
            document.keys[(*loc, "?")] = mark
            document.problems.append(document.at((*loc, "?"), "syntax", "a key must be a plain word", on_key=True))
            continue
        key = str(key_node.value)
        here = (*loc, key)
        earlier = first.setdefault(key, mark)
        if looks_secret(key):
            start, end = value_node.start_mark, value_node.end_mark
            document.secrets.append((Mark(start.line + 1, start.column + 1), Mark(end.line + 1, end.column + 1)))
        if earlier is not mark:
            problem = Problem(
                file=str(document.path),
                line=mark.line,
                column=mark.column,
                code="duplicate-key",
                message=f"'{key}' is already set on line {earlier.line}; keep one of the two",
                excerpt=document.excerpt(mark.line),
            )
            document.problems.append(problem)
            continue
        document.keys[here] = mark
        if looks_secret(key):
            document.values[here] = Mark(value_node.start_mark.line + 1, value_node.start_mark.column + 1)
            yield key, MASK
        else:
            yield key, _plain(value_node, here, document, seen)


def _scalar(node: Node, loc: Loc, document: Document) -> str | int | float | bool | None:
    text = str(node.value)
    match str(node.tag).removeprefix(_TAG):
        case "str" | "timestamp":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" | "float":
            return _number(text, loc, document)
    document.problems.append(document.at(loc, "syntax", "a value that begins with '!' or '=' must be in quotes"))
    return None


def _number(text: str, loc: Loc, document: Document) -> int | float | None:
    digits = text.replace("_", "")
    try:
        number = int(digits, 0 if digits.lstrip("+-")[:2].lower() in {"0x", "0o", "0b"} else 10)
    except ValueError:
        try:
            value = float(digits)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        document.problems.append(document.at(loc, "out-of-range", "a finite number is expected here"))
        return None
    return number
