"""What the site's guideline says about the next bortezomib dose, after the newest assessment.

It holds on the drug, until a dose that follows the advice was given; "withhold" and "discontinue" until the toxicity is
resolved or the drug stopped. The urgencies and the meaning of "resolved" are the policy's; the doses the guideline's.
"""

from __future__ import annotations

from monitor.clinical.advice import Advice, given_after
from monitor.clinical.advice_fold import advice_of
from monitor.clinical.dose_criteria import KNOWN_BASELINE, criteria_of, headline_of, table_answer
from monitor.clinical.dose_table import GRADE_NOT_RECORDED, is_silent
from monitor.clinical.findings import Criterion, Evidence, Finding, RuleAnswer, Urgency
from monitor.clinical.guideline import ActionKind, DoseAction
from monitor.clinical.history import Assessment
from monitor.clinical.policy import DoseRules
from monitor.clinical.situation import Situation
from monitor.said import say

NAME = "dose-modification"

NO_GRADE_YET = say("no sensory or motor grade, and no neuropathic pain, recorded since the first dose")

WEIGHTS: dict[ActionKind, int] = {"none": 0, "reduce": 2, "withhold": 4, "discontinue": 6}
"""Heavier speaks again. An unanswered question weighs just less than its worse branch: when the answer is that branch,
the nurse hears it; when it is the milder one, the first mail has said so already."""


def answer(situation: Situation) -> RuleAnswer:
    """The answer of the guideline with what it rests on; no finding where nothing is to be done."""
    if not situation.on_drug:
        stopped_on = situation.stopped_on or situation.today
        return _not_asked(situation, say("off bortezomib since the last dose on {day}: no next dose to change", day=stopped_on))
    newest = advice_of(situation).newest
    if newest is None:
        return _not_asked(situation, NO_GRADE_YET)
    action = newest.action
    if is_silent(action) and not newest.above_baseline and _table_would_speak(situation, newest):
        action = KNOWN_BASELINE
    followed = _was_followed(situation, newest)
    if followed and newest.ungraded:
        action, followed = GRADE_NOT_RECORDED, False
    silent = is_silent(action) or followed
    criteria = criteria_of(situation, newest, action) if situation.explain or not silent else ()
    if silent:
        return RuleAnswer(rule=NAME, criteria=criteria)
    finding = Finding(
        rule=NAME,
        urgency=_urgency(action, newest, situation.policy.thresholds.dose),
        clinical_at=newest.assessment.at,
        headline=headline_of(newest, action),
        action=action,
        criteria=criteria,
        evidence=_evidence(newest, action),
        missing=_missing(newest, action),
        weight=_weight(action),
        occasion=_occasion(newest, action),
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding)


def _table_would_speak(situation: Situation, newest: Advice) -> bool:
    """Whether the absolute grade alone would have been raised, had there been no neuropathy before bortezomib."""
    return newest.grade > 0 and not is_silent(table_answer(situation.policy.guideline, situation, newest))


def _was_followed(situation: Situation, newest: Advice) -> bool:
    """Whether a dose was given since that complies with the advice, in both branches where pain was not recorded."""
    if newest.action.kind not in ("reduce", "ask"):
        return False
    tolerance = situation.policy.thresholds.dose.tolerance_mg_per_m2
    branches = [newest.standing] if newest.with_pain is None else [newest.standing, newest.with_pain]
    if all(branch.cap_mg_per_m2 is None for branch in branches):
        return False
    for place, dose in enumerate(situation.doses):
        previous = situation.doses[place - 1] if place else None
        if given_after(dose, newest.assessment) and not any(branch.breaches(dose, previous, tolerance) for branch in branches):
            return True
    return False


def _urgency(action: DoseAction, newest: Advice, rules: DoseRules) -> Urgency:
    match action.kind:
        case "reduce":
            return rules.urgency_reduce
        case "withhold":
            return rules.urgency_withhold
        case "discontinue":
            return rules.urgency_discontinue
        case "ask":
            return rules.urgency_ask
        case _:
            if action is KNOWN_BASELINE:
                return rules.urgency_known_baseline
            return rules.urgency_no_lower_level if newest.grade else rules.urgency_ask  # pain, but no grade: ask for it


def _weight(action: DoseAction) -> int:
    if action.kind == "ask":
        return max(WEIGHTS[branch.kind] for branch in action.alternatives) - 1
    return WEIGHTS[action.kind]


def _given_by(newest: Advice, action: DoseAction) -> Assessment:
    """The assessment that the answer dates from: an earlier one where its advice is in force still."""
    since = newest.standing.since
    return since if since is not None and action.kind in ("reduce", "withhold", "discontinue") else newest.assessment


def _occasion(newest: Advice, action: DoseAction) -> str:
    """New advice or a new open question speaks again after an acknowledgement; the same advice at one more visit does not."""
    return _given_by(newest, action).fact_id if action.kind != "none" or newest.ungraded else ""


def _evidence(newest: Advice, action: DoseAction) -> tuple[Evidence, ...]:
    """The assessment, the earlier one that the advice dates from, and the present dose."""
    assessments = {each.version: each for each in (_given_by(newest, action), newest.assessment)}
    found = [Evidence(kind="assessment", id=each.fact_id, version=each.version, at=each.at) for each in assessments.values()]
    dose = newest.present_dose
    if dose is not None:
        found.append(Evidence(kind="dose", id=dose.fact_id, version=dose.version, at=dose.at))
    return tuple(found)


def _missing(newest: Advice, action: DoseAction) -> tuple[str, ...]:
    """What was not recorded and could make the answer another; nothing could after "discontinue"."""
    if action.kind == "discontinue":
        return ()
    assessment = newest.assessment
    recorded = {
        "neuropathic_pain": newest.pain,
        "dose_mg_per_m2": newest.present_dose,
        "sensory_grade": assessment.sensory_grade,
        "motor_grade": assessment.motor_grade,
    }
    return tuple(name for name, value in recorded.items() if value is None)


def _not_asked(situation: Situation, why: str) -> RuleAnswer:
    guideline = situation.policy.guideline
    return RuleAnswer(rule=NAME, criteria=(Criterion(id="dose-table", met=False, text=why, source=guideline.citation),))
