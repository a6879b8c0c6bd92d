"""What the guidelines that the site does not follow would answer to the same question."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.clinical.findings import Finding
from monitor.clinical.guideline import DoseAction, Guideline
from monitor.clinical.history import History
from monitor.clinical.policy import Policy
from monitor.clinical.rules import autonomic_neuropathy, dose_modification
from monitor.clinical.situation import situate
from monitor.clinical.words import sentence

SEVERE = "severe-autonomic-signs"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherAnswer:
    """One guideline's answer. ``same``: it is the answer of the site's guideline, dose and schedule included."""

    guideline: str  # its title
    action: DoseAction
    same: bool


def other_answers(history: History, policy: Policy, now: datetime, findings: Iterable[Finding]) -> tuple[OtherAnswer, ...]:
    """The others' answers where a finding asks about the next dose; empty where none does.

    ``history`` is as known at ``now``. A severe autonomic sign asks those guidelines alone that have an answer to it.
    """
    found = {finding.rule: finding for finding in findings}
    dose, autonomic = found.get(dose_modification.NAME), found.get(autonomic_neuropathy.NAME)
    if dose is not None and dose.action is not None:
        ours = _key(dose.action)
        actions = ((other, _action(history, policy, other, now)) for other in policy.others)
        return tuple(OtherAnswer(guideline=other.title, action=action, same=_key(action) == ours) for other, action in actions)
    if autonomic is not None and any(each.met and each.id == SEVERE for each in autonomic.criteria):
        return tuple(
            OtherAnswer(guideline=other.title, action=_severe(other), same=policy.guideline.severe_autonomic is not None)
            for other in policy.others
            if other.severe_autonomic is not None
        )
    return ()


def _action(history: History, policy: Policy, other: Guideline, now: datetime) -> DoseAction:
    situation = situate(history, replace(policy, guideline=other, others=()), now, explain=False)
    finding = None if situation is None else dose_modification.answer(situation).finding
    return DoseAction(kind="none") if finding is None or finding.action is None else finding.action


def _severe(guideline: Guideline) -> DoseAction:
    text = "" if guideline.severe_autonomic is None else guideline.severe_autonomic.text
    return DoseAction(kind="discontinue", note=sentence(text))


def _key(action: DoseAction) -> tuple[object, ...]:
    """What an action comes to, without its words."""
    doses = (action.dose_mg_per_m2, action.schedule, action.restart_dose_mg_per_m2, action.restart_schedule)
    return action.kind, doses, tuple(_key(each) for each in action.alternatives)
