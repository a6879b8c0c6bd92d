"""Reads the case pages of this folder: Markdown that a nurse or a pharmacist can check, line by line.

A page: a heading, ``Guideline: NAME.``, then one ``## heading`` a case with sentences, one table of days, and bullets
``- On day 15: reduce to 1.0 mg/m2 (same-day).``. Lines that begin with ``>`` are for the reader alone. Any other
line that is not understood is an error: a page never promises what is not run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from monitor.clinical.history import Fact, History
from tests.builders import a_course, a_dose, a_history, a_patient, an_assessment, at, day, noon

PAGES = Path(__file__).parent

_NUMBERS = {"sensory": "sensory_grade", "motor": "motor_grade", "autonomic": "autonomic_grade", "pain score": "pain_nrs"}
_PRESSURES = {"systolic lying": "systolic_lying", "systolic standing": "systolic_standing"}
_YES_NO = {"yes": True, "no": False}
_SCHEDULES = {
    "Given once weekly.": "weekly",
    "Given twice weekly.": "twice-weekly",
    "Schedule not recorded.": None,
}
_GUIDELINE = re.compile(r"Guideline: ([\w-]+)\.")
_BASELINE = re.compile(r"Before bortezomib: (sensory|motor) grade (\d)(?:, motor grade (\d))?\.")
_STOPPED = re.compile(r"Stopped on day (\d+)\.")
_DAY = re.compile(r"(-?\d+)(?: at (\d\d):(\d\d))?")
_EXPECTED = re.compile(r"- On day (\d+): (.+)\.")


class PageError(Exception):
    """A page holds a line that is not understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One bullet of a case."""

    line: int
    on_day: int
    text: str


@dataclass(slots=True, kw_only=True)
class Case:
    """One case of a page."""

    page: str
    title: str
    guideline: str
    schedule: str | None = "weekly"
    stopped: int | None = None
    baseline: dict[str, int] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    seen: list[tuple[int, int | None, bool | None]] = field(default_factory=list)  # day, worst grade, pain
    severe_signs: bool = False
    expected: list[Expectation] = field(default_factory=list)

    def history(self) -> History:
        """The case as a history: a course from day 0, and the table's doses and assessments."""
        patient = a_patient(**{f"baseline_{kind}_grade": grade for kind, grade in self.baseline.items()})
        return a_history(patient, a_course(0, schedule=self.schedule, stopped=self.stopped), *self.facts)


def cases_of(path: Path) -> list[Case]:
    """All cases of a page. Raises PageError at the first line that is not understood."""
    guideline, case, columns = "", None, list[str]()
    found: list[Case] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        text = line.strip()
        try:
            if not text or text.startswith((">", "# ")):
                continue
            if text.startswith("## "):
                case, columns = Case(page=path.stem, title=text[3:], guideline=guideline), []
                found.append(case)
            elif case is None:
                guideline = _match(_GUIDELINE, text)[1]
            elif text.startswith("|"):
                columns = _table_line(case, columns, [cell.strip() for cell in text.strip("|").split("|")])
            elif text.startswith("- "):
                expected = _match(_EXPECTED, text)
                case.expected.append(Expectation(line=number, on_day=int(expected[1]), text=expected[2]))
            else:
                _sentence(case, text)
        except (PageError, KeyError, ValueError) as error:
            raise PageError(f"{path.name}:{number}: not understood: {text}") from error
    return found


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise PageError(text)
    return found


def _sentence(case: Case, text: str) -> None:
    if text in _SCHEDULES:
        case.schedule = _SCHEDULES[text]
    elif found := _GUIDELINE.fullmatch(text):
        case.guideline = found[1]
    elif found := _STOPPED.fullmatch(text):
        case.stopped = int(found[1])
    else:
        kind, grade, motor = _match(_BASELINE, text).groups()
        case.baseline[kind] = int(grade)
        if motor is not None:
            case.baseline["motor"] = int(motor)


def _table_line(case: Case, columns: list[str], cells: list[str]) -> list[str]:
    """Takes one line of the table; returns the columns, which the first line names."""
    if not columns:
        known = {"day", "dose mg/m2", "pain", "signs", *_NUMBERS, *_PRESSURES}
        if unknown := set(cells) - known:
            raise PageError(f"columns {unknown}")
        return cells
    if all(set(cell) <= {"-", ":"} for cell in cells):
        return columns
    row = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
    number, hour, minute = _match(_DAY, row.pop("day")).groups()
    timed = {"at": at(int(number), int(hour), int(minute)), "day_only": False} if hour else {"at": noon(int(number))}
    moment = {"on": day(int(number)), "known_at": timed["at"]} | timed
    if "dose mg/m2" in row:
        case.facts.append(a_dose(int(number), float(row.pop("dose mg/m2")), **moment))
    if row:
        _assessment(case, int(number), row, moment)
    return columns


def _assessment(case: Case, number: int, row: dict[str, str], moment: dict[str, object]) -> None:
    measures: dict[str, object] = {name: int(row[key]) for key, name in (_NUMBERS | _PRESSURES).items() if key in row}
    if "pain" in row:
        measures["neuropathic_pain"] = _YES_NO[row["pain"]]
    if "signs" in row:
        measures["red_flags"] = frozenset(sign.strip().replace(" ", "_") for sign in row["signs"].split(","))
        case.severe_signs = True
    grades = [int(row[kind]) for kind in ("sensory", "motor") if kind in row]
    pain = _YES_NO[row["pain"]] if "pain" in row else (False if row.get("pain score") == "0" else None)
    case.seen.append((number, max(grades, default=None), pain))
    case.facts.append(an_assessment(number, **measures, **moment))
