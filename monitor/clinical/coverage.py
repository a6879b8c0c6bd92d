"""Who should have been told, from the facts alone: the rules driven along the instants at which facts came in.

A replay asks what would have been said had every fact come in when the hospital knew it. This asks what had to be said
with what lay in the database. Of what was said in fact it is told nothing but who took something on, and when no round was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.clinical.alerts import Alert, Reason, Transition
from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Review, Urgency
from monitor.clinical.history import History
from monitor.clinical.lifecycle import ACTIVE, acknowledge, decide
from monitor.clinical.policy import Policy
from monitor.clinical.stored import Stored

GRACE = timedelta(minutes=15)
"""What came and went within this may lie between two rounds; what is younger than this may still be told."""

RAISES = frozenset({Reason.NEW, Reason.AGAIN, Reason.WORSE, Reason.NEW_OCCASION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No round was done between the two; what came in meanwhile, the round at ``until`` saw all at once."""

    after: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOn:
    """Somebody took on what a rule had said. Of those before the time in question only what was still in force is told."""

    rule: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Due:
    """Somebody had to be told at ``at``: a rule came to hold, or grew heavier.

    ``anew``: it had not held for longer than GRACE, so what was told before does not count. ``brief``: within GRACE it
    held no longer, or less heavily.
    """

    patient_id: str
    rule: str
    urgency: Urgency
    weight: int
    at: datetime
    reason: Reason
    anew: bool = False
    brief: bool = False

    @property
    def heaviness(self) -> tuple[int, int]:
        return self.urgency.rank, self.weight


def due_to_tell(
    stored: Stored,
    policy: Policy,
    *,
    since: datetime,
    until: datetime,
    pauses: Sequence[Pause] = (),
    taken_on: Iterable[TakenOn] = (),
) -> list[Due]:
    """All that had to be told of one patient between two instants, oldest first; at ``since``, whatever held then."""
    patient = _Patient(stored.history.patient_id, policy, sorted(taken_on, key=lambda each: each.at))
    changes = sorted({_seen_at(at, pauses) for at in stored.instants() if since < at < until} - {since} | {until})
    look_again_at = patient.look(stored.at(since), since)
    patient.take_on_what_held(since)
    for change in changes:
        while look_again_at is not None and (ahead := _seen_at(look_again_at, pauses)) < change:
            look_again_at = patient.look(stored.at(ahead), ahead)
        if change <= until:
            look_again_at = patient.look(stored.at(change), change)
    return patient.due


def _seen_at(at: datetime, pauses: Sequence[Pause]) -> datetime:
    """When a round could see what happened at ``at``."""
    return next((pause.until for pause in pauses if pause.after < at <= pause.until), at)


@dataclass(slots=True)
class _Patient:
    """The alerts as they had to be, look by look."""

    patient_id: str
    policy: Policy
    taken_on: list[TakenOn]
    due: list[Due] = field(default_factory=list)
    active: dict[str, Alert] = field(default_factory=dict)
    ceased_at: dict[str, datetime] = field(default_factory=dict)

    def look(self, history: History, now: datetime) -> datetime | None:
        """Evaluate at ``now`` what was stored then; when to look again."""
        review = evaluate(history, self.policy, now, explain=False)
        self._take_on(now)
        transitions = decide(tuple(self.active.values()), review, patient_id=self.patient_id, history=history, now=now)
        for transition in transitions:
            self._follow(transition, now)
        self._mark_brief(review, now)
        self._note_ceased({finding.rule for finding in review.findings}, now)
        return review.look_again_at

    def take_on_what_held(self, since: datetime) -> None:
        """What held at the beginning had been taken on before, as far as anything is known of that."""
        while self.taken_on and self.taken_on[0].at <= since:
            self._acknowledge(self.taken_on.pop(0))

    def _take_on(self, now: datetime) -> None:
        while self.due and self.taken_on and self.taken_on[0].at <= now:
            act = self.taken_on.pop(0)
            if act.rule in self.active and self.active[act.rule].raised_at <= act.at:
                self._acknowledge(act)

    def _acknowledge(self, act: TakenOn) -> None:
        alert = self.active.get(act.rule)
        if alert is not None:
            self._keep(acknowledge(alert, by="somebody", note=None, now=act.at))

    def _follow(self, transition: Transition, now: datetime) -> None:
        finding = transition.after.finding
        self._keep(transition.after)
        if transition.reason not in RAISES:
            return
        ceased_at = self.ceased_at.get(finding.rule)
        self.due.append(
            Due(
                patient_id=self.patient_id,
                rule=finding.rule,
                urgency=finding.urgency,
                weight=finding.weight,
                at=now,
                reason=transition.reason,
                anew=ceased_at is not None and now - ceased_at > GRACE,
            )
        )

    def _keep(self, alert: Alert) -> None:
        if alert.state in ACTIVE:
            self.active[alert.finding.rule] = alert
        else:
            self.active.pop(alert.finding.rule, None)

    def _mark_brief(self, review: Review, now: datetime) -> None:
        held = {finding.rule: (finding.urgency.rank, finding.weight) for finding in review.findings}
        for due in self.due:
            if due.at < now <= due.at + GRACE and held.get(due.rule, (-1, 0)) < due.heaviness:
                due.brief = True

    def _note_ceased(self, held: Collection[str], now: datetime) -> None:
        for rule in held:
            self.ceased_at.pop(rule, None)
        for rule in {due.rule for due in self.due} - set(held):
            self.ceased_at.setdefault(rule, now)
