"""The dose advice after the newest assessment, and what bound each dose before.

How one advice follows from the one before it: advice_fold. What binds: standing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from monitor.clinical.guideline import DoseAction
from monitor.clinical.history import Assessment, Dose, Schedule
from monitor.clinical.standing import Answered, Standing


class Binding(NamedTuple):
    """What binds the doses after an assessment, until the next one that changes it."""

    assessment: Assessment
    pain: bool | None
    standing: Standing  # whatever was not recorded
    with_pain: Standing | None  # the other branch where pain was not recorded and matters


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The advice after one assessment that recorded a sensory or motor grade, or neuropathic pain without one (or, where
    the table speaks of it, severe autonomic signs)."""

    assessment: Assessment
    grade: int  # worst of sensory and motor
    pain: bool | None
    severe_autonomic: bool
    above_baseline: bool  # else neither grade exceeds the one before bortezomib, and no pain was recorded
    present_dose: Dose | None  # the last one before the assessment
    schedule: Schedule | None
    action: DoseAction  # the answer in force: of this assessment, or an earlier one that outlives it
    standing: Standing  # what binds the next dose, as in Binding
    with_pain: Standing | None
    persists: Answered | None  # the same toxicity, which the advice given on that day answers

    @property
    def ungraded(self) -> bool:
        """Whether no grade was recorded: ``grade`` is 0 then, and says nothing."""
        return self.assessment.sensory_grade is None and self.assessment.motor_grade is None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceInForce:
    """The advice over the whole course: what it is now, and what bound the doses."""

    newest: Advice | None  # None before the first assessment on treatment that recorded a grade or pain
    bindings: tuple[Binding, ...]  # oldest first: of the first assessment, and of each that changed what binds


def binding_before(bindings: tuple[Binding, ...], dose: Dose) -> Binding | None:
    """What bound a dose when it was given; None before the first assessment."""
    return next((binding for binding in reversed(bindings) if given_after(dose, binding.assessment)), None)


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
