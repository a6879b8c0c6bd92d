"""The dose advice in force after each assessment: nothing yet, a highest dose, withhold, or discontinue.

The table answers one assessment; advice outlives it. A lower dose stays until a worse answer (re-escalation is never
advised: no guideline describes it), withholding lasts until the toxicity is resolved, discontinuing is for good.
Where pain was not recorded both branches are kept: what holds in either is carried on, the other waits for the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.clinical.dose_table import ask, dose_action, same_answer
from monitor.clinical.guideline import DoseAction
from monitor.clinical.history import Assessment, Dose, Patient, Schedule
from monitor.clinical.policy import SevereAutonomicSigns
from monitor.clinical.scales.ctcae import neuropathic_pain, worst_grade
from monitor.clinical.situation import Situation, schedule_from
from monitor.clinical.standing import Standing, Visit

NOTHING = DoseAction(kind="none")
SEVERE_AUTONOMIC_FLAGS = frozenset({"syncope", "ileus", "urinary_retention"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The advice after one assessment that recorded a sensory or motor grade (or, where the table speaks of it, severe
    autonomic signs)."""

    assessment: Assessment
    grade: int  # worst of sensory and motor
    pain: bool | None
    severe_autonomic: bool
    above_baseline: bool  # else neither grade exceeds the one before bortezomib, and no pain was recorded
    present_dose: Dose | None  # the last one before the assessment
    schedule: Schedule | None
    action: DoseAction  # the answer in force: of this assessment, or an earlier one that outlives it
    standing: Standing  # what binds the next dose whatever was not recorded
    with_pain: Standing | None  # the other branch of ``ask``


def advice_in_force(situation: Situation) -> tuple[Advice, ...]:
    """The advice after each assessment since the first dose, in order of the assessments."""
    found: list[Advice] = []
    standing = Standing()
    sensory_grade = motor_grade = None
    doses_before = 0
    table_speaks_of_severe = situation.policy.guideline.severe_autonomic is not None
    for assessment in situation.assessments:
        if not situation.on_treatment(assessment):
            continue
        severe = severe_autonomic_signs(assessment, situation.policy.thresholds.autonomic.severe)
        grade = worst_grade(assessment.sensory_grade, assessment.motor_grade)
        if grade is None and not (severe and table_speaks_of_severe):
            continue
        while doses_before < len(situation.doses) and given_before(situation.doses[doses_before], assessment):
            doses_before += 1
        sensory_grade = sensory_grade if assessment.sensory_grade is None else assessment.sensory_grade
        motor_grade = motor_grade if assessment.motor_grade is None else assessment.motor_grade
        visit = Visit(
            assessment=assessment,
            sensory_grade=sensory_grade,
            motor_grade=motor_grade,
            pain=neuropathic_pain(assessment.neuropathic_pain, assessment.pain_nrs),
        )
        advice = _after(situation, standing, visit, grade or 0, severe, situation.doses[:doses_before])
        standing = advice.standing
        found.append(advice)
    return tuple(found)


def advice_before(advices: tuple[Advice, ...], dose: Dose) -> Advice | None:
    """The advice that was in force when a dose was given."""
    return next((advice for advice in reversed(advices) if given_after(dose, advice.assessment)), None)


def given_before(dose: Dose, assessment: Assessment) -> bool:
    """Whether the dose came first: an earlier day, or the same day where both have a time of day."""
    if dose.on != assessment.on:
        return dose.on < assessment.on
    return not dose.day_only and not assessment.day_only and dose.at < assessment.at


def given_after(dose: Dose, assessment: Assessment) -> bool:
    """Whether the dose came later: a later day, or the same day where both have a time of day."""
    if dose.on != assessment.on:
        return dose.on > assessment.on
    return not dose.day_only and not assessment.day_only and dose.at > assessment.at


def severe_autonomic_signs(assessment: Assessment, clause: SevereAutonomicSigns) -> bool:
    """A1: whether the assessment records what the policy takes for severe autonomic neuropathy."""
    if assessment.red_flags and not SEVERE_AUTONOMIC_FLAGS.isdisjoint(assessment.red_flags):
        return True
    if assessment.autonomic_grade is not None and assessment.autonomic_grade >= clause.grade:
        return True
    pressures = (assessment.systolic_lying, assessment.systolic_standing)
    return any(pressure is not None and pressure < clause.systolic_below_mmhg for pressure in pressures)


def _after(situation: Situation, before: Standing, visit: Visit, grade: int, severe: bool, doses: tuple[Dose, ...]) -> Advice:
    patient, rules = situation.history.patient, situation.policy.thresholds.dose
    above = (severe and situation.policy.guideline.severe_autonomic is not None) or _above_baseline(visit, patient)
    schedule = schedule_from(doses, situation.course)

    def table(pain: bool) -> DoseAction:
        return dose_action(
            situation.policy.guideline,
            grade=grade,
            pain=pain,
            current_dose_mg_per_m2=doses[-1].dose_mg_per_m2 if doses else None,
            schedule=schedule,
            severe_autonomic=severe,
            tolerance_mg_per_m2=rules.tolerance_mg_per_m2,
        )

    answer = table(visit.pain is True) if above else NOTHING
    standing = before.after(visit, answer, rules, patient)
    with_pain, action = None, standing.answer(answer)
    if above and visit.pain is None:
        other = table(True)
        with_pain = before.after(visit, other, rules, patient)
        if same_answer(action, with_pain.answer(other)):
            with_pain = None
        else:
            action = ask(action, with_pain.answer(other))
    return Advice(
        assessment=visit.assessment,
        grade=grade,
        pain=visit.pain,
        severe_autonomic=severe,
        above_baseline=above,
        present_dose=doses[-1] if doses else None,
        schedule=schedule,
        action=action,
        standing=standing,
        with_pain=with_pain,
    )


def _above_baseline(visit: Visit, patient: Patient) -> bool:
    """Whether there is more than before bortezomib: a higher grade, or neuropathic pain."""
    return (
        visit.pain is True
        or (visit.assessment.sensory_grade or 0) > (patient.baseline_sensory_grade or 0)
        or (visit.assessment.motor_grade or 0) > (patient.baseline_motor_grade or 0)
    )
