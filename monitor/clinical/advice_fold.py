"""The dose advice in force after each assessment: nothing yet, a highest dose, withhold, or discontinue.

The table answers one assessment; advice outlives it. A lower dose stays until a worse answer (re-escalation is never
advised: no guideline describes it), withholding lasts until the toxicity is resolved, discontinuing is for good.
A toxicity that merely lasts after its advice is no new one: neuropathy takes months to recover, and reading the table
again at each visit would take the dose down step by step. It is new when it is worse, or back after it had improved.
Where pain was not recorded both branches are kept: what holds in either is carried on, the other waits for the answer.
Pain without any grade asks for the grade; what was advised stays as it was.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

from monitor.clinical.advice import Advice, AdviceInForce, Binding, given_after, given_before
from monitor.clinical.clauses import SevereAutonomicSigns
from monitor.clinical.dose_table import GRADE_NOT_RECORDED, ask, dose_action, is_silent, same_answer
from monitor.clinical.guideline import DoseAction, Guideline
from monitor.clinical.history import Assessment, Dose, Schedule
from monitor.clinical.scales.ctcae import neuropathic_pain, worst_grade
from monitor.clinical.situation import Situation, schedule_from
from monitor.clinical.standing import Answered, Standing, Visit

NOTHING = DoseAction(kind="none")
SEVERE_AUTONOMIC_FLAGS = frozenset({"syncope", "ileus", "urinary_retention"})
_DAY = attrgetter("on")
_MEASURES = attrgetter("sensory_grade", "motor_grade", "neuropathic_pain", "pain_nrs")


def with_advice(situation: Situation) -> Situation:
    """The situation with its advice folded, so that the rules that read it share one. Off the drug nobody reads it."""
    return replace(situation, advice=advice_in_force(situation)) if situation.on_drug else situation


def advice_of(situation: Situation) -> AdviceInForce:
    """The advice folded for this evaluation, or folded now where nobody did."""
    return advice_in_force(situation) if situation.advice is None else situation.advice


def advice_in_force(situation: Situation) -> AdviceInForce:
    """The advice after the newest assessment, and what binds after each since the first dose that changed it."""
    fold = _Fold(situation)
    fold.walk()
    return AdviceInForce(newest=fold.newest(), bindings=tuple(fold.bindings))


def severe_autonomic_signs(assessment: Assessment, clause: SevereAutonomicSigns) -> bool:
    """A1: whether the assessment records what the policy takes for severe autonomic neuropathy."""
    if assessment.red_flags and not SEVERE_AUTONOMIC_FLAGS.isdisjoint(assessment.red_flags):
        return True
    if assessment.autonomic_grade is not None and assessment.autonomic_grade >= clause.grade:
        return True
    pressures = (assessment.systolic_lying, assessment.systolic_standing)
    return any(pressure is not None and pressure < clause.systolic_below_mmhg for pressure in pressures)


class _Reading(NamedTuple):
    """The grades and the pain of a visit as the table takes them. Most visits of a patient read the same."""

    grade: int | None  # worst of sensory and motor
    pain: bool | None
    above_baseline: bool
    silent: bool  # nothing above the baseline, or a row that says nothing


class _Given(NamedTuple):
    """The doses before a visit."""

    last: Dose | None
    previous: Dose | None  # the one before the last
    schedule: Schedule | None


class _Branch(NamedTuple):
    """What one visit comes to, with or without pain."""

    table: DoseAction  # the table's answer to this visit alone
    standing: Standing
    persists: Answered | None
    followed: bool  # where it persists: whether the present dose complies

    def action(self) -> DoseAction:
        """The answer in force."""
        if self.persists is None:
            return self.standing.answer(self.table)
        return NOTHING if self.followed else self.standing.still_advised()


class _Spoken(NamedTuple):
    """The newest visit where it was not a quiet one."""

    given: _Given
    branch: _Branch
    with_pain: _Branch | None


class _Fold:
    """One walk over the assessments, oldest first. A visit about which nothing is to be said costs next to nothing."""

    def __init__(self, situation: Situation) -> None:
        self.bindings: list[Binding] = []
        self._situation = situation
        self._patient = situation.history.patient
        self._silent = _silent_rows(situation.policy.guideline)
        self._readings: dict[tuple[object, ...], _Reading] = {}
        self._answers: dict[tuple[object, ...], DoseAction] = {}
        self._standing = Standing()
        self._if_pain: Standing | None = None  # the other branch of the last visit, which waits for the answer
        self._sensory_grade: int | None = None  # last recorded
        self._motor_grade: int | None = None
        self._doses_before = 0
        self._given: _Given | None = None  # those doses; none is given between most visits while they are withheld
        self._newest: tuple[Assessment, _Reading, bool] | None = None
        self._spoken: _Spoken | None = None  # of the newest; None where it was quiet

    def walk(self) -> None:
        """Every assessment on treatment, oldest first."""
        situation, readings = self._situation, self._readings
        table_speaks_of_severe = situation.policy.guideline.severe_autonomic is not None
        clause = situation.policy.thresholds.autonomic.severe
        assessments = situation.assessments
        for assessment in assessments[bisect_left(assessments, situation.first_on, key=_DAY) :]:
            key = _MEASURES(assessment)
            reading = readings.get(key) or self._read(assessment, key)
            severe = table_speaks_of_severe and severe_autonomic_signs(assessment, clause)
            if reading.grade is None and not severe:
                if reading.pain:
                    self._ask_for_grade(assessment, reading)
                continue
            if key[0] is not None:
                self._sensory_grade = key[0]
            if key[1] is not None:
                self._motor_grade = key[1]
            if reading.silent and not severe and self._standing.hold is None:
                self._pass(assessment, reading)
            else:
                self._speak(assessment, reading, severe)

    def newest(self) -> Advice | None:
        """The advice after the newest visit; the answer in words is needed of it alone."""
        if self._newest is None:
            return None
        assessment, reading, severe = self._newest
        action, persists, if_pain = self._standing.answer(NOTHING), None, self._if_pain
        given = self._given_before(assessment)
        if self._spoken is not None:
            given, branch, with_pain = self._spoken
            action, persists = branch.action(), branch.persists
            if with_pain is not None and not same_answer(action, with_pain.action()):
                action = ask(action, with_pain.action())
        signs = self._situation.policy.thresholds.autonomic.severe
        return Advice(
            assessment=assessment,
            grade=reading.grade or 0,
            pain=reading.pain,
            severe_autonomic=severe or severe_autonomic_signs(assessment, signs),
            above_baseline=severe or reading.above_baseline,
            present_dose=given.last,
            schedule=given.schedule,
            action=action,
            standing=self._standing,
            with_pain=if_pain,
            persists=persists,
        )

    def _read(self, assessment: Assessment, key: tuple[object, ...]) -> _Reading:
        grade = worst_grade(assessment.sensory_grade, assessment.motor_grade)
        pain = neuropathic_pain(assessment.neuropathic_pain, assessment.pain_nrs)
        above = (
            pain is True
            or (assessment.sensory_grade or 0) > (self._patient.baseline_sensory_grade or 0)
            or (assessment.motor_grade or 0) > (self._patient.baseline_motor_grade or 0)
        )
        reading = _Reading(grade, pain, above, not above or (grade or 0, pain) in self._silent)
        self._readings[key] = reading
        return reading

    def _pass(self, assessment: Assessment, reading: _Reading) -> None:
        """A visit that the table is silent about, with nothing withheld."""
        if self._standing.answered:
            self._improve(reading)
        self._newest, self._spoken = (assessment, reading, False), None
        if self._if_pain is not None or not self.bindings:
            self._if_pain = None
            self.bindings.append(Binding(assessment, reading.pain, self._standing, None))

    def _ask_for_grade(self, assessment: Assessment, reading: _Reading) -> None:
        """Pain and no grade: the table cannot be read. Nothing is improved by it, and advice that is not followed stays."""
        given, before = self._given_before(assessment), self._standing
        self._standing = before.in_pain(assessment, self._situation.policy.thresholds.dose.resolved)
        unmet = before.answered[-1] if before.answered and not self._was_followed(before, given) else None
        branch = _Branch(GRADE_NOT_RECORDED, self._standing, unmet, followed=False)
        self._newest, self._spoken = (assessment, reading, False), _Spoken(given, branch, None)
        if self._standing is not before:
            self.bindings.append(Binding(assessment, reading.pain, self._standing, self._if_pain))

    def _speak(self, assessment: Assessment, reading: _Reading, severe: bool) -> None:
        visit = Visit(
            assessment=assessment,
            grade=reading.grade or 0,
            sensory_grade=self._sensory_grade,
            motor_grade=self._motor_grade,
            pain=reading.pain,
        )
        given, above = self._given_before(assessment), severe or reading.above_baseline
        branch, other = self._branch(visit, given, severe, above, reading.pain is True), None
        improved = is_silent(branch.table)
        if above and reading.pain is None:
            other = self._branch(visit, given, severe, above, True)
            improved = improved and is_silent(other.table)
            if not _differs(branch, other):
                other = None
        before, asked_before = self._standing, self._if_pain
        self._standing, self._if_pain = branch.standing, None if other is None else other.standing
        if improved:
            self._improve(reading)
        self._newest, self._spoken = (assessment, reading, severe), _Spoken(given, branch, other)
        if self._standing is not before or self._if_pain is not asked_before or not self.bindings:
            self.bindings.append(Binding(assessment, reading.pain, self._standing, self._if_pain))

    def _branch(self, visit: Visit, given: _Given, severe: bool, above: bool, pain: bool) -> _Branch:
        """The table read with or without pain, unless the toxicity is the one that the advice in force answers."""
        table = self._table(visit.grade, pain, given, severe) if above else NOTHING
        before, if_pain = self._standing, self._if_pain
        lasting: Answered | None = None
        if not severe and not is_silent(table):
            lasting = before.persisting(visit.grade, pain)
            if lasting is None and pain and if_pain is not None and self._was_followed(if_pain, given):
                lasting = if_pain.persisting(visit.grade, pain)
                before = before if lasting is None else if_pain
        if lasting is not None:
            return _Branch(table, before, lasting, self._was_followed(before, given))
        standing = before.after(visit, table, pain, self._situation.policy.thresholds.dose, self._patient)
        return _Branch(table, standing, None, False)

    def _was_followed(self, standing: Standing, given: _Given) -> bool:
        """Whether the present dose was given after the advice, and complies with it."""
        if given.last is None or standing.since is None or not given_after(given.last, standing.since):
            return False
        tolerance = self._situation.policy.thresholds.dose.tolerance_mg_per_m2
        return not standing.breaches(given.last, given.previous, tolerance)

    def _table(self, grade: int, pain: bool, given: _Given, severe: bool) -> DoseAction:
        """The table's answer, read once for each question: most visits of a patient ask the same."""
        dose = None if given.last is None else given.last.dose_mg_per_m2
        key = (grade, pain, dose, given.schedule, severe)
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = dose_action(
                self._situation.policy.guideline,
                grade=grade,
                pain=pain,
                current_dose_mg_per_m2=dose,
                schedule=given.schedule,
                severe_autonomic=severe,
                tolerance_mg_per_m2=self._situation.policy.thresholds.dose.tolerance_mg_per_m2,
            )
        return found

    def _improve(self, reading: _Reading) -> None:
        """The table was silent: what it spoke of has improved, unless a worse grade was merely not recorded today."""
        if self._standing.answered and max(self._sensory_grade or 0, self._motor_grade or 0) <= (reading.grade or 0):
            self._standing = replace(self._standing, answered=())

    def _given_before(self, assessment: Assessment) -> _Given:
        doses = self._situation.doses
        place = bisect_left(doses, assessment.on, lo=self._doses_before, key=_DAY)  # given on an earlier day
        while place < len(doses) and given_before(doses[place], assessment):
            place += 1
        if self._given is None or place != self._doses_before:
            newest = doses[max(0, place - 4) : place]  # schedule_from reads no more
            self._given = _Given(
                newest[-1] if newest else None,
                newest[-2] if len(newest) > 1 else None,
                schedule_from(newest, self._situation.course),
            )
        self._doses_before = place
        return self._given


def _differs(without: _Branch, with_pain: _Branch) -> bool:
    """Whether it matters that pain was not recorded: another answer, or advice followed before its question was answered."""
    if with_pain.persists is not None and with_pain.standing is not without.standing:
        return True
    return not same_answer(without.action(), with_pain.action())


def _silent_rows(guideline: Guideline) -> frozenset[tuple[int, bool | None]]:
    """The grades and pains that the table says nothing to, whatever the dose; pain None where it does to neither."""
    rows = {
        (row.grade, row.pain)
        for row in guideline.rows
        if row.options and row.options[0].do == "none" and row.options[0].only_when == "any"
    }
    either = {(grade, None) for grade, pain in rows if pain and (grade, False) in rows}
    return frozenset((*rows, *either))
