"""What would have changed a finding's urgency: the nearest other records, each one really evaluated.

Nothing is derived from a threshold's text: a change is said only where the rules, asked about the changed record, answer
with another urgency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from monitor.clinical import what_if
from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Finding, Urgency
from monitor.clinical.history import History
from monitor.clinical.imagined import Record, WhatIf
from monitor.clinical.policy import Policy
from monitor.clinical.rules import RULES, assessment_overdue
from monitor.clinical.situation import situate
from monitor.clinical.words import URGENCIES
from monitor.said import Said, say

TRIED_AT_MOST = 20
"""So many small changes are evaluated for one finding, each in about a millisecond: a mail waits for them."""

Changes = Callable[[Record], Iterator[WhatIf]]

_MOTOR = (
    what_if.walking,
    what_if.grades,
    what_if.power,
    what_if.signs,
    what_if.grip,
    what_if.assessor,
    what_if.day,
    what_if.pain,
)
CHANGES: dict[str, tuple[Changes, ...]] = {
    "dose-modification": (what_if.pain, what_if.grades, what_if.mild, what_if.dose),
    "dose-against-advice": (what_if.dose, what_if.pain, what_if.grades),
    "rapid-motor-decline": _MOTOR,
    "worsening-after-discontinuation": _MOTOR,
    "relapse-after-treatment": _MOTOR,
    "immune-mediated-pattern": (what_if.tests, *_MOTOR),
    "autonomic-neuropathy": (what_if.signs, what_if.pressure, what_if.grades),
    "assessment-overdue": (what_if.seen_today, what_if.grades, what_if.pain, what_if.day, what_if.walking),
    "conflicting-record": (what_if.walking, what_if.grades, what_if.tests, what_if.power),
}
"""For each rule the small changes that are tried, in this order."""

LARGER: tuple[Changes, ...] = (what_if.one_step_better, what_if.as_before)
LEFT_OUT: tuple[Changes, ...] = (what_if.recorded,)
"""Tried where no small one turns it, and where no larger one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurningPoint:
    """One change of the newest record, and what the rule would say then. ``urgency`` None: it would not speak."""

    said: Said  # "with walking unaided: no alert"
    urgency: Urgency | None
    history: History = field(repr=False)  # the record with that change and no other


def turning_points(history: History, policy: Policy, now: datetime, finding: Finding) -> tuple[TurningPoint, ...]:
    """What would have made the finding more urgent, less, or none: for each other outcome the first change that makes it so.

    ``history`` is as known at ``now``. Where the rule no longer says what the finding says, that is told alone. Empty where
    no single change turns it. Less than twice TRIED_AT_MOST records are evaluated, but where the finding rests on very many.
    """
    now_is = _urgency(finding.rule, history, policy, now)
    if now_is is not finding.urgency:
        return (_point(WhatIf(said=say("by what is known now"), history=history), now_is, finding),)
    record = Record(history=history, policy=policy, now=now, finding=finding)
    found = _first_of_each(record, CHANGES.get(finding.rule, ()), outcomes=len(Urgency))
    found = found or _first_of_each(record, LARGER, outcomes=2) or _first_of_each(record, LEFT_OUT, outcomes=1)
    return tuple(sorted(found, key=_rank, reverse=True))


def _first_of_each(record: Record, makers: tuple[Changes, ...], *, outcomes: int) -> list[TurningPoint]:
    """For each other outcome the first change that leads to it, until there are so many."""
    finding, found = record.finding, dict[Urgency | None, TurningPoint]()
    changes = (change for make in makers for change in make(record))
    for change in islice(changes, TRIED_AT_MOST):
        urgency = _urgency(finding.rule, change.history, record.policy, record.now)
        if urgency is not finding.urgency and urgency not in found:
            found[urgency] = _point(change, urgency, finding)
            if len(found) == outcomes:
                break
    return list(found.values())


def _urgency(rule: str, history: History, policy: Policy, now: datetime) -> Urgency | None:
    """What one rule says of a record; one that reads the other rules' findings is asked with all of them."""
    if rule == assessment_overdue.NAME:
        found = evaluate(history, policy, now, explain=False).findings
        return next((finding.urgency for finding in found if finding.rule == rule), None)
    situation = situate(history.as_known_at(now), policy, now, explain=False)
    answer = None if situation is None else RULES[rule](situation)
    return None if answer is None or answer.finding is None else answer.finding.urgency


def _point(change: WhatIf, urgency: Urgency | None, finding: Finding) -> TurningPoint:
    return TurningPoint(said=_said(change.said, urgency, finding.urgency), urgency=urgency, history=change.history)


def _said(change: Said, urgency: Urgency | None, was: Urgency) -> Said:
    if urgency is None:
        return say("{change}: no alert", change=change)
    return say("{change}: {urgency} instead of {was}", change=change, urgency=URGENCIES[urgency], was=URGENCIES[was])


def _rank(point: TurningPoint) -> int:
    return -1 if point.urgency is None else point.urgency.rank
