"""The newest bortezomib dose was given against the advice in force: too high, while withheld, or after "discontinue".

Advice binds the doses strictly after the assessment that gave it. Where pain was not recorded a dose is against the
advice only if it is against both branches.
"""

from __future__ import annotations

from monitor.clinical.advice import Binding, binding_before, given_after
from monitor.clinical.advice_fold import advice_of
from monitor.clinical.dose_words import in_words, mg_per_m2
from monitor.clinical.findings import Criterion, Evidence, Finding, RuleAnswer
from monitor.clinical.guideline import DoseAction
from monitor.clinical.history import Assessment, Dose
from monitor.clinical.situation import Situation
from monitor.clinical.standing import ABOVE_LEVEL, AFTER_DISCONTINUE, BEFORE_RESOLVED, WHILE_WITHHELD
from monitor.said import say

NAME = "dose-against-advice"

WEIGHTS = {ABOVE_LEVEL: 1, WHILE_WITHHELD: 2, BEFORE_RESOLVED: 2, AFTER_DISCONTINUE: 3}
"""Heavier speaks again: a dose after "discontinue" outweighs one above the advised level."""

CLAUSES = {
    ABOVE_LEVEL: say("a dose above the advised level"),
    WHILE_WITHHELD: say("a dose while the drug is withheld"),
    BEFORE_RESOLVED: say("the drug given again before the toxicity has resolved"),
    AFTER_DISCONTINUE: say("a dose after the advice to discontinue"),
}
"""What each criterion looks for."""


def answer(situation: Situation) -> RuleAnswer:
    """The four criteria for the last dose; the finding lists every dose against the same advice."""
    last = situation.last_dose
    if last is None or not situation.on_drug:
        return RuleAnswer(rule=NAME, criteria=_criteria(situation, (), _no_next_dose(last)))
    bindings = advice_of(situation).bindings
    binding = binding_before(bindings, last)
    if binding is None:
        dose = mg_per_m2(last.dose_mg_per_m2)
        text = say("{dose} on {day}; no assessment with a grade between the first dose and it", dose=dose, day=last.on)
        return RuleAnswer(rule=NAME, criteria=_criteria(situation, (), text))
    met = _breaches(situation, binding, len(situation.doses) - 1)
    if not met and not situation.explain:
        return RuleAnswer(rule=NAME, criteria=())
    standing = binding.standing
    if standing.since is None:
        text = say("{dose} on {day}; nothing advised by then", dose=mg_per_m2(last.dose_mg_per_m2), day=last.on)
        return RuleAnswer(rule=NAME, criteria=_criteria(situation, met, text))
    said = _against(last, standing.since, standing.action)
    criteria = _criteria(situation, met, said, compared=True)
    if not met:
        return RuleAnswer(rule=NAME, criteria=criteria)
    doses = _against_the_same(situation, bindings, standing.since)
    given_by = standing.since
    finding = Finding(
        rule=NAME,
        urgency=situation.policy.thresholds.dose.urgency_against_advice,
        clinical_at=last.at,
        headline=said,
        action=None,
        criteria=criteria,
        evidence=(
            Evidence(kind="assessment", id=given_by.fact_id, version=given_by.version, at=given_by.at),
            *(Evidence(kind="dose", id=dose.fact_id, version=dose.version, at=dose.at) for dose in doses),
        ),
        missing=("neuropathic_pain",) if binding.pain is None and not standing.discontinued else (),
        weight=max(WEIGHTS[each] for each in met),
        occasion=last.fact_id,
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding)


def _no_next_dose(last: Dose | None) -> str:
    return say("no bortezomib dose recorded") if last is None else say("off bortezomib since the last dose on {day}", day=last.on)


def _against(last: Dose, since: Assessment, action: DoseAction) -> str:
    return say(
        "{dose} given on {given_on}; advice since {since}: {advice}",
        dose=mg_per_m2(last.dose_mg_per_m2),
        given_on=last.on,
        since=since.on,
        advice=in_words(action),
    )


def _breaches(situation: Situation, binding: Binding, place: int) -> tuple[str, ...]:
    """The criteria that the dose at ``place`` meets under ``binding``."""
    tolerance = situation.policy.thresholds.dose.tolerance_mg_per_m2
    dose, previous = situation.doses[place], situation.doses[place - 1] if place else None
    if binding.with_pain is not None and not binding.with_pain.breaches(dose, previous, tolerance):
        return ()
    return binding.standing.breaches(dose, previous, tolerance)


def _against_the_same(situation: Situation, bindings: tuple[Binding, ...], since: Assessment) -> tuple[Dose, ...]:
    """The doses against the advice that was given at ``since``, which the last dose was against, oldest first."""
    found: list[Dose] = []
    earlier = list(bindings)
    for place in range(len(situation.doses) - 1, -1, -1):
        dose = situation.doses[place]
        while earlier and not given_after(dose, earlier[-1].assessment):
            earlier.pop()
        if not earlier or earlier[-1].standing.since is not since:
            break  # advice changes for good: what came before was given against another, or none
        if _breaches(situation, earlier[-1], place):
            found.append(dose)
    return tuple(reversed(found))


def _criteria(situation: Situation, met: tuple[str, ...], text: str, *, compared: bool = False) -> tuple[Criterion, ...]:
    """All four with the same facts; each names what it looks for where a dose was ``compared`` with advice."""
    rules = situation.policy.thresholds.dose
    source = f"{situation.policy.guideline.citation}; {rules.source} [{rules.confidence}]"
    return tuple(
        Criterion(
            id=each,
            met=each in met,
            text=say("{clause}: {facts}", clause=clause, facts=text) if compared else text,
            source=source,
        )
        for each, clause in CLAUSES.items()
    )
