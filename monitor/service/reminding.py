"""One mail to one reader about all that waits for an answer. What he has not been sent yet is not sent beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert
from monitor.config.settings import Recipient
from monitor.delivery.lists import Unanswered, reminder_facts
from monitor.service.mailing import Letter, mail_site, queue_letter, records_of
from monitor.service.opening import Site
from monitor.service.people import team_of
from monitor.store import alerts as kept_alerts
from monitor.store import correspondence, escalations, outbox

REPLACED = "replaced by a later reminder"


def queue_reminder(
    site: Site, connection: Connection, recipient: Recipient, unanswered: Sequence[Unanswered], now: datetime
) -> int:
    """One reminder of all of these, and of what earlier reminders say that wait still; how many messages that made."""
    earlier = correspondence.waiting_reminders(connection, recipient.address)
    known = {each.alert.alert_id for each in unanswered}
    forgotten = sorted({alert_id for mail in earlier for alert_id in mail.alert_ids} - known)
    whole = [*unanswered, *(_again(alert) for alert in kept_alerts.by_ids(connection, forgotten) if alert.state == "open")]
    outbox.cancel(connection, [mail.id for mail in earlier], REPLACED, now)
    records = records_of(site, connection, {each.alert.patient_id for each in whole})
    for patient_id in records:
        outbox.let_go(connection, "alert", patient_id, now, address=recipient.address)
    ids = [each.alert.alert_id for each in whole if each.alert.alert_id is not None]
    waiting = escalations.waiting(connection, ids)
    lead = max((each.alert for each in whole), key=lambda alert: alert.urgency.rank)
    team = team_of(site.settings, records[lead.patient_id].patient)
    facts = reminder_facts(
        whole,
        site=mail_site(site, team.name),
        histories=records,
        again_at=min((row.due_at for row in waiting.values()), default=now),
        now=now,
    )
    patients = set(records)
    letter = Letter(
        kind="reminder",
        facts=facts,
        alerts=tuple(each.alert for each in whole),
        patient_id=patients.pop() if len(patients) == 1 else None,
    )
    return queue_letter(site, connection, letter, [recipient], now)


def remind_anew(
    site: Site, connection: Connection, cancelled: correspondence.Untried, left: Sequence[Alert], now: datetime
) -> int:
    """A reminder in the place of one that was cancelled because some of it no longer holds."""
    if not left:
        return 0
    recipient = Recipient(name=cancelled.name, address=cancelled.address, language="en")
    return queue_reminder(site, connection, recipient, [_again(alert) for alert in left], now)


def _again(alert: Alert) -> Unanswered:
    return Unanswered(alert=alert, since=alert.raised_at, passed_on=False, told_before=())
