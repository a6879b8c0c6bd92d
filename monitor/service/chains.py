"""The chain of who is told next about an alert: begun when it is told, ended when somebody takes it on or it closes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert
from monitor.clinical.synthetic import is_synthetic
from monitor.config.settings import Team
from monitor.service.opening import Site
from monitor.service.people import wait_after
from monitor.store import alerts as kept_alerts
from monitor.store import correspondence, escalations, outbox, withheld

NOBODY_AGAIN = timedelta(minutes=15)
"""Where nobody at all could be told, somebody may be on call by then."""


def begin(
    site: Site,
    connection: Connection,
    alerts: Sequence[Alert],
    *,
    team: Team,
    told_step: int,
    leaves_at: datetime,
    reached: bool = True,
) -> None:
    """These alerts were told, in mails that leave at ``leaves_at``: the next people are due unless somebody answers.

    A chain that runs already goes on as it is. Not ``reached``: nobody was there to tell, and it is soon tried again.
    Nobody is asked to answer for a synthetic patient.
    """
    running = escalations.waiting(connection, [alert.alert_id for alert in alerts if alert.alert_id is not None])
    steps = [
        escalations.Next(
            alert_id=alert.alert_id,
            raised_at=alert.raised_at,
            step=told_step + 1,
            due_at=leaves_at + (wait_after(site.settings, team, alert.urgency, told_step) if reached else NOBODY_AGAIN),
        )
        for alert in alerts
        if alert.alert_id is not None
        and alert.alert_id not in running
        and alert.state == "open"
        and not is_synthetic(alert.patient_id)
    ]
    escalations.add(connection, steps)


def end(connection: Connection, alert_ids: Collection[int], outcome: str, now: datetime) -> None:
    """Nobody is told next of these alerts, and nothing holds them back any more: worse, taken on, or closed."""
    if alert_ids:
        escalations.close(connection, alert_ids, outcome, now)
        withheld.release(connection, alert_ids, now)


def stand_down(connection: Connection, alert_ids: Collection[int], outcome: str, now: datetime) -> None:
    """As ``end``; and mails that wait, and speak of nothing else that is open, are not sent any more."""
    end(connection, alert_ids, outcome, now)
    outbox.cancel_reminders(connection, alert_ids, outcome, now)
    untried = [mail for mail in correspondence.untried(connection, alert_ids) if mail.kind in ("alert", *outbox.REMINDERS)]
    others = {alert_id for mail in untried for alert_id in mail.alert_ids} - set(alert_ids)
    still = {alert.alert_id for alert in kept_alerts.by_ids(connection, sorted(others)) if alert.state == "open"}
    moot = [mail.id for mail in untried if still.isdisjoint(mail.alert_ids)]
    if moot:
        outbox.cancel(connection, moot, outcome, now)
