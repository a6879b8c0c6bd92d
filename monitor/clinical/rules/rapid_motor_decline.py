"""rapid-motor-decline: motor function has fallen fast, M1-M12.

``weight`` is the number of M1-M6 that hold, so that each further severe sign speaks again. ``occasion`` is the first day of
the newest decline that counts, so that a visit that finds the same state again is the same event.
"""

from __future__ import annotations

from monitor.clinical.findings import Finding, RuleAnswer
from monitor.clinical.motor_decline import motor_of
from monitor.clinical.motor_picture import MotorCriterion, MotorPicture, most_urgent
from monitor.clinical.situation import Situation

NAME = "rapid-motor-decline"


def answer(situation: Situation) -> RuleAnswer:
    """Every motor criterion, and the most urgent of those that hold as the finding."""
    motor = motor_of(situation)
    leading = most_urgent(motor.criteria)
    criteria = tuple(each.criterion for each in motor.criteria) if leading is not None or situation.explain else ()
    if leading is None or leading.urgency is None or leading.seen is None:
        return RuleAnswer(rule=NAME, criteria=criteria)
    csf = any(lab.analyte == "csf_protein" and lab.on >= situation.first_on for lab in situation.history.labs)
    finding = Finding(
        rule=NAME,
        urgency=leading.urgency,
        clinical_at=leading.seen.at,
        headline=leading.said,
        action=None,
        criteria=criteria,
        evidence=tuple(dict.fromkeys(evidence for each in motor.met for evidence in each.evidence)),
        missing=motor.missing if csf else (*motor.missing, "csf_protein"),
        weight=len(motor.severe),
        occasion=_occasion(motor, leading),
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding)


def _occasion(motor: MotorPicture, leading: MotorCriterion) -> str:
    days = [each.began_on for each in motor.met if each.urgency is leading.urgency and each.began_on is not None]
    return max(days).isoformat() if days else ""
