"""From what was decided to messages in the outbox: one per recipient, rendered and stored in the caller's transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert, Reason, Transition
from monitor.clinical.findings import Urgency
from monitor.clinical.history import History
from monitor.clinical.situation import situate
from monitor.config.settings import Recipient, Settings
from monitor.delivery import compose
from monitor.delivery.facts import Kind, MailFacts
from monitor.delivery.message import mint_message_id
from monitor.delivery.render import render_or_builtin
from monitor.service import alarms
from monitor.service.opening import Site
from monitor.service.people import team_of
from monitor.store import alerts as kept_alerts
from monitor.store import correspondence, digests, histories, outbox

log = logging.getLogger(__name__)

PATIENTS_PER_READ = 200
IN_REPLY_TO = "In-Reply-To"
CORRECTS = frozenset({Reason.WITHDRAWN, Reason.CORRECTED_LOWER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail before it is addressed: what it is about and what it is an answer to."""

    kind: Kind
    facts: MailFacts
    alerts: tuple[Alert, ...]
    patient_id: str | None
    occasion: str  # with the recipient it makes the Message-ID; the same occasion never mails twice


def is_old_news(settings: Settings, transition: Transition, now: datetime) -> bool:
    """Whether a finding is too many days old, by the clinic's calendar, to be announced by itself; corrections never are."""
    if transition.reason in CORRECTS:
        return False
    zone = settings.time_zone
    return now.astimezone(zone).date() - transition.after.finding.clinical_at.astimezone(zone).date() > settings.announce_within


def queue_mail(site: Site, connection: Connection, history: History, told: Sequence[Transition], now: datetime) -> int:
    """Put one patient's mails of this round into the outbox; how many messages that made.

    ``told`` are the transitions that speak now. Several findings make one mail, led by the most urgent. A correction
    goes to everyone who had been told, be they still on the team or not.
    """
    queued = 0
    speaking = [transition.after for transition in told if transition.reason not in CORRECTS]
    if speaking:
        queued += _queue_alert(site, connection, history, speaking, now)
    corrections = [transition for transition in told if transition.reason in CORRECTS]
    if corrections:
        queued += _queue_correction(site, connection, history, corrections, now)
    return queued


def queue_digest(site: Site, connection: Connection, now: datetime) -> int:
    """One digest per recipient of everything that waits for one; how many messages that made."""
    waiting = digests.waiting(connection)
    if not waiting:
        return 0
    kept = [alert for alert in kept_alerts.by_ids(connection, waiting) if alert.state in ("open", "acknowledged")]
    records = _records(site, connection, {alert.patient_id for alert in kept})
    by_recipient: dict[str, tuple[Recipient, str, list[Alert]]] = {}
    for alert in kept:
        team = team_of(site.settings, records[alert.patient_id].patient)
        for recipient in team.recipients:
            by_recipient.setdefault(recipient.address, (recipient, team.name, []))[2].append(alert)
    queued = 0
    for recipient, team_name, alerts in by_recipient.values():
        facts = compose.digest_facts(
            alerts,
            site=_mail_site(site, team_name),
            histories=records,
            announce_within=site.settings.announce_within,
            now=now,
        )
        letter = Letter(kind="digest", facts=facts, alerts=tuple(alerts), patient_id=None, occasion=_occasion(alerts))
        queued += _queue(site, connection, letter, [recipient], now)
    digests.clear(connection, waiting)
    return queued


def _records(site: Site, connection: Connection, patient_ids: Iterable[str]) -> dict[str, History]:
    """Each patient's own record and no fact: a backlog may name every patient of the house, and memory is bounded."""
    names = sorted(patient_ids)
    found = {name: History(patient_id=name) for name in names}
    for start in range(0, len(names), PATIENTS_PER_READ):
        loaded = histories.load(connection, names[start : start + PATIENTS_PER_READ], site.policy.zone).histories
        found |= {name: History(patient_id=name, patients=history.patients) for name, history in loaded.items()}
    return found


