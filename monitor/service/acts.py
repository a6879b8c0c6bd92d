"""What a person does to an alert: acknowledge it, or let it wait. Whatever waits to be told to others ends or waits with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from monitor.clinical import lifecycle
from monitor.clinical.alerts import Alert, AlertError
from monitor.errors import UsageError
from monitor.said import say
from monitor.service import chains
from monitor.service.ack_kinds import SEEN, AckKind, refuse_other_days
from monitor.service.opening import Site
from monitor.store import alerts, escalations, journal, outbox, withheld

How = Literal["command", "mail", "board"]

LONGEST_TEXT = 500
"""Characters of a note or a reason, as in an answer by mail."""


class ChangedSinceError(UsageError):
    """Somebody answers for what he has not seen: the alert has spoken anew since his page was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and how; ``address`` where it is known."""

    name: str
    how: How = "command"
    address: str | None = None


def acknowledge(
    site: Site,
    alert_text: str,
    *,
    by: str,
    note: str | None,
    now: datetime,
    what: AckKind = SEEN,
    how: How = "command",
    address: str | None = None,
    seen_of: datetime | None = None,
    also: Mapping[str, datetime] | None = None,
) -> Alert:
    """Acknowledge ``A-12``. The first acknowledgement stands: who it was stands in the alert that comes back.

    ``seen_of`` is when the alert had last spoken on the page that is answered; ``also`` are others of the same patient, each
    with that instant, which get the same answer where they are open still. Raises UsageError for an alert that is not known
    or is closed already, and ChangedSinceError, for all of them, where one spoke since that page.
    """
    actor = Actor(name=by, how=how, address=address)
    refuse_other_days(what, now.astimezone(site.settings.time_zone).date())
    with site.database.write("acknowledge") as connection:
        before = find(connection, alert_text)
        refuse_unseen(before, seen_of)
        others = _others(connection, before, also or {})
        try:
            after = take_on(connection, before, actor, note=note, now=now, what=what)
        except AlertError as error:
            raise refused(alert_text, error) from None
        for each in others:
            take_on(connection, each, actor, note=note, now=now, what=what)
        return after


def _others(connection: Connection, alert: Alert, also: Mapping[str, datetime]) -> list[Alert]:
    """The further alerts of the same patient that are open still. Raises UsageError for one of somebody else."""
    found = [(find(connection, name), seen_of) for name, seen_of in also.items()]
    for each, seen_of in found:
        if each.patient_id != alert.patient_id:
            raise UsageError(say("these alerts are not of one patient; answer for each by itself"))
        refuse_unseen(each, seen_of)
    return [each for each, _ in found if each.state == "open" and each.alert_id != alert.alert_id]


def take_on(
    connection: Connection, before: Alert, actor: Actor, *, note: str | None, now: datetime, what: AckKind = SEEN
) -> Alert:
    """Acknowledge an alert in the caller's transaction: nobody else is told, no reminder goes.

    The first acknowledgement stands; another one changes nothing. Raises AlertError for an alert that is closed.
    """
    after = lifecycle.acknowledge(before, by=actor.name, note=note, now=now)
    if after != before:
        record(connection, after, "acknowledged", actor, note=note, now=now, what=str(what))
        chains.stand_down(connection, ids(after), "acknowledged", now)
    return after


def snooze(
    site: Site,
    alert_text: str,
    *,
    until: datetime,
    by: str,
    reason: str,
    now: datetime,
    how: How = "command",
    address: str | None = None,
    seen_of: datetime | None = None,
) -> Alert:
    """Let ``A-12`` wait. Raises UsageError for an unknown, closed or immediate alert, or too long a wait.

    Whoever would be told next is told when the snooze ends, not before. ``seen_of`` as for ``acknowledge``.
    """
    with site.database.write("snooze") as connection:
        before = find(connection, alert_text)
        refuse_unseen(before, seen_of)
        try:
            after = lifecycle.snooze(before, until=until, by=by, reason=reason, now=now)
        except AlertError as error:
            raise refused(alert_text, error) from None
        record(connection, after, "snoozed", Actor(name=by, how=how, address=address), note=reason, now=now)
        theirs = ids(after)
        early = [row.id for row in escalations.waiting(connection, theirs).values() if row.due_at < until]
        escalations.put_off(connection, early, until)
        outbox.cancel_reminders(connection, theirs, "snoozed", now)
        withheld.withhold(connection, theirs, since=now, until=until, owner=by, reason=reason)
    return after


def record(
    connection: Connection,
    alert: Alert,
    act: str,
    actor: Actor,
    *,
    note: str | None,
    now: datetime,
    what: str | None = None,
    told_next: tuple[str, ...] = (),
) -> None:
    """Keep what somebody did: with the alert, and in the journal."""
    alerts.record_act(connection, alert, act=act, by=actor.name, note=note, what=what, now=now)
    name = f"A-{alert.alert_id}"
    body = {
        "alert": name,
        "patient_id": alert.patient_id,
        "act": act,
        "what": what,
        "by": actor.name,
        "address": actor.address,
        "how": actor.how,
        "note": note,
        "until": alert.snoozed_until,
        "told_next": list(told_next),
    }
    journal.append(connection, now, journal.Entry("act", name, body))


def ids(alert: Alert) -> list[int]:
    """The alert's number, as what takes several wants it."""
    return [] if alert.alert_id is None else [alert.alert_id]


def find(connection: Connection, alert_text: str) -> Alert:
    """The alert that ``A-12`` names. Raises UsageError."""
    number = alerts.alert_id_of(alert_text)
    alert = None if number is None else alerts.by_id(connection, number)
    if alert is None:
        raise UsageError(f"no alert {alert_text[:40]!r} in this database; `bipn-monitor alerts --open` lists them, as A-12")
    return alert


def refuse_unseen(alert: Alert, seen_of: datetime | None) -> None:
    """Raises ChangedSinceError where the alert has spoken since the page that is answered."""
    if seen_of is not None and seen_of != alert.raised_at:
        raise ChangedSinceError(say("the alert has changed since this page was shown; look at it as it is now"))


def refused(alert_text: str, error: AlertError) -> UsageError:
    """What the alert's state does not allow, as it is told to whoever tried."""
    return UsageError(say("{alert}: {problem}", alert=alert_text, problem=error.args[0]))
