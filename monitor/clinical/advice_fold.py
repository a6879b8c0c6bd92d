"""The dose advice in force after each assessment: nothing yet, a highest dose, withhold, or discontinue.

The table answers one assessment; advice outlives it. A lower dose stays until a worse answer (re-escalation is never
advised: no guideline describes it), withholding lasts until the toxicity is resolved, discontinuing is for good.
A toxicity that merely lasts after its advice is no new one: neuropathy takes months to recover, and reading the table
again at each visit would take the dose down step by step. It is new when it is worse, or back after it had improved.
Where pain was not recorded both branches are kept: what holds in either is carried on, the other waits for the answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from monitor.clinical.advice import Advice, given_after, given_before
from monitor.clinical.dose_table import ask, dose_action, is_silent, same_answer
from monitor.clinical.guideline import DoseAction, Guideline
from monitor.clinical.history import Assessment, Dose, Schedule
from monitor.clinical.policy import SevereAutonomicSigns
from monitor.clinical.scales.ctcae import neuropathic_pain, worst_grade
from monitor.clinical.situation import Situation, schedule_from
from monitor.clinical.standing import Answered, Standing, Visit

NOTHING = DoseAction(kind="none")
SEVERE_AUTONOMIC_FLAGS = frozenset({"syncope", "ileus", "urinary_retention"})


def with_advice(situation: Situation) -> Situation:
    """The situation with its advice folded, so that the rules that read it share one. Off the drug nobody reads it."""
    return replace(situation, advice=advice_in_force(situation)) if situation.on_drug else situation


def advice_of(situation: Situation) -> tuple[Advice, ...]:
    """The advice folded for this evaluation, or folded now where nobody did."""
    return advice_in_force(situation) if situation.advice is None else situation.advice


def advice_in_force(situation: Situation) -> tuple[Advice, ...]:
    """In order, the advice after the first assessment on treatment, after each that changed what binds, and after the newest."""
    policy, first_on = situation.policy, situation.first_on
    table_speaks_of_severe = policy.guideline.severe_autonomic is not None
    fold = _Fold(situation)
    for assessment in situation.assessments:
        if assessment.on < first_on:
            continue
        severe = table_speaks_of_severe and severe_autonomic_signs(assessment, policy.thresholds.autonomic.severe)
        grade = worst_grade(assessment.sensory_grade, assessment.motor_grade)
        if grade is None and not severe:
            continue
        fold.see(assessment, grade or 0, severe)
    return fold.found()


def severe_autonomic_signs(assessment: Assessment, clause: SevereAutonomicSigns) -> bool:
    """A1: whether the assessment records what the policy takes for severe autonomic neuropathy."""
    if assessment.red_flags and not SEVERE_AUTONOMIC_FLAGS.isdisjoint(assessment.red_flags):
        return True
    if assessment.autonomic_grade is not None and assessment.autonomic_grade >= clause.grade:
        return True
    pressures = (assessment.systolic_lying, assessment.systolic_standing)
    return any(pressure is not None and pressure < clause.systolic_below_mmhg for pressure in pressures)


class _Branch(NamedTuple):
    """What one visit comes to, with or without pain."""

    table: DoseAction  # the table's answer to this visit alone
    action: DoseAction  # the answer in force
    standing: Standing
    persists: Answered | None


class _Given(NamedTuple):
    """The doses before a visit."""

    last: Dose | None
    previous: Dose | None  # the one before the last
    schedule: Schedule | None


class _Fold:
    """One walk over the assessments, oldest first. A visit about which nothing is to be said costs next to nothing."""

    __slots__ = (
        "_answers",
        "_baseline",
        "_doses_before",
        "_found",
        "_if_pain",
        "_motor_grade",
        "_newest",
        "_patient",
        "_sensory_grade",
        "_silent",
        "_situation",
        "_standing",
    )

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._patient = situation.history.patient
        self._baseline = (self._patient.baseline_sensory_grade or 0, self._patient.baseline_motor_grade or 0)
        self._silent = _silent_rows(situation.policy.guideline)
        self._answers: dict[tuple[object, ...], DoseAction] = {}
        self._standing = Standing()
        self._if_pain: Standing | None = None  # the other branch of the last visit, which waits for the answer
        self._sensory_grade: int | None = None  # last recorded
        self._motor_grade: int | None = None
        self._doses_before = 0
        self._found: list[Advice] = []
        self._newest: Advice | tuple[Assessment, int, bool] | None = None  # quiet visits wait as what they are made of

    def found(self) -> tuple[Advice, ...]:
        """The first advice, those that changed what binds, and the newest."""
        newest = self._newest
        if newest is not None:
            self._found.append(newest if isinstance(newest, Advice) else self._quiet(*newest))
            self._newest = None
        return tuple(self._found)

    def see(self, assessment: Assessment, grade: int, severe: bool) -> None:
        """One more visit; ``grade`` is the worst recorded, ``severe`` only where the table speaks of such signs."""
        sensory, motor = assessment.sensory_grade, assessment.motor_grade
        if sensory is not None:
            self._sensory_grade = sensory
        if motor is not None:
            self._motor_grade = motor
        pain = neuropathic_pain(assessment.neuropathic_pain, assessment.pain_nrs)
        baseline_sensory, baseline_motor = self._baseline
        above = severe or pain is True or (sensory or 0) > baseline_sensory or (motor or 0) > baseline_motor
        if severe or self._standing.hold is not None or (above and (grade, pain) not in self._silent):
            self._speak(assessment, grade, pain, severe, above)
        else:
            self._pass(assessment, grade, above)

    def _pass(self, assessment: Assessment, grade: int, above: bool) -> None:
        """A visit that the table is silent about, with nothing withheld."""
        self._improve(grade)
        if self._if_pain is None and self._found:
            self._newest = (assessment, grade, above)
        else:
            self._if_pain = self._newest = None
            self._found.append(self._quiet(assessment, grade, above))

    def _speak(self, assessment: Assessment, grade: int, pain: bool | None, severe: bool, above: bool) -> None:
        visit = Visit(
            assessment=assessment, grade=grade, sensory_grade=self._sensory_grade, motor_grade=self._motor_grade, pain=pain
        )
        given = self._given_before(assessment)
        branch = self._branch(visit, given, severe, above, pain is True)
        action, with_pain, improved = branch.action, None, is_silent(branch.table)
        if above and pain is None:
            other = self._branch(visit, given, severe, above, True)
            improved = improved and is_silent(other.table)
            if not same_answer(action, other.action):
                action, with_pain = ask(action, other.action), other.standing
            elif other.persists is not None and other.standing is not branch.standing:
                with_pain = other.standing  # advice that was followed before its question was answered
        before, asked_before = self._standing, self._if_pain
        self._standing, self._if_pain = branch.standing, with_pain
        if improved:
            self._improve(grade)
        advice = self._advice(visit, given, action, above, with_pain, branch.persists)
        if self._standing is before and with_pain is asked_before and self._found:
            self._newest = advice
        else:
            self._newest = None
            self._found.append(advice)

    def _branch(self, visit: Visit, given: _Given, severe: bool, above: bool, pain: bool) -> _Branch:
        """The table read with or without pain, unless the toxicity is the one that the advice in force answers."""
        table = self._table(visit.grade, pain, given, severe) if above else NOTHING
        before, if_pain = self._standing, self._if_pain
        lasting: Answered | None = None
        if table.kind in ("none", "reduce") and not is_silent(table):
            lasting = before.persisting(visit.grade, pain)
            if lasting is None and pain and if_pain is not None and self._was_followed(if_pain, given):
                lasting = if_pain.persisting(visit.grade, pain)
                before = before if lasting is None else if_pain
        if lasting is not None:
            action = NOTHING if self._was_followed(before, given) else before.still_advised()
            return _Branch(table, action, before, lasting)
        standing = before.after(visit, table, pain, self._situation.policy.thresholds.dose, self._patient)
        return _Branch(table, standing.answer(table), standing, None)

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

    def _improve(self, grade: int) -> None:
        """The table was silent: what it spoke of has improved, unless a worse grade was merely not recorded today."""
        if self._standing.answered and max(self._sensory_grade or 0, self._motor_grade or 0) <= grade:
            self._standing = replace(self._standing, answered=())

    def _given_before(self, assessment: Assessment) -> _Given:
        doses, place = self._situation.doses, self._doses_before
        while place < len(doses) and given_before(doses[place], assessment):
            place += 1
        self._doses_before = place
        newest = doses[max(0, place - 4) : place]  # schedule_from reads no more
        return _Given(
            newest[-1] if newest else None,
            newest[-2] if len(newest) > 1 else None,
            schedule_from(newest, self._situation.course),
        )

    def _quiet(self, assessment: Assessment, grade: int, above: bool) -> Advice:
        visit = Visit(
            assessment=assessment,
            grade=grade,
            sensory_grade=self._sensory_grade,
            motor_grade=self._motor_grade,
            pain=neuropathic_pain(assessment.neuropathic_pain, assessment.pain_nrs),
        )
        return self._advice(visit, self._given_before(assessment), self._standing.answer(NOTHING), above, None, None)

    def _advice(
        self,
        visit: Visit,
        given: _Given,
        action: DoseAction,
        above: bool,
        with_pain: Standing | None,
        persists: Answered | None,
    ) -> Advice:
        return Advice(
            assessment=visit.assessment,
            grade=visit.grade,
            pain=visit.pain,
            severe_autonomic=severe_autonomic_signs(visit.assessment, self._situation.policy.thresholds.autonomic.severe),
            above_baseline=above,
            present_dose=given.last,
            schedule=given.schedule,
            action=action,
            standing=self._standing,
            with_pain=with_pain,
            persists=persists,
        )


def _silent_rows(guideline: Guideline) -> frozenset[tuple[int, bool | None]]:
    """The grades and pains that the table says nothing to, whatever the dose; pain None where it does to neither."""
    rows = {
        (row.grade, row.pain)
        for row in guideline.rows
        if row.options and row.options[0].do == "none" and row.options[0].only_when == "any"
    }
    either = {(grade, None) for grade, pain in rows if pain and (grade, False) in rows}
    return frozenset((*rows, *either))