def _queue_alert(site: Site, connection: Connection, history: History, alerts: Sequence[Alert], now: datetime) -> int:
    known = history.as_known_at(now)
    team = team_of(site.settings, known.patient)
    queued = 0
    for recipient in team.recipients:
        facts = compose.alert_facts(
            alerts,
            site=_mail_site(site, team.name),
            history=known,
            situation=situate(known, site.policy, now),
            now=now,
            others_told=_others(team.recipients, recipient),
        )
        letter = Letter(
            kind="alert", facts=facts, alerts=tuple(alerts), patient_id=history.patient_id, occasion=_occasion(alerts)
        )
        queued += _queue(site, connection, letter, [recipient], now)
    return queued


def _queue_correction(
    site: Site, connection: Connection, history: History, corrections: Sequence[Transition], now: datetime
) -> int:
    known = history.as_known_at(now)
    corrected = [t.after.alert_id for t in corrections if t.after.alert_id is not None]
    written = correspondence.about(connection, history.patient_id, corrected)
    told_before = correspondence.told_of(written, corrected)
    if not told_before:
        return 0
    people = {told.address: Recipient(name=told.name, address=told.address, language="en") for told in told_before}
    facts = compose.correction_facts(
        corrections,
        site=_mail_site(site, team_of(site.settings, known.patient).name),
        history=known,
        first_told_at=min(told.created_at for told in told_before),
        now=now,
    )
    alerts = tuple(transition.after for transition in corrections)
    letter = Letter(
        kind="correction", facts=facts, alerts=alerts, patient_id=history.patient_id, occasion="correction " + _occasion(alerts)
    )
    return _queue(site, connection, letter, people.values(), now)


def _queue(site: Site, connection: Connection, letter: Letter, recipients: Iterable[Recipient], now: datetime) -> int:
    rendered, broken = render_or_builtin(letter.kind, letter.facts, folder=site.settings.templates)
    if broken is not None:
        log.error("a template failed, the built-in text was used: %s", broken)
        alarms.raise_alarm(site, connection, alarms.broken_template(str(broken)), now)
    ids = [alert.alert_id for alert in letter.alerts if alert.alert_id is not None]
    domain = site.settings.mail.sender.rpartition("@")[2]
    earlier = correspondence.about(connection, letter.patient_id, ids) if letter.patient_id is not None else []
    messages = [
        outbox.NewMessage(
            message_id=mint_message_id(domain, f"{letter.kind} {letter.occasion} {now.isoformat()} {recipient.address}"),
            kind=letter.kind,
            alert_ids=tuple(ids),
            patient_id=letter.patient_id,
            recipient_address=recipient.address,
            recipient_name=recipient.name,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            priority=max((alert.urgency.rank for alert in letter.alerts), default=0),
            headers=_thread(correspondence.told_of(earlier, ids), recipient),
        )
        for recipient in recipients
    ]
    outbox.enqueue(connection, messages, now=now)
    return len(messages)


def _thread(earlier: Sequence[correspondence.Written], recipient: Recipient) -> dict[str, str]:
    """The header that hangs a mail under the first one this recipient had about the same alert."""
    first = next((written for written in earlier if written.address == recipient.address), None)
    return {} if first is None else {IN_REPLY_TO: first.message_id}


def _mail_site(site: Site, team: str) -> compose.Site:
    within = site.settings.acknowledge_within
    return compose.Site(
        policy=site.policy,
        privacy=site.settings.privacy,
        acknowledge_within={
            Urgency.IMMEDIATE: within.immediate,
            Urgency.SAME_DAY: within.same_day,
            Urgency.REVIEW: within.review,
        },
        team=team,
    )


def _others(everyone: Sequence[Recipient], but: Recipient) -> tuple[str, ...]:
    return tuple(each.name for each in everyone if each.address != but.address)


def _occasion(alerts: Iterable[Alert]) -> str:
    return " ".join(f"A-{alert.alert_id}@{alert.raised_at.isoformat()}" for alert in alerts)
