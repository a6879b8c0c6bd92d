"""Plain data against a frozen dataclass, strictly, each refusal turned into words at its line and column."""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Callable, Hashable, Iterable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from monitor.config.problems import Problem, nearest
from monitor.config.secrecy import looks_secret
from monitor.config.secrets import remedy
from monitor.config.yaml_source import Document, Loc

Shape = TypeVar("Shape")
Check = Callable[[Document], Iterable[Problem]]

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "dataclass_type": "settings (lines of 'key: value')",
    "dict_type": "settings (lines of 'key: value')",
    "tuple_type": "a list",
    "list_type": "a list",
}
_LIMITS = {"greater_than_equal": "at least", "less_than_equal": "at most"}
_LIMIT_NAMES = {"greater_than_equal": "ge", "less_than_equal": "le"}


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """The validator of a dataclass; built once, it is the slow part."""
    return TypeAdapter(shape)


def validate(document: Document, shape: type[Shape], check: Check) -> tuple[Shape | None, list[Problem]]:
    """The value, and everything wrong with it: as YAML, in its shape, and by ``check``. None if it cannot be used.

    ``check`` is also asked where the shape does not fit, so that all mistakes are told at once;
    it passes over what it cannot read.
    """
    problems = list(document.problems)
    if document.data is None:
        return None, problems or [document.at((), "syntax", "the file is empty")]
    value: Shape | None = None
    try:
        # JSON, because only there do strict dataclasses, tuples and enums take what YAML can write.
        value = adapter(cast(Hashable, shape)).validate_json(json.dumps(document.data), strict=True, extra="forbid")
    except ValidationError as error:
        found = [_problem(details, document, shape) for details in error.errors(include_url=False)]
        problems += _elsewhere(problems, found)
    problems += _elsewhere(problems, check(document))
    problems = _without_echoes(problems)
    return (None if problems else value), problems


def _elsewhere(told: list[Problem], more: Iterable[Problem]) -> list[Problem]:
    """Those of ``more`` that stand where nothing is told yet. A missing key stands at the key above, which may have its own."""
    places = {(problem.line, problem.column) for problem in told if problem.code != "missing-key"}
    return [problem for problem in more if (problem.line, problem.column) not in places]


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """A misspelt key is one mistake, not also a missing one."""
    meant = {f"'{problem.suggestion}' is required here" for problem in problems if problem.code == "unknown-key"}
    return [problem for problem in problems if problem.code != "missing-key" or problem.message not in meant]


def _problem(details: ErrorDetails, document: Document, shape: type) -> Problem:
    loc: Loc = _place(shape, details["loc"])
    kind, found, context = details["type"], details["input"], details.get("ctx", {})
    if loc and loc[-1] == "[key]":  # so pydantic marks a dict's key that is not one of those allowed
        loc, kind, known = loc[:-1], "extra_forbidden", _allowed(context)
    else:
        known = keys_at(shape, details["loc"][:-1])
    key = str(loc[-1]) if loc else ""
    if kind in {"unexpected_keyword_argument", "extra_forbidden"}:
        if looks_secret(key):
            return document.at(loc, "secret-in-file", f"'{key}': {remedy(loc)}", on_key=True)
        here = f" Known here: {', '.join(known)}." if not (near := nearest(key, known)) and len(known) < 20 else ""
        return document.at(loc, "unknown-key", f"unknown key '{key}'{'.' if here else ''}{here}", on_key=True, suggestion=near)
    if kind == "union_tag_not_found":
        return document.at(loc, "missing-key", f"'{_tag_name(context)}' is required here", on_key=True)
    if kind == "union_tag_invalid":
        allowed, found = _allowed(context, "expected_tags"), context["tag"]
        message = f"expected one of {', '.join(allowed)}, not {_shown(found)}"
        return document.at((*loc, _tag_name(context)), "wrong-value", message, suggestion=nearest(found, allowed))
    if kind in {"missing", "missing_argument"}:
        return document.at(loc, "missing-key", f"'{key}' is required here", on_key=True)
    if found is None:
        return document.at(loc, "wrong-type", f"'{key}' has no value; {_expected(kind, context)} is expected", on_key=True)
    if kind in {"enum", "literal_error"}:
        allowed = _allowed(context)
        near = nearest(str(found), allowed)
        return document.at(loc, "wrong-value", f"expected one of {', '.join(allowed)}, not {_shown(found)}", suggestion=near)
    if kind in _EXPECTED:
        message = f"{_expected(kind, context)} is expected, not {_shown(found)}{_quotes(kind, found)}"
        return document.at(loc, "wrong-type", message, suggestion=_meant(kind, found))
    if kind == "json_invalid":  # the only text of YAML that JSON cannot carry
        return document.at((), "syntax", "a \\u escape in this file stands for no character")
    if kind == "string_too_short":
        return document.at(loc, "out-of-range", f"{key} must not be empty")
    if kind in _LIMITS:
        return document.at(loc, "out-of-range", f"{key} must be {_LIMITS[kind]} {context[_LIMIT_NAMES[kind]]}, not {found}")
    return document.at(loc, kind, details["msg"], suggestion=context.get("suggestion"))


