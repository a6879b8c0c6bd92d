"""Motor decline, M1-M12, computed once for the rules that read it.

Every clause is answered, met or not, with its values, dates and threshold. See docs/clinical.md for the codes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.clinical.motor_criteria import met, not_met
from monitor.clinical.motor_measures import Measures, measure, measures_after
from monitor.clinical.motor_picture import MotorCriterion, MotorPicture, named
from monitor.clinical.motor_signs import cord_signs, respiratory_bulbar_facial
from monitor.clinical.motor_strength import grip_fall, moderate_fall, muscle_fall, single_limb, small_fall, sum_fall
from monitor.clinical.motor_walking import (
    disability_or_aid,
    loss_of_walking,
    loss_of_walking_undated,
    motor_grade_rise,
    motor_grade_severe,
)
from monitor.clinical.situation import Situation
from monitor.said import say

RETEST = say("same-day and review findings of another assessor ask for a re-test")


def with_motor(situation: Situation) -> Situation:
    """The situation with its motor picture drawn, so that the rules that read it share one."""
    return replace(situation, motor=motor_picture(situation))


def motor_of(situation: Situation) -> MotorPicture:
    """The picture drawn for this evaluation, or a new one where nobody drew it."""
    return situation.motor or motor_picture(situation)


def motor_picture(situation: Situation) -> MotorPicture:
    """Every motor criterion at the newest record of its measure, and what was not recorded."""
    measures = measure(situation)
    criteria = _criteria(measures)
    return MotorPicture(
        criteria=criteria,
        after_stop=_after_stop(measures, criteria),
        missing=_missing(measures),
        newest=measures.newest,
        exam=measures.strength.exam,
    )


def _criteria(measures: Measures) -> tuple[MotorCriterion, ...]:
    moderate = (moderate_fall(measures), disability_or_aid(measures), motor_grade_rise(measures))
    in_company = any(each.met and not each.retest for each in moderate)
    criteria = (
        loss_of_walking(measures),
        loss_of_walking_undated(measures),
        respiratory_bulbar_facial(measures),
        muscle_fall(measures),
        sum_fall(measures),
        motor_grade_severe(measures),
        cord_signs(measures),
        *moderate,
        grip_fall(measures, in_company=in_company),
        small_fall(measures),
        single_limb(measures),
    )
    return (*criteria, _other_assessor(measures, criteria))


def _other_assessor(measures: Measures, criteria: tuple[MotorCriterion, ...]) -> MotorCriterion:
    """M12. It lowers those criteria, and never one that is immediate, nor walking or disability."""
    clause = measures.clauses.other_assessor
    lowered = [each for each in criteria if each.retest and each.met and each.code]
    if not lowered:
        return not_met(
            "other-assessor", "M12", clause, lambda: say("no finding rests on two assessors alone; {rule}", rule=RETEST)
        )
    names = named(lowered)
    return met(
        "other-assessor",
        "M12",
        clause,
        lambda: say("re-test, another assessor: {findings}; {rule}", findings=names, rule=RETEST),
        said=say("re-test, another assessor: {finding}", finding=lowered[0].said),
        seen=lowered[0].seen,
        began_on=lowered[0].began_on,
        evidence=lowered[0].evidence,
        urgency=clause.urgency,
        retest=True,
    )


def _after_stop(measures: Measures, criteria: tuple[MotorCriterion, ...]) -> tuple[MotorCriterion, ...]:
    """Criteria met by what came after the last dose, compared with the values in force at it.

    A decline before the stop that merely lasts is none after it. What is not met at all cannot be met by less.
    """
    stopped_on = measures.situation.stopped_on
    if stopped_on is None or not measures.newest or measures.newest[0].on <= stopped_on:
        return ()
    if not any(each.met for each in criteria):
        return ()
    after = _criteria(measures_after(measures, stopped_on))
    return tuple(each for each in after if each.met and each.seen is not None and each.seen.on > stopped_on)


def _missing(measures: Measures) -> tuple[str, ...]:
    """Measures without a reading within M1's window of the newest assessment; all where there is none."""
    if not measures.newest:
        return ("walking", "motor_grade", "mrc")
    oldest = measures.newest[0].on - timedelta(days=measures.clauses.loss_of_walking.within_days)
    exam = measures.strength.exam
    last_on = {
        "walking": [track.readings[0].on for track in (measures.mobility,) if track.readings],
        "motor_grade": [track.readings[0].on for track in measures.grades if track.readings],
        "mrc": [exam.on] if exam is not None else [],
    }
    return tuple(name for name, days in last_on.items() if not any(day >= oldest for day in days))
