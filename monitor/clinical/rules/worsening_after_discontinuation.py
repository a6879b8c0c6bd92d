"""worsening-after-discontinuation: worse after the last bortezomib dose, D1-D5.

Motor decline after the stop is never coasting: each motor criterion goes one tier up. Sensory worsening or neuropathic pain
that began soon after the stop may be coasting. The off-drug clock starts at the last administered dose.
``weight`` is the number of M1-M6 met after the stop. ``occasion`` is the first day of the newest worsening.
"""

from __future__ import annotations

from datetime import datetime

from monitor.clinical.after_stop import AfterStopCriterion, motor_after_stop, sensory_after_stop
from monitor.clinical.days import day_after
from monitor.clinical.findings import Finding, RuleAnswer
from monitor.clinical.motor_decline import motor_of
from monitor.clinical.recovery import not_recovering
from monitor.clinical.situation import Situation, soonest

NAME = "worsening-after-discontinuation"


def answer(situation: Situation) -> RuleAnswer:
    """D1-D5, or that the patient is on bortezomib."""
    if situation.on_drug and not situation.explain:
        return RuleAnswer(rule=NAME, criteria=())
    motor = motor_of(situation)
    clauses = (
        motor_after_stop(situation, motor.after_stop),
        *sensory_after_stop(situation),
        not_recovering(situation),
    )
    look_again_at = _look_again_at(situation)
    leading = max(
        (each for each in clauses if each.urgency is not None),
        key=lambda each: each.urgency.rank if each.urgency else -1,
        default=None,
    )
    criteria = tuple(each.criterion for each in clauses) if leading is not None or situation.explain else ()
    if leading is None or leading.urgency is None or leading.seen is None:
        return RuleAnswer(rule=NAME, criteria=criteria, look_again_at=look_again_at)
    finding = Finding(
        rule=NAME,
        urgency=leading.urgency,
        clinical_at=leading.seen.at,
        headline=leading.said,
        action=None,
        criteria=criteria,
        evidence=tuple(dict.fromkeys(evidence for each in clauses for evidence in each.evidence)),
        missing=motor.missing,
        weight=sum(each.severe and not each.retest for each in motor.after_stop),
        occasion=_occasion(clauses, leading),
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding, look_again_at=look_again_at)


def _occasion(clauses: tuple[AfterStopCriterion, ...], leading: AfterStopCriterion) -> str:
    days = [each.began_on for each in clauses if each.urgency is leading.urgency and each.began_on is not None]
    return max(days).isoformat() if days else ""


def _look_again_at(situation: Situation) -> datetime | None:
    """The day on which a state that lasts becomes "not recovering"."""
    if situation.stopped_on is None:
        return None
    after_days = situation.policy.thresholds.after_discontinuation.not_recovering.after_days
    return soonest(situation, day_after(situation.stopped_on, after_days, situation.policy.zone))
