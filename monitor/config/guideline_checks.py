"""What a shape cannot say about a dose table: every grade answered once, doses on the ladder, worse never milder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast

from pydantic import ValidationError

from monitor.clinical.guideline import GuidelineOption, GuidelineRow
from monitor.config.problems import Problem
from monitor.config.validation import adapter
from monitor.config.yaml_source import Document, Loc

GRADES = (1, 2, 3, 4)  # CTCAE; 5 is death
HIGHEST_MG_PER_M2 = 3.0  # no published schedule is near it; more is a dose in mg
_WITH_DOSE = {"reduce-to", "weekly-at"}
_SEVERITY = {
    "none": 0,
    "weekly-same-dose": 1,
    "weekly-at": 1,
    "one-level-down": 1,
    "reduce-to": 1,
    "withhold": 2,
    "discontinue": 3,
}


def check_guideline(document: Document) -> list[Problem]:
    """All that is wrong with the table, each at its line. Empty for a table that can be used.

    A row that cannot be read is passed over here, and then no grade is called unanswered.
    """
    ladder = [level for level in document.get(("ladder_mg_per_m2",), list) or () if isinstance(level, (int, float))]
    written = document.get(("rows",), list) or []
    rows = {index: row for index, row in enumerate(map(_readable, written)) if row is not None}
    return [
        *_ladder(ladder, document),
        *_each_pair_once(rows, document, complete=document.get(("rows",), list) is not None and len(rows) == len(written)),
        *_worse_is_never_milder(rows, document),
        *(problem for index, row in rows.items() for problem in _row(row, ("rows", index), ladder, document)),
    ]


def _readable(row: object) -> GuidelineRow | None:
    try:
        return cast(GuidelineRow, adapter(GuidelineRow).validate_json(json.dumps(row), strict=True, extra="ignore"))
    except ValidationError:
        return None


def _ladder(ladder: list[float], document: Document) -> Iterator[Problem]:
    here: Loc = ("ladder_mg_per_m2",)
    if document.get(here, list) == []:
        yield document.at(here, "out-of-range", "at least one dose level is needed")
    for index, level in enumerate(ladder):
        if not 0 < level <= HIGHEST_MG_PER_M2:
            message = f"a dose level in mg/m2 must be above 0 and at most {HIGHEST_MG_PER_M2}, not {level}"
            yield document.at((*here, index), "out-of-range", message)
        if index and level >= ladder[index - 1]:
            message = f"dose levels go down: {level} does not come after {ladder[index - 1]}"
            yield document.at((*here, index), "threshold-contradiction", message)


def _each_pair_once(rows: dict[int, GuidelineRow], document: Document, *, complete: bool) -> Iterator[Problem]:
    seen: dict[tuple[int, bool], int] = {}
    for index, row in rows.items():
        if row.grade not in GRADES:
            yield document.at(("rows", index, "grade"), "out-of-range", f"grade must be from 1 to 4, not {row.grade}")
        elif (row.grade, row.pain) in seen:
            line = document.values[("rows", seen[(row.grade, row.pain)])].line
            message = f"{_named(row.grade, row.pain)} has a row already, on line {line}"
            yield document.at(("rows", index), "threshold-overlap", message)
        seen.setdefault((row.grade, row.pain), index)
    for grade in GRADES if complete else ():
        for pain in (False, True):
            if (grade, pain) not in seen:
                yield document.at(("rows",), "threshold-gap", f"no row answers {_named(grade, pain)}", on_key=True)


def _worse_is_never_milder(rows: dict[int, GuidelineRow], document: Document) -> Iterator[Problem]:
    for index, row in rows.items():
        for other in rows.values():
            worse = row.grade >= other.grade and row.pain >= other.pain and (row.grade, row.pain) != (other.grade, other.pain)
            if worse and row.options and other.options and _severity(row) < _severity(other):
                message = f"{_named(row.grade, row.pain)} must not ask for less than {_named(other.grade, other.pain)}"
                yield document.at(("rows", index, "options", 0, "do"), "threshold-contradiction", message)
                break


def _row(row: GuidelineRow, loc: Loc, ladder: list[float], document: Document) -> Iterator[Problem]:
    if not row.options:
        yield document.at(
            (*loc, "options"), "threshold-gap", "at least one option is needed; 'do: none' says that nothing follows"
        )
        return
    schedules = {option.only_when for option in row.options}
    if "any" not in schedules and schedules != {"weekly", "twice-weekly"}:
        left = ({"weekly", "twice-weekly"} - schedules).pop()
        yield document.at((*loc, "options"), "threshold-gap", f"no option answers a patient on the {left} schedule")
    for index, option in enumerate(row.options):
        yield from _option(option, (*loc, "options", index), ladder, document)


def _option(option: GuidelineOption, loc: Loc, ladder: list[float], document: Document) -> Iterator[Problem]:
    if option.do in _WITH_DOSE and option.dose_mg_per_m2 is None:
        yield document.at((*loc, "do"), "missing-key", f"'{option.do}' needs dose_mg_per_m2")
    if option.do not in _WITH_DOSE and option.dose_mg_per_m2 is not None:
        yield document.at((*loc, "dose_mg_per_m2"), "threshold-contradiction", f"'{option.do}' takes no dose", on_key=True)
    for name, dose in (("dose_mg_per_m2", option.dose_mg_per_m2), ("restart_dose_mg_per_m2", option.restart_dose_mg_per_m2)):
        if dose is not None and dose not in ladder:
            levels = ", ".join(str(level) for level in ladder)
            yield document.at((*loc, name), "threshold-contradiction", f"{dose} mg/m2 is not a level of this table ({levels})")
    for name, restart in (
        ("restart_dose_mg_per_m2", option.restart_dose_mg_per_m2),
        ("restart_schedule", option.restart_schedule),
    ):
        if restart is not None and option.do != "withhold":
            message = f"'{option.do}' has no restart; only 'withhold' has"
            yield document.at((*loc, name), "threshold-contradiction", message, on_key=True)


def _severity(row: GuidelineRow) -> int:
    return _SEVERITY[row.options[0].do]


def _named(grade: int, pain: bool) -> str:
    return f"grade {grade} {'with' if pain else 'without'} neuropathic pain"
