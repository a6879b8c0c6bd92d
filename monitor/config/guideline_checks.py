"""What a shape cannot say about a dose table: every grade answered once, doses on the ladder, worse never milder."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.clinical.guideline import Guideline, GuidelineOption, GuidelineRow
from monitor.config.problems import Problem
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


def check_guideline(guideline: Guideline, document: Document) -> list[Problem]:
    """All that is wrong with the table, each at its line. Empty for a table that can be used."""
    return [
        *_ladder(guideline, document),
        *_each_pair_once(guideline, document),
        *_worse_is_never_milder(guideline, document),
        *(problem for index, row in enumerate(guideline.rows) for problem in _row(row, ("rows", index), guideline, document)),
    ]


def _ladder(guideline: Guideline, document: Document) -> Iterator[Problem]:
    here: Loc = ("ladder_mg_per_m2",)
    ladder = guideline.ladder_mg_per_m2
    if not ladder:
        yield document.at(here, "out-of-range", "at least one dose level is needed")
    for index, level in enumerate(ladder):
        if not 0 < level <= HIGHEST_MG_PER_M2:
            yield document.at(
                (*here, index),
                "out-of-range",
                f"a dose level in mg/m2 must be above 0 and at most {HIGHEST_MG_PER_M2}, not {level}",
            )
        if index and level >= ladder[index - 1]:
            yield document.at(
                (*here, index), "threshold-contradiction", f"dose levels go down: {level} does not come after {ladder[index - 1]}"
            )


def _each_pair_once(guideline: Guideline, document: Document) -> Iterator[Problem]:
    seen: dict[tuple[int, bool], int] = {}
    for index, row in enumerate(guideline.rows):
        if row.grade not in GRADES:
            yield document.at(("rows", index, "grade"), "out-of-range", f"grade must be from 1 to 4, not {row.grade}")
        elif (row.grade, row.pain) in seen:
            earlier = document.values.get(("rows", seen[(row.grade, row.pain)]))
            where = f", on line {earlier.line}" if earlier else ""
            yield document.at(("rows", index), "threshold-overlap", f"{_named(row.grade, row.pain)} has a row already{where}")
        seen.setdefault((row.grade, row.pain), index)
    for grade in GRADES:
        for pain in (False, True):
            if (grade, pain) not in seen:
                yield document.at(("rows",), "threshold-gap", f"no row answers {_named(grade, pain)}", on_key=True)


def _worse_is_never_milder(guideline: Guideline, document: Document) -> Iterator[Problem]:
    for index, row in enumerate(guideline.rows):
        for other in guideline.rows:
            worse = row.grade >= other.grade and row.pain >= other.pain and (row.grade, row.pain) != (other.grade, other.pain)
            if worse and row.options and other.options and _severity(row) < _severity(other):
                message = f"{_named(row.grade, row.pain)} must not ask for less than {_named(other.grade, other.pain)}"
                yield document.at(("rows", index, "options", 0, "do"), "threshold-contradiction", message)
                break


def _row(row: GuidelineRow, loc: Loc, guideline: Guideline, document: Document) -> Iterator[Problem]:
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
        yield from _option(option, (*loc, "options", index), guideline, document)


def _option(option: GuidelineOption, loc: Loc, guideline: Guideline, document: Document) -> Iterator[Problem]:
    if option.do in _WITH_DOSE and option.dose_mg_per_m2 is None:
        yield document.at((*loc, "do"), "missing-key", f"'{option.do}' needs dose_mg_per_m2")
    if option.do not in _WITH_DOSE and option.dose_mg_per_m2 is not None:
        yield document.at((*loc, "dose_mg_per_m2"), "threshold-contradiction", f"'{option.do}' takes no dose", on_key=True)
    for name, dose in (("dose_mg_per_m2", option.dose_mg_per_m2), ("restart_dose_mg_per_m2", option.restart_dose_mg_per_m2)):
        if dose is not None and dose not in guideline.ladder_mg_per_m2:
            levels = ", ".join(str(level) for level in guideline.ladder_mg_per_m2)
            yield document.at((*loc, name), "threshold-contradiction", f"{dose} mg/m2 is not a level of this table ({levels})")
    for name, restart in (
        ("restart_dose_mg_per_m2", option.restart_dose_mg_per_m2),
        ("restart_schedule", option.restart_schedule),
    ):
        if restart is not None and option.do != "withhold":
            message = f"'{option.do}' has no restart; only 'withhold' has"
            yield document.at((*loc, name), "threshold-contradiction", message, on_key=True)


def _severity(row: GuidelineRow) -> int:
    return max(_SEVERITY[option.do] for option in row.options[:1])


def _named(grade: int, pain: bool) -> str:
    return f"grade {grade} {'with' if pain else 'without'} neuropathic pain"
