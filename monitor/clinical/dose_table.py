"""Reading a guideline: which dose action follows from grade, pain, present dose and schedule.

Pure, and never a no-op: an option that would change nothing is left out, and the answer says why.
Where tables are silent the answers are those of ``docs/clinical.md``, "Where they disagree", rows 5 to 7 (our judgement).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.clinical.dose_words import mg_per_m2
from monitor.clinical.guideline import NO_LOWER_LEVEL, DoseAction, Guideline, GuidelineOption, GuidelineRow
from monitor.clinical.history import Schedule
from monitor.said import joined as in_one_line
from monitor.said import say

WORST_GRADE = 4  # a table ends at grade 4; grade 5 is read as 4
ROUNDING = 1e-9  # of floats; the clinical tolerance is the policy's

ALREADY_WEEKLY = say("already weekly")
SCHEDULE_UNKNOWN = say("schedule not known: weekly option left out")
WEEKLY_ABOVE_PRESENT = say("weekly option left out: above the present dose")
DOSE_UNKNOWN = say("present dose not recorded")
AT_TARGET = say("present dose is already at or below the table's target: one level down")
PAIN_WITHOUT_GRADE = say("neuropathic pain with grade 0: the table has no row")
GRADE_NOT_RECORDED = DoseAction(
    kind="none", note=say("sensory and motor grade not recorded: record them, the table asks for a grade")
)


def dose_action(
    guideline: Guideline,
    *,
    grade: int,
    pain: bool | None,
    current_dose_mg_per_m2: float | None,
    schedule: Schedule | None,
    severe_autonomic: bool = False,
    tolerance_mg_per_m2: float,
) -> DoseAction:
    """What ``guideline`` says. ``grade`` is the worst of sensory and motor, 0-5; ``pain`` None is "not recorded".

    ``ask`` when pain is not known and the answer depends on it: its alternatives are the answer without pain, then with.
    Raises ValueError where the guideline lacks a row, which no guideline that was read from a file does.
    """
    if severe_autonomic and guideline.severe_autonomic is not None:
        row = guideline.severe_autonomic
        return DoseAction(kind=row.do, note=say("severe autonomic neuropathy"), source=cited(row.source, row.confidence))
    if grade <= 0:
        return DoseAction(kind="none", note=PAIN_WITHOUT_GRADE if pain else "")
    present = _Present(
        ladder_mg_per_m2=guideline.ladder_mg_per_m2,
        dose_mg_per_m2=current_dose_mg_per_m2,
        schedule=schedule,
        tolerance_mg_per_m2=tolerance_mg_per_m2,
    )
    if pain is not None:
        return _answer_of(row_for(guideline, grade, pain), present)
    without = _answer_of(row_for(guideline, grade, False), present)
    with_pain = _answer_of(row_for(guideline, grade, True), present)
    return without if same_answer(without, with_pain) else ask(without, with_pain)


def row_for(guideline: Guideline, grade: int, pain: bool) -> GuidelineRow:
    """The row for a grade of 1 or more. Raises ValueError where the guideline has none."""
    wanted = min(grade, WORST_GRADE)
    for row in guideline.rows:
        if row.grade == wanted and row.pain == pain:
            return row
    raise ValueError(f"guideline {guideline.name} has no row for grade {wanted}, pain {pain}")


def ask(without: DoseAction, with_pain: DoseAction) -> DoseAction:
    """Pain was not recorded: both branches, the one without pain first."""
    sources = dict.fromkeys(source for source in (without.source, with_pain.source) if source)
    return DoseAction(
        kind="ask",
        alternatives=(
            replace(without, note=joined(say("without neuropathic pain"), without.note)),
            replace(with_pain, note=joined(say("with neuropathic pain"), with_pain.note)),
        ),
        note=say("neuropathic pain not recorded"),
        source="; ".join(sources),
    )


def same_answer(one: DoseAction, other: DoseAction) -> bool:
    """Whether two answers ask for the same first of all, whatever else they offer and however it is explained."""
    return _asks_for(one) == _asks_for(other)


def is_silent(action: DoseAction) -> bool:
    """Whether there is nothing to raise: no action, and no remark that the table has no answer."""
    return action.kind == "none" and not action.note


def joined(*notes: str) -> str:
    """Notes as one line, the empty and the repeated ones left out."""
    kept = dict.fromkeys(note for note in notes if note)
    return in_one_line("; ", kept) if kept else ""


def cited(source: str, confidence: str) -> str:
    """A source with its confidence mark."""
    return f"{source} [{confidence}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Present:
    """Where the patient stands on the ladder."""

    ladder_mg_per_m2: tuple[float, ...]  # descending
    dose_mg_per_m2: float | None
    schedule: Schedule | None
    tolerance_mg_per_m2: float

    def level(self) -> float | None:
        """The level of the ladder that is given now; None where the dose is not recorded or off the ladder."""
        if self.dose_mg_per_m2 is None:
            return None
        allowed = self.tolerance_mg_per_m2 + ROUNDING
        return next((level for level in self.ladder_mg_per_m2 if abs(level - self.dose_mg_per_m2) <= allowed), None)

    def lower(self) -> float | None:
        """The next lower level; None where there is none or the dose is not recorded."""
        level = self.level()
        given = level if level is not None else self.dose_mg_per_m2
        if given is None:
            return None
        return next((each for each in self.ladder_mg_per_m2 if each < given - ROUNDING), None)

    def remark(self) -> str:
        """What is odd about the present dose, if anything is."""
        if self.dose_mg_per_m2 is None:
            return DOSE_UNKNOWN
        if self.level() is not None:
            return ""
        return say("present dose {dose} is off the dose ladder", dose=mg_per_m2(self.dose_mg_per_m2))


def _answer_of(row: GuidelineRow, present: _Present) -> DoseAction:
    """The first option that changes something, the others that do as its alternatives, and why any was left out."""
    taken: list[DoseAction] = []
    left_out: list[str] = []
    for option in row.options:
        answer = _answer_to(option, present)
        if isinstance(answer, str):
            left_out.append(answer)
        else:
            taken.append(answer)
    source = cited(row.source, row.confidence)
    if not taken:
        remarks = [reason for reason in left_out if reason != NO_LOWER_LEVEL]
        return DoseAction(kind="none", note=joined(present.remark(), *remarks, NO_LOWER_LEVEL), source=source)
    first = taken[0]
    others = tuple(replace(other, source=source) for other in taken[1:])
    return replace(first, alternatives=others, note=joined(*left_out, first.note), source=source)


def _answer_to(option: GuidelineOption, present: _Present) -> DoseAction | str:
    """The action an option comes to for this patient, or why it comes to none."""
    if option.only_when != "any" and option.only_when != present.schedule:
        if option.only_when == "weekly":
            return ""
        return ALREADY_WEEKLY if present.schedule == "weekly" else SCHEDULE_UNKNOWN
    match option.do:
        case "none":
            return DoseAction(kind="none")
        case "discontinue":
            return DoseAction(kind="discontinue")
        case "withhold":
            return _withhold(option, present)
        case "reduce-to":
            return _reduce_to(option.dose_mg_per_m2, present)
        case "one-level-down":
            return _reduce_to(None, present)
        case "weekly-same-dose":
            return _weekly(present.dose_mg_per_m2, present)
        case "weekly-at":
            return _weekly(option.dose_mg_per_m2, present)


def _target(fixed_mg_per_m2: float | None, present: _Present) -> tuple[float | None, str]:
    """The dose to go to, and a remark. Row 5: the table's own when above it, else a level down. Row 7: off the ladder."""
    level = present.level()
    if present.dose_mg_per_m2 is None:
        return fixed_mg_per_m2, DOSE_UNKNOWN
    if level is None or fixed_mg_per_m2 is None:
        return present.lower(), present.remark()
    if level > fixed_mg_per_m2 + ROUNDING:
        return fixed_mg_per_m2, ""
    return present.lower(), AT_TARGET


