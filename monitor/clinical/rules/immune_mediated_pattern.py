"""immune-mediated-pattern: the neuropathy looks immune-mediated, I1. It asks for urgent neurology review, nothing more.

Needs a motor picture or CSF dissociation, and one supporting feature; the two together support each other (J). An early
onset alone never fires, negative antibodies never lower it, and no treatment is proposed.
"""

from __future__ import annotations

from monitor.clinical.findings import Finding, RuleAnswer
from monitor.clinical.immune_csf import csf_dissociation
from monitor.clinical.immune_features import motor_predominance, not_recorded, supporting
from monitor.clinical.motor_decline import motor_of
from monitor.clinical.situation import Situation
from monitor.said import joined, say

NAME = "immune-mediated-pattern"


def answer(situation: Situation) -> RuleAnswer:
    """I1 with each of its features."""
    clause, motor = situation.policy.thresholds.immune, motor_of(situation)
    leading = (motor_predominance(situation, motor), csf_dissociation(situation))
    if not situation.explain and not any(each.met for each in leading):
        return RuleAnswer(rule=NAME, criteria=())
    further = supporting(situation, motor)
    features = (*leading, *further)
    held = [each for each in features if each.met]
    if not any(each.met for each in leading) or not (all(each.met for each in leading) or any(each.met for each in further)):
        return RuleAnswer(rule=NAME, criteria=tuple(each.criterion for each in features) if situation.explain else ())
    criteria = tuple(each.criterion for each in features)
    finding = Finding(
        rule=NAME,
        urgency=clause.with_severe_motor if motor.severe else clause.urgency,
        clinical_at=max(each.newest.at for each in held if each.newest is not None),
        headline=say(
            "suspected immune-mediated neuropathy: {features}; urgent neurology review",
            features=joined(", ", (each.said for each in held)),
        ),
        action=None,
        criteria=criteria,
        evidence=tuple(dict.fromkeys(evidence for each in held for evidence in each.evidence)),
        missing=not_recorded(situation),
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding)
