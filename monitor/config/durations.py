"""Durations as they are written: ``60 s``, ``30 min``, ``8 h``, ``28 d``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_WRITTEN = re.compile(r"(\d{1,9}) ?(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3650)
_MEANT = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
}


def parse_duration(written: object) -> timedelta:
    """The duration. Raises PydanticCustomError "bad-duration" for anything else, for nothing and for over ten years."""
    text = written.strip() if isinstance(written, str) else ""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise _refused(written, text)
    duration = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    if not timedelta(0) < duration <= _LONGEST:
        raise PydanticCustomError("bad-duration", "a duration must be more than nothing and at most 3650 d")
    return duration


def _refused(written: object, text: str) -> PydanticCustomError:
    expected = "a duration is a number and s, min, h or d, such as '60 s', '30 min', '8 h', '28 d'"
    if isinstance(written, (int, float)) and not isinstance(written, bool):
        message = f"{expected}; the number {written:g} has no unit"
        return PydanticCustomError("bad-duration", "{text}", {"text": message, "suggestion": f"{written:g} s"})
    word = re.fullmatch(r"(\d{1,9}) *([A-Za-z]+)", text)
    unit = _MEANT.get(word[2].lower(), word[2].lower()) if word else ""
    context: dict[str, Any] = {"text": expected}
    if word and unit in _SECONDS:
        context["suggestion"] = f"{word[1]} {unit}"
    return PydanticCustomError("bad-duration", "{text}", context)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9} ?(s|min|h|d)$", "examples": ["60 s", "30 min", "8 h", "28 d"]}),
]
