"""What a person does to an alert: acknowledge it, or let it wait. Whatever waits to be told to others ends or waits with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical import lifecycle
from monitor.clinical.alerts import Alert, AlertError
from monitor.errors import UsageError
from monitor.service import chains
from monitor.service.opening import Site
from monitor.store import alerts, escalations, journal, outbox, withheld


def acknowledge(site: Site, alert_text: str, *, by: str, note: str | None, now: datetime) -> Alert:
    """Acknowledge ``A-12``. Raises UsageError for an alert that is not known or is closed already."""
    with site.database.write("acknowledge") as connection:
        before = _find(connection, alert_text)
        try:
            return take_on(connection, before, by=by, note=note, now=now)
        except AlertError as error:
            raise UsageError(f"{alert_text}: {error}") from None


def take_on(connection: Connection, before: Alert, *, by: str, note: str | None, now: datetime) -> Alert:
    """Acknowledge an alert in the caller's transaction: nobody else is told, no reminder goes.

    The first acknowledgement stands; another one changes nothing. Raises AlertError for an alert that is closed.
    """
    after = lifecycle.acknowledge(before, by=by, note=note, now=now)
    if after != before:
        _act(connection, after, "acknowledged", by=by, note=note, now=now)
        chains.stand_down(connection, _ids(after), "acknowledged", now)
    return after


def snooze(site: Site, alert_text: str, *, until: datetime, by: str, reason: str, now: datetime) -> Alert:
    """Let ``A-12`` wait. Raises UsageError for an unknown, closed or immediate alert, or too long a wait.

    Whoever would be told next is told when the snooze ends, not before.
    """
    with site.database.write("snooze") as connection:
        before = _find(connection, alert_text)
        try:
            after = lifecycle.snooze(before, until=until, by=by, reason=reason, now=now)
        except AlertError as error:
            raise UsageError(f"{alert_text}: {error}") from None
        _act(connection, after, "snoozed", by=by, note=reason, now=now)
        theirs = _ids(after)
        early = [row.id for row in escalations.waiting(connection, theirs).values() if row.due_at < until]
        escalations.put_off(connection, early, until)
        outbox.cancel_reminders(connection, theirs, "snoozed", now)
        withheld.withhold(connection, theirs, since=now, until=until, owner=by, reason=reason)
    return after


def _act(connection: Connection, alert: Alert, act: str, *, by: str, note: str | None, now: datetime) -> None:
    alerts.record_act(connection, alert, act=act, by=by, note=note, now=now)
    name = f"A-{alert.alert_id}"
    body = {"alert": name, "patient_id": alert.patient_id, "act": act, "by": by, "note": note, "until": alert.snoozed_until}
    journal.append(connection, now, journal.Entry("act", name, body))


def _ids(alert: Alert) -> list[int]:
    return [] if alert.alert_id is None else [alert.alert_id]


def _find(connection: Connection, alert_text: str) -> Alert:
    number = alerts.alert_id_of(alert_text)
    alert = None if number is None else alerts.by_id(connection, number)
    if alert is None:
        raise UsageError(f"no alert {alert_text[:40]!r} in this database; `bipn-monitor alerts --open` lists them, as A-12")
    return alert
