"""The grades before bortezomib: those recorded with the patient, or else of the last assessment before the first dose (J)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from monitor.clinical.history import Assessment, History
from monitor.said import say

_DAY = attrgetter("on")


class StandIns(NamedTuple):
    """The assessment whose grade stands in for each baseline; None where that was recorded, or no grade was before."""

    sensory_grade: Assessment | None = None
    motor_grade: Assessment | None = None


NO_STAND_INS = StandIns()


def stand_ins(history: History, first_on: date) -> StandIns:
    """The last assessment strictly before the day of the first dose, for each grade whose baseline was not recorded."""
    patient = history.patient
    before = history.assessments[: bisect_left(history.assessments, first_on, key=_DAY)]
    if not before:
        return NO_STAND_INS
    return StandIns(
        _last(before, "sensory_grade") if patient.baseline_sensory_grade is None else None,
        _last(before, "motor_grade") if patient.baseline_motor_grade is None else None,
    )


def with_stand_ins(history: History, found: StandIns) -> History:
    """The history of a patient whose empty baselines are filled."""
    sensory, motor = found
    if sensory is None and motor is None:
        return history
    patient = history.patient
    filled = replace(
        patient,
        baseline_sensory_grade=patient.baseline_sensory_grade if sensory is None else sensory.sensory_grade,
        baseline_motor_grade=patient.baseline_motor_grade if motor is None else motor.motor_grade,
    )
    return replace(history, patients=(*history.patients[:-1], filled))


def origin(stand_in: Assessment) -> str:
    """Where a baseline that was not recorded comes from, in words."""
    return say("assessment of {day}, before the first dose", day=stand_in.on)


def _last(assessments: tuple[Assessment, ...], name: str) -> Assessment | None:
    read = attrgetter(name)
    return next((each for each in reversed(assessments) if read(each) is not None), None)
