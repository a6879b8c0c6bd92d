"""Where templates run: told everything, allowed nothing, and unable to forge a line."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar

import jinja2
from jinja2.bccache import Bucket
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from monitor.delivery.language import Language, catalogue
from monitor.shipped import shipped

COLUMNS = 78
MISSING = "this value may be missing; print it inside {% if ... %}"

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, direction, surrogate, line and paragraph marks

AnyFacts = TypeVar("AnyFacts")


def one_line_each(value: AnyFacts) -> AnyFacts:
    """The same facts, every text in them one line of visible characters: no header, line or layout can be forged."""
    if isinstance(value, str):
        if value.isprintable():  # nearly every text: none of the marks is in it
            return " ".join(value.split())  # type: ignore[return-value]  # a str for a str
        visible = "".join(" " if unicodedata.category(char) in _INVISIBLE else char for char in value)
        return " ".join(visible.split())  # type: ignore[return-value]  # a str for a str
    if isinstance(value, tuple):
        return tuple(one_line_each(each) for each in value)  # type: ignore[return-value]  # a tuple for a tuple
    if is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: one_line_each(getattr(value, field.name)) for field in fields(value)}
        return replace(value, **changes)
    return value


class Sandbox(ImmutableSandboxedEnvironment):
    """Refuses what would make a text of gigabytes from a short template."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple):
            raise SecurityError("may not multiply texts or raise to a power")
        return super().call_binop(context, operator, left, right)


class CompiledOnce(jinja2.BytecodeCache):
    """What a template file was compiled to, for every language: its sentences are looked up when it runs."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._kept.get(bucket.key, ("", None))
        if checksum == bucket.checksum:  # of the file's text: one that was changed is compiled anew
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key] = (bucket.checksum, bucket.code)


_COMPILED = CompiledOnce()


@lru_cache(maxsize=8)  # compiled templates are kept; Jinja reads a file anew when it was changed
def environment_for(folder: Path | None, language: Language = "en") -> Sandbox:
    """Looks into the clinic's folder first, then into the shipped one, file by file. ``_`` and ``trans`` speak the language."""
    folders = ([folder] if folder is not None else []) + [shipped("templates")]
    environment = Sandbox(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(each) for each in folders]),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        finalize=_refuse_missing,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_COMPILED,
    )
    environment.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]  # the extension's
    environment.globals["language"] = language
    environment.policies["ext.i18n.trimmed"] = True
    environment.filters["fill"] = fill
    environment.filters.pop("center")  # pads to any width
    return environment


def fill(text: str, label: str = "", indent: int = 0) -> str:
    """``text`` in lines of at most 78 columns, a link whole; ``label`` before the first, the others ``indent`` to the right.

    >>> fill("two words", "LABEL", 4)
    'LABEL two words'
    """
    first = f"{label:<{indent}}"
    if label and not first.endswith(" "):
        first += " "
    return textwrap.fill(
        text, COLUMNS, initial_indent=first, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False
    )


def _refuse_missing(value: Any) -> Any:
    if value is None:
        raise jinja2.UndefinedError(MISSING)
    return value
