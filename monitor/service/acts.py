"""What a person does to an alert: acknowledge it, or let it wait."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical import lifecycle
from monitor.clinical.alerts import Alert, AlertError
from monitor.errors import UsageError
from monitor.service.opening import Site
from monitor.store import alerts


def acknowledge(site: Site, alert_text: str, *, by: str, note: str | None, now: datetime) -> Alert:
    """Acknowledge ``A-12``. Raises UsageError for an alert that is not known or is closed already."""
    with site.database.write() as connection:
        before = _find(connection, alert_text)
        try:
            after = lifecycle.acknowledge(before, by=by, note=note, now=now)
        except AlertError as error:
            raise UsageError(f"{alert_text}: {error}") from None
        if after != before:
            alerts.record_act(connection, after, act="acknowledged", by=by, note=note, now=now)
    return after


def snooze(site: Site, alert_text: str, *, until: datetime, by: str, reason: str, now: datetime) -> Alert:
    """Let ``A-12`` wait. Raises UsageError for an unknown, closed or immediate alert, or too long a wait."""
    with site.database.write() as connection:
        before = _find(connection, alert_text)
        try:
            after = lifecycle.snooze(before, until=until, by=by, reason=reason, now=now)
        except AlertError as error:
            raise UsageError(f"{alert_text}: {error}") from None
        alerts.record_act(connection, after, act="snoozed", by=by, note=reason, now=now)
    return after


def _find(connection: Connection, alert_text: str) -> Alert:
    number = alerts.alert_id_of(alert_text)
    alert = None if number is None else alerts.by_id(connection, number)
    if alert is None:
        raise UsageError(f"no alert {alert_text[:40]!r} in this database; `bipn-monitor alerts --open` lists them, as A-12")
    return alert