def _allowed(context: dict[str, Any], key: str = "expected") -> list[str]:
    return [word.strip("'") for word in str(context.get(key, "")).replace(" or ", ", ").split(", ")]


def _tag_name(context: dict[str, Any]) -> str:
    """The key that says which of several shapes is meant."""
    return str(context["discriminator"]).strip("'")


def _expected(kind: str, context: dict[str, Any]) -> str:
    return _EXPECTED.get(kind) or context.get("expected") or "a value"


def _shown(found: Any) -> str:
    match found:
        case bool():
            return "true" if found else "false"
        case str():
            return f"the text '{found if len(found) <= 60 else found[:57] + '...'}'"
        case int() | float():
            return f"the number {found}"
        case list():
            return "a list"
        case _:
            return "settings"


def _quotes(kind: str, found: Any) -> str:
    if kind == "string_type" and isinstance(found, (int, float)):
        return "; put it in quotes"
    if kind in {"int_type", "float_type"} and isinstance(found, str) and found.replace(".", "", 1).isdigit():
        return "; write it without quotes"
    return ""


def _meant(kind: str, found: Any) -> str | None:
    """What was likely meant by a text where a number or a truth value is expected: "yes", "8,0", "28 d"."""
    if not isinstance(found, str):
        return None
    word = found.strip().lower()
    if kind == "bool_type":
        return "true" if word in {"yes", "on", "true"} else "false" if word in {"no", "off", "false"} else None
    if kind == "float_type" and re.fullmatch(r"\d+,\d+", word):
        return word.replace(",", ".")
    number = re.fullmatch(r"(\d+) ?[a-z/%]+", word) if kind == "int_type" else None
    return number[1] if number else None


def keys_at(shape: Any, loc: Loc) -> list[str]:
    """The keys that a dataclass, or what lies below it at ``loc``, knows. Empty where any key may stand."""
    for step in loc:
        shape = _below(shape, step)
    shape = _bare(shape)
    # a key that is a word of Python, such as "from", has an underscore there
    return [each.name.removesuffix("_") for each in dataclasses.fields(shape)] if dataclasses.is_dataclass(shape) else []


def _place(shape: Any, loc: Loc) -> Loc:
    """Where in the file it is: pydantic's place without the kinds by which it chose among shapes."""
    found: list[str | int] = []
    for step in loc:
        if step not in _by_kind(shape):
            found.append(step)
        shape = _below(shape, step)
    return tuple(found)


def _below(shape: Any, step: str | int) -> Any:
    """The shape one step further down, or None."""
    kinds = _by_kind(shape)
    if step in kinds:
        return kinds[step]
    shape = _bare(shape)
    if dataclasses.is_dataclass(shape):
        hints = typing.get_type_hints(shape, include_extras=True)
        return hints.get(str(step), hints.get(f"{step}_"))
    arguments = typing.get_args(shape)
    return arguments[1 if typing.get_origin(shape) is dict else 0] if arguments else None


def _by_kind(shape: Any) -> dict[str | int, Any]:
    """The shapes among which the key ``kind`` chooses; none where there is nothing to choose."""
    while typing.get_origin(shape) is typing.Annotated:
        shape = typing.get_args(shape)[0]
    members = [each for each in typing.get_args(shape) if dataclasses.is_dataclass(each)]
    if typing.get_origin(shape) not in {types.UnionType, typing.Union} or len(members) < 2:
        return {}
    return {typing.get_args(_bare(typing.get_type_hints(each)["kind"]))[0]: each for each in members}


def _bare(shape: Any) -> Any:
    """Without ``Annotated`` and ``| None``."""
    while typing.get_origin(shape) in {typing.Annotated, types.UnionType, typing.Union}:
        shape = next(each for each in typing.get_args(shape) if each is not type(None))
    return shape
