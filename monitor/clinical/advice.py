"""The dose advice after an assessment, and which advice was in force when a dose was given.

How one advice follows from the one before it: advice_fold. What binds: standing.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.clinical.guideline import DoseAction
from monitor.clinical.history import Assessment, Dose, Schedule
from monitor.clinical.standing import Answered, Standing


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
    with_pain: Standing | None = None  # the other branch where pain was not recorded and matters
    persists: Answered | None = None  # the same toxicity, which the advice given on that day answers


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
