"""What is on one figure, chosen and said: the drawing adds no word and no value. As JSON it is what a mail keeps of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Literal

Kind = Literal["png", "svg"]
Style = Literal["sensory", "motor", "walking", "muscle", "sum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a measure. ``apart``: graded by another CTCAE version than the newest, and not to be compared with it."""

    on: date
    value: float
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One measure. Runs are not joined: between them a visit recorded nothing of it. ``label``: its name and newest value."""

    label: str
    style: Style
    runs: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From one day to another; ``until`` None goes on."""

    label: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One dose. ``label`` is its number, empty where it is that of the dose before."""

    on: date
    mg_per_m2: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Words at a day."""

    on: date
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Where something was found. ``urgency``: immediate, same-day, review."""

    on: date
    text: str
    urgency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A figure. Grades are 0-4, walking 0-4 steps worse than unaided (``aids`` are their five words), muscles 0-5, a sum
    is given a twelfth of its 0-60. ``bands`` names grades, walking, muscles and doses; ``remark`` belongs to the grades.
    """

    language: str
    title: str
    description: str
    first_on: date
    last_on: date
    days: tuple[Note, ...]  # the marks of the date axis
    bands: tuple[str, str, str, str]
    empty: tuple[str, str]  # what is said of a band without a value, and of the muscles without one
    worse: tuple[str, str]  # what says that up, and that down, is worse
    grades: tuple[Line, ...]
    pain: tuple[Span, ...]
    remark: str
    aids: tuple[str, ...]
    walking: Line | None
    powers: tuple[Line, ...]
    doses: tuple[Bar, ...]
    stop: Note | None
    therapies: tuple[Span, ...]
    flags: tuple[Flag, ...]


def sheet_json(sheet: Sheet) -> str:
    """The same text for the same sheet."""
    return json.dumps(asdict(sheet), default=date.isoformat, ensure_ascii=False, separators=(",", ":"))


def sheet_hash(data: str) -> str:
    """What a sheet's JSON is known by."""
    return sha256(data.encode()).hexdigest()


def sheet_from(data: str) -> Sheet:
    """The sheet that ``sheet_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    kept = json.loads(data)
    stop, walking = kept["stop"], kept["walking"]
    texts = {name: str(kept[name]) for name in ("language", "title", "description", "remark")}
    grades, walked, muscles, doses = map(str, kept["bands"])
    up, down = map(str, kept["worse"])
    nothing, no_power = map(str, kept["empty"])
    return Sheet(
        **texts,
        first_on=_day(kept["first_on"]),
        last_on=_day(kept["last_on"]),
        days=tuple(map(_note, kept["days"])),
        bands=(grades, walked, muscles, doses),
        empty=(nothing, no_power),
        worse=(up, down),
        grades=tuple(map(_line, kept["grades"])),
        pain=tuple(map(_span, kept["pain"])),
        aids=tuple(map(str, kept["aids"])),
        walking=None if walking is None else _line(walking),
        powers=tuple(map(_line, kept["powers"])),
        doses=tuple(Bar(on=_day(x["on"]), mg_per_m2=float(x["mg_per_m2"]), label=str(x["label"])) for x in kept["doses"]),
        stop=None if stop is None else _note(stop),
        therapies=tuple(map(_span, kept["therapies"])),
        flags=tuple(Flag(on=_day(x["on"]), text=str(x["text"]), urgency=str(x["urgency"])) for x in kept["flags"]),
    )


def _line(kept: Any) -> Line:
    runs = tuple(
        tuple(Point(on=_day(x["on"]), value=float(x["value"]), apart=bool(x["apart"])) for x in run) for run in kept["runs"]
    )
    return Line(label=str(kept["label"]), style=kept["style"], runs=runs)


def _span(kept: Any) -> Span:
    until = kept["until"]
    return Span(label=str(kept["label"]), since=_day(kept["since"]), until=None if until is None else _day(until))


def _note(kept: Any) -> Note:
    return Note(on=_day(kept["on"]), text=str(kept["text"]))


def _day(kept: Any) -> date:
    return date.fromisoformat(kept)
