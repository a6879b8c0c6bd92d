"""What happened to a patient's alerts, in words, the newest first: raised, taken on, put off, passed on, closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.said import say
from monitor.service.ack_kinds import words_of
from monitor.service.said_again import said_again
from monitor.store.alerts import AlertEvent
from monitor.store.escalations import Done
from monitor.store.withheld import Withheld

_REASONS = {
    "new": say("raised"),
    "again": say("raised again: it had ceased to hold"),
    "worse": say("became worse"),
    "new-occasion": say("another event of the same kind"),
    "more-evidence": say("more evidence of the same"),
    "no-longer-holds": say("no longer holds; waits for an acknowledgement"),
    "resolved": say("closed: it no longer holds"),
    "corrected-lower": say("the record was corrected; less remains"),
    "withdrawn": say("withdrawn: the record was corrected"),
    "merged": say("closed: the record became part of another one; what holds is told there"),
    "acknowledged": say("acknowledged"),
    "snoozed": say("snoozed"),
    "passed-on": say("passed on by hand"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One line of the history. ``by`` and ``note`` are a person's."""

    number: int
    at: datetime
    what: str
    by: str | None = None
    note: str | None = None
    until: datetime | None = None


def happened(events: Sequence[AlertEvent], passed: Iterable[Done], held: Iterable[Withheld]) -> tuple[Happened, ...]:
    """All three in one list; a snooze, which is among the events and among what is held back, once."""
    lines = [Happened(number=each.alert_id, at=each.at, what=_what(each), by=each.by, note=each.note) for each in events]
    by_hand = {(each.alert_id, each.at) for each in events}
    lines += [
        Happened(number=each.alert_id, at=each.done_at, what=say("nobody had answered: step {step} was told", step=each.step))
        for each in passed
        if "told " in each.outcome
    ]
    lines += [
        Happened(
            number=each.alert_id,
            at=each.since,
            what=say("held back"),
            by=said_again(each.owner),
            note=said_again(each.reason),
            until=each.until,
        )
        for each in held
        if (each.alert_id, each.since) not in by_hand
    ]
    return tuple(sorted(lines, key=lambda line: (line.at, line.number), reverse=True))


def _what(event: AlertEvent) -> str:
    """What happened, and what a person said was done."""
    what, done = _REASONS.get(event.reason, event.reason), words_of(event.what)
    return what if done is None else say("{what}: {done}", what=what, done=done)
