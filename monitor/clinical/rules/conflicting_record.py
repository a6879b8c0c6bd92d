"""Two records that cannot both hold. Somebody has to look which is right; no other rule waits for it.

Only records of the last RECENT_DAYS before the newest of their kind are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from monitor.clinical.days import start_of_day
from monitor.clinical.findings import Criterion, Evidence, Finding, RuleAnswer
from monitor.clinical.history import BORTEZOMIB, NOT_TESTED, Assessment, Dose, LabResult
from monitor.clinical.scales.ctcae import comparable, neuropathic_pain
from monitor.clinical.scales.mrc import FULL_GRADE, KLEYWEG_PLACES, TESTED_MUSCLES, grade_of, kleyweg_tested, muscle_of, written
from monitor.clinical.situation import Situation
from monitor.clinical.words import MUSCLES, NO, WALKING, YES
from monitor.said import Said, joined, say

NAME = "conflicting-record"

RECENT_DAYS = 56
"""An older conflict is past mending: no window of the shipped policy that compares grades or muscles is longer (J)."""

_ASKED = {
    "grade-zero-but-weak": say("no motor grade 0 beside a weak muscle"),
    "walking-vs-disability": say("walking and GBS disability agree where both are recorded"),
    "partial-exam": say("no partial muscle examination"),
    "left-right-swap": say("no muscle with its sides exchanged"),
    "suspect-cell-count": say("no cell count that looks like a lost superscript"),
    "discontinued-yet-dosed": say("no dose after the recorded stop"),
    "two-assessments-one-day": say("no two assessments of one day that disagree"),
}
_DOES_NOT_WALK = frozenset({4, 5})  # GBS disability: 4 confined to chair or bed, 5 ventilated
_CONFINED = frozenset({"wheelchair", "bedbound"})
_WALKS_ALONE_AT_MOST = 2  # GBS disability 2: walks unaided


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conflict:
    criterion: str
    on: date
    at: datetime
    text: str
    evidence: tuple[Evidence, ...]


def answer(situation: Situation) -> RuleAnswer:
    """The seven criteria, and one finding led by the newest conflict."""
    assessments = tuple(_recent(situation.assessments))
    exams = tuple(assessment for assessment in assessments if assessment.mrc != NOT_TESTED)
    found = [
        *_grade_zero_but_weak(exams, situation.policy.thresholds.conflict.weak_at_most_grade),
        *_walking_against_disability(assessments),
        *_left_right_swaps(exams),
        *_suspect_cell_counts(situation),
        *_dosed_after_stop(situation),
        *_disagreeing_days(assessments),
    ]
    criteria = _criteria(situation, found, exams) if found or situation.explain else ()
    if not found:
        return RuleAnswer(rule=NAME, criteria=criteria)
    newest = max(found, key=lambda conflict: conflict.at)
    others = len(found) - 1
    finding = Finding(
        rule=NAME,
        urgency=situation.policy.thresholds.conflict.urgency,
        clinical_at=newest.at,
        headline=say("{conflict} (and {count} more)", conflict=newest.text, count=others) if others else newest.text,
        action=None,
        criteria=criteria,
        evidence=tuple(dict.fromkeys(evidence for conflict in found for evidence in conflict.evidence)),
        missing=(),
        occasion=f"{newest.criterion} {newest.on}",
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding)


def _criteria(situation: Situation, found: Sequence[_Conflict], exams: Sequence[Assessment]) -> tuple[Criterion, ...]:
    clause = situation.policy.thresholds.conflict
    met = {each.criterion for each in found}
    texts: dict[str, str] = dict(_ASKED)
    texts |= {name: joined("; ", (each.text for each in found if each.criterion == name)) for name in met}
    if exams and (tested := kleyweg_tested(exams[-1].mrc)) < len(KLEYWEG_PLACES):
        texts["partial-exam"] = say(
            "{day}: {count} of {all} muscles tested: no sum is formed", day=exams[-1].on, count=tested, all=len(KLEYWEG_PLACES)
        )
    source = f"{clause.source} [{clause.confidence}]"
    return tuple(Criterion(id=name, met=name in met, text=text, source=source) for name, text in texts.items())


def _recent(assessments: Sequence[Assessment]) -> Sequence[Assessment]:
    """The assessments of the last RECENT_DAYS before the newest, oldest first."""
    start = len(assessments)
    while start and (assessments[-1].on - assessments[start - 1].on).days <= RECENT_DAYS:
        start -= 1
    return assessments[start:]


def _grade_zero_but_weak(exams: Sequence[Assessment], weak_at_most: int) -> Iterator[_Conflict]:
    for exam in exams:
        tested = [rank for rank in set(exam.mrc) if rank is not None]
        if exam.motor_grade != 0 or not tested or grade_of(min(tested)) > weak_at_most:
            continue
        weak = [
            say("{muscle} {power}/5", muscle=_name(place), power=written(rank))
            for place, rank in enumerate(exam.mrc)
            if rank is not None and grade_of(rank) <= weak_at_most
        ]
        if weak:
            text = say("motor grade 0 beside {muscles} ({day})", muscles=joined(", ", weak), day=exam.on)
            yield _conflict("grade-zero-but-weak", text, exam)


def _walking_against_disability(assessments: Sequence[Assessment]) -> Iterator[_Conflict]:
    for each in assessments:
        walking, disability = each.walking, each.gbs_disability
        if walking is None or disability is None:
            continue
        if (walking == "unaided" and disability in _DOES_NOT_WALK) or (
            walking in _CONFINED and disability <= _WALKS_ALONE_AT_MOST
        ):
            text = say(
                "walking {walking} beside GBS disability {disability} ({day})",
                walking=WALKING[walking],
                disability=disability,
                day=each.on,
            )
            yield _conflict("walking-vs-disability", text, each)


def _left_right_swaps(exams: Sequence[Assessment]) -> Iterator[_Conflict]:
    for before, after in pairwise(exams):
        if before.mrc == after.mrc:
            continue
        for right in range(0, len(TESTED_MUSCLES), 2):
            was_right, was_left = before.mrc[right], before.mrc[right + 1]
            if was_right is None or was_left is None or abs(was_right - was_left) < FULL_GRADE:
                continue
            if (after.mrc[right], after.mrc[right + 1]) == (was_left, was_right):
                text = say(
                    "{muscle} right {right} left {left} ({before_on}), then right {left} left {right} ({after_on}):"
                    " sides exchanged?",
                    muscle=MUSCLES[muscle_of(right)[0]],
                    right=written(was_right),
                    left=written(was_left),
                    before_on=before.on,
                    after_on=after.on,
                )
                yield _conflict("left-right-swap", text, before, after)


def _suspect_cell_counts(situation: Situation) -> Iterator[_Conflict]:
    counts = [lab for lab in situation.history.labs if lab.analyte == "csf_white_cells" and lab.on <= situation.today]
    for lab in counts:
        if lab.value == situation.policy.thresholds.conflict.suspect_cells_per_ul and _is_recent(lab.on, counts[-1].on):
            text = say("CSF white cells {value} ({day}): is it 10^6/L without its superscript?", value=lab.as_written, day=lab.on)
            yield _conflict("suspect-cell-count", text, lab)


def _dosed_after_stop(situation: Situation) -> Iterator[_Conflict]:
    courses = [course for course in situation.history.courses if course.drug == BORTEZOMIB]
    for course in courses:
        stopped_on = course.discontinued_on
        if stopped_on is None:
            continue
        for dose in reversed(situation.doses):
            if dose.on <= stopped_on or not _is_recent(dose.on, situation.doses[-1].on):
                break
            if not any(stopped_on <= other.started_on <= dose.on for other in courses if other is not course):
                text = say(
                    "bortezomib {dose} mg/m2 on {day}, after the recorded stop on {stopped_on}",
                    dose=float(dose.dose_mg_per_m2),
                    day=dose.on,
                    stopped_on=stopped_on,
                )
                begun_at = start_of_day(course.started_on, situation.policy.zone)
                evidence = (_evidence(dose), Evidence(kind="course", id=course.fact_id, version=course.version, at=begun_at))
                yield _Conflict(criterion="discontinued-yet-dosed", on=dose.on, at=dose.at, text=text, evidence=evidence)


def _disagreeing_days(assessments: Sequence[Assessment]) -> Iterator[_Conflict]:
    by_day: dict[date, list[Assessment]] = {}
    for assessment in assessments:
        by_day.setdefault(assessment.on, []).append(assessment)
    for day, same_day in by_day.items():
        for place, later in enumerate(same_day):
            for earlier in same_day[:place]:
                differences = _differences(earlier, later)
                if differences:
                    text = say("two assessments of {day} disagree: {what}", day=day, what=joined(", ", differences))
                    yield _conflict("two-assessments-one-day", text, earlier, later)


def _differences(earlier: Assessment, later: Assessment) -> list[Said]:
    differences = []
    if comparable(earlier.ctcae_version, later.ctcae_version):
        grades = (
            (say("sensory grade"), earlier.sensory_grade, later.sensory_grade),
            (say("motor grade"), earlier.motor_grade, later.motor_grade),
            (say("autonomic grade"), earlier.autonomic_grade, later.autonomic_grade),
        )
        for what, one_grade, other_grade in grades:
            if one_grade is not None and other_grade is not None and one_grade != other_grade:
                differences.append(_both(what, one_grade, other_grade))
    pains = [neuropathic_pain(each.neuropathic_pain, each.pain_nrs) for each in (earlier, later)]
    if True in pains and False in pains:
        differences.append(_both(say("neuropathic pain"), *(YES if pain else NO for pain in pains)))
    one, other = earlier.gbs_disability, later.gbs_disability
    if one is not None and other is not None and one != other:
        differences.append(_both(say("GBS disability"), one, other))
    if earlier.walking is not None and later.walking is not None and earlier.walking != later.walking:
        differences.append(_both(say("walking"), WALKING[earlier.walking], WALKING[later.walking]))
    if earlier.mrc != later.mrc:
        for place, (weak, strong) in enumerate(zip(earlier.mrc, later.mrc, strict=True)):
            if weak is not None and strong is not None and abs(weak - strong) >= FULL_GRADE:
                differences.append(_both(_name(place), written(weak), written(strong)))
    return differences


def _both(what: Said, one: int | str, other: int | str) -> Said:
    return say("{what} {this} and {that}", what=what, this=one, that=other)


def _conflict(criterion: str, text: str, *facts: Assessment | LabResult) -> _Conflict:
    newest = facts[-1]
    evidence = tuple(_evidence(fact) for fact in facts)
    return _Conflict(criterion=criterion, on=newest.on, at=newest.at, text=text, evidence=evidence)


def _evidence(fact: Assessment | LabResult | Dose) -> Evidence:
    kind = "assessment" if isinstance(fact, Assessment) else "lab" if isinstance(fact, LabResult) else "dose"
    return Evidence(kind=kind, id=fact.fact_id, version=fact.version, at=fact.at)


def _is_recent(day: date, newest: date) -> bool:
    return newest - day <= timedelta(days=RECENT_DAYS)


def _name(place: int) -> Said:
    muscle, side = muscle_of(place)
    name = MUSCLES[muscle]
    return say("{muscle} left", muscle=name) if side == "left" else say("{muscle} right", muscle=name)
