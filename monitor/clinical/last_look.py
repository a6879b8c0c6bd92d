"""The last look at a patient's neuropathy since the first dose, and what it left to resolve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from monitor.clinical.history import NOT_TESTED, Assessment, Walking
from monitor.clinical.scales.ctcae import neuropathic_pain
from monitor.clinical.situation import Situation
from monitor.clinical.words import WALKING
from monitor.said import Said, say


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLook:
    """What the assessments that count since the first dose leave us with."""

    last: Assessment | None
    sensory_grade: int | None
    motor_grade: int | None
    walking: Walking | None
    pain: bool | None


def last_look(situation: Situation) -> LastLook:
    """The newest assessment that counts, and the newest value of each measure."""
    last: Assessment | None = None
    sensory: int | None = None
    motor: int | None = None
    walking: Walking | None = None
    pain: bool | None = None
    for assessment in reversed(situation.assessments):
        if assessment.on < situation.first_on:
            break
        if last is None and _counts(assessment):
            last = assessment
        sensory = assessment.sensory_grade if sensory is None else sensory
        motor = assessment.motor_grade if motor is None else motor
        walking = assessment.walking if walking is None else walking
        pain = neuropathic_pain(assessment.neuropathic_pain, assessment.pain_nrs) if pain is None else pain
        if None not in (sensory, motor, walking, pain):
            break
    return LastLook(last=last, sensory_grade=sensory, motor_grade=motor, walking=walking, pain=pain)


def _counts(assessment: Assessment) -> bool:
    return (
        assessment.sensory_grade is not None
        or assessment.motor_grade is not None
        or assessment.walking is not None
        or assessment.gbs_disability is not None
        or assessment.mrc != NOT_TESTED
    )


def unresolved(situation: Situation, state: LastLook) -> list[Said]:
    """What is still worse than before bortezomib."""
    patient = situation.history.patient
    left: list[Said] = []
    if (state.sensory_grade or 0) > (patient.baseline_sensory_grade or 0):
        left.append(say("sensory grade {grade}", grade=state.sensory_grade or 0))
    if (state.motor_grade or 0) > (patient.baseline_motor_grade or 0):
        left.append(say("motor grade {grade}", grade=state.motor_grade or 0))
    if state.walking is not None and state.walking != "unaided":
        left.append(say("walking {walking}", walking=WALKING[state.walking]))
    if state.pain:
        left.append(say("neuropathic pain"))
    return left


def last_on(situation: Situation, state: LastLook) -> date:
    """The day from which days without an assessment are counted."""
    return situation.first_on if state.last is None else state.last.on


def elapsed(situation: Situation, state: LastLook) -> Said:
    """How long nobody has looked."""
    days = (situation.today - last_on(situation, state)).days
    if state.last is None:
        return say("{days} days since the first dose", days=days)
    return say("{days} days since the last assessment", days=days)
