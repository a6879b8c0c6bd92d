"""One mail to one reader about all that waits for an answer. What he has not been sent yet is not sent beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert
from monitor.clinical.history import History
from monitor.clinical.situation import Situation, situate
from monitor.config.settings import Recipient
from monitor.delivery.left_out import or_without
from monitor.delivery.lists import REMINDED_AT_LENGTH, Unanswered, most_urgent_first, reminder_facts
from monitor.service.mailing import Letter, mail_site, queue_letter, records_of
from monitor.service.opening import Site
from monitor.service.people import recipient_known, team_of, told_from
from monitor.store import alerts as kept_alerts
from monitor.store import arrivals, correspondence, escalations, histories, outbox
from monitor.store.escalations import Waiting

REPLACED = "replaced by a later reminder"


def queue_reminder(
    site: Site, connection: Connection, recipient: Recipient, unanswered: Sequence[Unanswered], now: datetime
) -> int:
    """One mail of all of these, and of what earlier ones say that wait still; how many messages that made.

    An escalation where the reader hears of some of it for the first time, else a reminder.
    """
    earlier = correspondence.waiting_reminders(connection, recipient.address)
    known = {each.alert.alert_id for each in unanswered}
    forgotten = sorted({alert_id for mail in earlier for alert_id in mail.alert_ids} - known)
    whole = [*unanswered, *(_again(alert) for alert in kept_alerts.by_ids(connection, forgotten) if alert.state == "open")]
    outbox.cancel(connection, [mail.id for mail in earlier], REPLACED, now)
    named_first = {alert_id for mail in earlier if mail.kind == "escalation" for alert_id in mail.alert_ids}
    whole = _still_new(connection, recipient, whole, named_first)
    records = records_of(site, connection, {each.alert.patient_id for each in whole})
    for patient_id in records:
        outbox.let_go(connection, "alert", patient_id, now, address=recipient.address)
    ids = [each.alert.alert_id for each in whole if each.alert.alert_id is not None]
    waiting = escalations.waiting(connection, ids)
    whole = _with_what_a_first_reader_needs(site, connection, whole, records, waiting, now)
    lead = max((each.alert for each in whole), key=lambda alert: alert.urgency.rank)
    team = team_of(site.settings, records[lead.patient_id].patient)
    facts = reminder_facts(
        whole,
        site=mail_site(site, team.name),
        histories=records,
        again_at=min((row.due_at for row in waiting.values()), default=now),
        now=now,
        received_at=arrivals.newest_of(connection, [each.alert for each in whole]),
    )
    patients = set(records)
    letter = Letter(
        kind="escalation" if facts.passed_on else "reminder",
        facts=facts,
        alerts=tuple(each.alert for each in whole),
        patient_id=patients.pop() if len(patients) == 1 else None,
    )
    return queue_letter(site, connection, letter, [recipient], now)


def remind_anew(
    site: Site, connection: Connection, cancelled: correspondence.Untried, left: Sequence[Alert], now: datetime
) -> int:
    """A mail in the place of one that was cancelled because some of it no longer holds."""
    if not left:
        return 0
    named_first = {alert.alert_id for alert in left if alert.alert_id is not None} if cancelled.kind == "escalation" else set()
    recipient = recipient_known(site.settings, cancelled.address, cancelled.name)
    again = _still_new(connection, recipient, [_again(alert) for alert in left], named_first)
    return queue_reminder(site, connection, recipient, again, now)


def _again(alert: Alert) -> Unanswered:
    return Unanswered(alert=alert, since=alert.raised_at, passed_on=False, told_before=())


def _still_new(
    connection: Connection, recipient: Recipient, unanswered: Sequence[Unanswered], named_first: Collection[int]
) -> list[Unanswered]:
    """With those passed on that only a mail told the reader which was never sent: ``named_first`` are that mail's alerts."""
    doubtful = {
        each.alert.alert_id: each.alert.patient_id
        for each in unanswered
        if each.alert.alert_id is not None and each.alert.alert_id in named_first and not each.passed_on
    }
    if not doubtful:
        return list(unanswered)
    told = correspondence.told_by_alert(connection, doubtful)
    address = recipient.address.lower()
    before = {alert_id: [each for each in several if each.reached] for alert_id, several in told.items()}
    new = {alert_id for alert_id, several in before.items() if address not in {each.address.lower() for each in several}}
    names = {alert_id: tuple(dict.fromkeys(each.name for each in before[alert_id])) for alert_id in new}
    return [
        replace(each, passed_on=True, told_before=names[each.alert.alert_id]) if each.alert.alert_id in new else each
        for each in unanswered
    ]


def _with_what_a_first_reader_needs(
    site: Site,
    connection: Connection,
    unanswered: Sequence[Unanswered],
    records: Mapping[str, History],
    waiting: Mapping[int, Waiting],
    now: datetime,
) -> list[Unanswered]:
    """Where the patient stands and who is told next, of those that are new to the reader and told at length: they are few."""
    at_length = most_urgent_first(unanswered)[:REMINDED_AT_LENGTH]
    situations = _situations(site, connection, {each.alert.patient_id for each in at_length if each.passed_on}, now)
    filled = []
    for each in unanswered:
        row = waiting.get(each.alert.alert_id or 0)
        if each.passed_on:
            told_next = None if row is None else _told_next(site, records[each.alert.patient_id], each.alert, row)
            each = replace(each, situation=situations.get(each.alert.patient_id), told_next=told_next)
        filled.append(each)
    return filled


def _situations(site: Site, connection: Connection, patient_ids: Collection[str], now: datetime) -> dict[str, Situation | None]:
    """Where each of some patients stands; without those whose record cannot be read, or not be made sense of."""

    def situated(history: History) -> Situation | None:
        return or_without("situation", lambda: situate(history.as_known_at(now), site.policy, now), None)

    loaded = histories.load(connection, sorted(patient_ids), site.policy.zone).histories
    return {name: situated(history) for name, history in loaded.items()}


def _told_next(site: Site, record: History, alert: Alert, row: Waiting) -> tuple[datetime, tuple[str, ...]]:
    team = team_of(site.settings, record.patient)
    found = told_from(site.settings, team, alert.urgency, row.step, row.due_at)
    return row.due_at, () if found is None else tuple(each.name for each in found[1])
