"""Clock times, days of the week and dates as they are written: ``07:00``, ``mon-fri``, ``2026-12-24``."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from monitor.config.problems import nearest

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS = {name: number for names in (DAYS, _LONG) for number, name in enumerate(names)}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_NEAR_CLOCK = re.compile(r"(\d{1,2})(?:[:.h ]*([0-5]\d))?(?: ?(?:h|uhr|am))?", re.IGNORECASE)


def parse_minute(written: object) -> int:
    """Minutes since midnight, 0..1440 ("24:00"). Raises PydanticCustomError "bad-clock-time" for anything else."""
    text = f"{written:.2f}" if isinstance(written, float) else str(written).strip()
    match = _CLOCK.fullmatch(text) if isinstance(written, str) else None
    if match is not None and int(match[2]) < 60:
        minute = int(match[1]) * 60 + int(match[2])
        if minute <= 1440:
            return minute
    context: dict[str, Any] = {"text": "a clock time is expected, such as '07:00' or '19:30'"}
    near = _NEAR_CLOCK.fullmatch(text)
    if near and int(near[1]) < 24:
        context["suggestion"] = f"{int(near[1]):02}:{near[2] or '00'}"
    raise PydanticCustomError("bad-clock-time", "{text}", context)


def parse_time(written: object) -> time:
    """The time of day. Raises PydanticCustomError "bad-clock-time", also for 24:00."""
    minute = parse_minute(written)
    if minute == 1440:
        raise PydanticCustomError("bad-clock-time", "{text}", {"text": "the day ends before 24:00", "suggestion": "00:00"})
    return time(minute // 60, minute % 60)


def parse_days(written: object) -> frozenset[int]:
    """Days of the week, 0 is Monday: ``mon-fri``, ``sat``, ``mon,wed`` or a list. Raises PydanticCustomError "bad-days"."""
    words = written.split(",") if isinstance(written, str) else written
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise _bad_days("", written)
    found: set[int] = set()
    for word in words:
        first, dash, last = (part.strip().lower() for part in word.partition("-"))
        if first not in _NUMBERS or (dash and last not in _NUMBERS):
            raise _bad_days(last if first in _NUMBERS else first, written)
        start = _NUMBERS[first]
        found |= {(start + step) % 7 for step in range((_NUMBERS[last] - start) % 7 + 1)} if dash else {start}
    return frozenset(found)


def parse_date(written: object) -> date:
    """The day. Raises PydanticCustomError "bad-date" for anything but an ISO date."""
    text = written.strip() if isinstance(written, str) else ""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    context: dict[str, Any] = {"text": "a day of the calendar is expected, written 2026-12-24"}
    if german := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        context["suggestion"] = f"{german[3]}-{int(german[2]):02}-{int(german[1]):02}"
    raise PydanticCustomError("bad-date", "{text}", context)


def _bad_days(word: str, written: object) -> PydanticCustomError:
    context: dict[str, Any] = {"text": "days of the week are expected, such as mon-fri, sat or 'mon,wed'"}
    near = nearest(word, list(_NUMBERS)) if word else None
    if near:
        meant = DAYS[_NUMBERS[near]]
        context["suggestion"] = _corrected(written) if isinstance(written, str) else meant
    return PydanticCustomError("bad-days", "{text}", context)


def _corrected(written: str) -> str:
    """Every word that is no day replaced by the nearest one."""

    def day(found: re.Match[str]) -> str:
        near = nearest(found[0], list(_NUMBERS))
        return found[0] if near is None else DAYS[_NUMBERS[near]]

    return re.sub(r"[a-zäöü]+", day, written.lower())


_CLOCK_SCHEMA = {"type": "string", "pattern": r"^\d{1,2}:\d{2}$", "examples": ["07:00", "19:30"]}
Minute = Annotated[int, BeforeValidator(parse_minute), WithJsonSchema(_CLOCK_SCHEMA)]
ClockTime = Annotated[time, BeforeValidator(parse_time), WithJsonSchema(_CLOCK_SCHEMA)]
Days = Annotated[
    frozenset[int],
    BeforeValidator(parse_days),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}], "examples": ["mon-fri", "sat", "mon,wed"]}
    ),
]
Day = Annotated[date, BeforeValidator(parse_date), WithJsonSchema({"type": "string", "format": "date"})]