def _reduce_to(fixed_mg_per_m2: float | None, present: _Present) -> DoseAction | str:
    dose, remark = _target(fixed_mg_per_m2, present)
    if dose is None and present.dose_mg_per_m2 is not None:
        return NO_LOWER_LEVEL
    return DoseAction(kind="reduce", dose_mg_per_m2=dose, schedule="unchanged", note=remark)


def _weekly(dose_mg_per_m2: float | None, present: _Present) -> DoseAction | str:
    given = present.dose_mg_per_m2
    if dose_mg_per_m2 is not None and given is not None and given < dose_mg_per_m2 - present.tolerance_mg_per_m2 - ROUNDING:
        return WEEKLY_ABOVE_PRESENT
    return DoseAction(kind="reduce", dose_mg_per_m2=dose_mg_per_m2, schedule="weekly", note=present.remark())


def _withhold(option: GuidelineOption, present: _Present) -> DoseAction:
    dose, remark = _restart(option.restart_dose_mg_per_m2, present)
    return DoseAction(kind="withhold", restart_dose_mg_per_m2=dose, restart_schedule=option.restart_schedule, note=remark)


def _restart(fixed_mg_per_m2: float | None, present: _Present) -> tuple[float | None, str]:
    """Row 5 for the restart dose. Off the ladder and above the table's restart dose, the table's is a lower level too."""
    given = present.dose_mg_per_m2
    if fixed_mg_per_m2 is not None and given is not None and present.level() is None and given > fixed_mg_per_m2:
        return fixed_mg_per_m2, present.remark()
    dose, remark = _target(fixed_mg_per_m2, present)
    if dose is None and given is not None:
        return None, joined(present.remark(), NO_LOWER_LEVEL)
    return dose, remark


def _asks_for(action: DoseAction) -> tuple[object, ...]:
    return (
        action.kind,
        action.dose_mg_per_m2,
        action.schedule,
        action.restart_dose_mg_per_m2,
        action.restart_schedule,
        is_silent(action),
    )
