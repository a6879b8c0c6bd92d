"""Letters into the outbox: addressed, rendered and stored, one message per recipient, in the caller's transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert, Transition
from monitor.clinical.history import History
from monitor.clinical.situation import situate
from monitor.clinical.synthetic import is_synthetic
from monitor.config.settings import Recipient, Team
from monitor.delivery import compose
from monitor.delivery.corrections import correction_facts
from monitor.delivery.facts import AlertFacts, FigureFacts, Kind, MailFacts
from monitor.delivery.language import Language, in_language
from monitor.delivery.left_out import or_without
from monitor.delivery.message import figure_cid, mint_message_id
from monitor.delivery.render import render_or_builtin
from monitor.delivery.rendered import Rendered
from monitor.delivery.weighed import weigh
from monitor.said import say
from monitor.service import alarms, naming, replies
from monitor.service.figure_of import WIDTH, Kept, keep_figure
from monitor.service.opening import Site
from monitor.service.people import acknowledge_within, recipient_known, team_of, told_next
from monitor.store import arrivals, correspondence, histories, outbox

log = logging.getLogger(__name__)

PATIENTS_PER_READ = 200
IN_REPLY_TO = "In-Reply-To"
LANGUAGE = "Content-Language"
SYNTHETIC_MARK = say("SYNTHETIC PATIENT, nothing to do.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail before it is addressed: what it is about and what it is an answer to. ``due_at`` None: it goes at once."""

    kind: Kind
    facts: MailFacts
    alerts: tuple[Alert, ...]
    patient_id: str | None  # None where it is about several
    due_at: datetime | None = None
    figure: Kept | None = None


def queue_alert(
    site: Site,
    connection: Connection,
    history: History,
    alerts: Sequence[Alert],
    *,
    team: Team,
    people: Sequence[Recipient],
    step: int,
    leaves_at: datetime,
    now: datetime,
    taken_over_from: tuple[str, ...] = (),
) -> int:
    """One patient's alerts to each of ``people``, who are those of ``step``; how many messages that made.

    ``leaves_at`` is ``now`` or a later instant.
    """
    known = history.as_known_at(now)
    due_at = leaves_at if leaves_at > now else None
    situation = or_without("situation", lambda: situate(known, site.policy, now), None)
    urgency = max((alert.urgency for alert in alerts), key=lambda each: each.rank)
    queued = 0
    figures: dict[Language, Kept | None] = {}
    weighed, received_at = weigh(known, site.policy, now, alerts), arrivals.newest_of(connection, alerts)
    for recipient in people:
        if site.settings.privacy != "none" and recipient.language not in figures:
            findings = [alert.finding for alert in alerts]
            figures[recipient.language] = keep_figure(connection, site.policy, known, findings, recipient.language, now)
        facts = compose.alert_facts(
            alerts,
            site=mail_site(site, team.name),
            history=known,
            situation=situation,
            now=now,
            weighed=weighed,
            received_at=received_at,
            others_told=tuple(each.name for each in people if each.address != recipient.address),
            leaves_at=leaves_at,
            taken_over_from=taken_over_from,
            told_next=told_next(site.settings, team, urgency, step, leaves_at),
        )
        letter = Letter(
            kind="alert",
            facts=facts,
            alerts=tuple(alerts),
            patient_id=history.patient_id,
            due_at=due_at,
            figure=figures.get(recipient.language),
        )
        queued += queue_letter(site, connection, letter, [recipient], now)
    return queued


def queue_correction(
    site: Site,
    connection: Connection,
    history: History,
    corrections: Sequence[Transition],
    *,
    due_at: datetime | None,
    now: datetime,
) -> int:
    """Tell everyone who had been told what is corrected, be they still on the team or not; how many messages that made."""
    known = history.as_known_at(now)
    corrected = [t.after.alert_id for t in corrections if t.after.alert_id is not None]
    written = correspondence.about(connection, history.patient_id, corrected)
    told_before = correspondence.told_of(written, corrected)
    if not told_before:
        return 0
    people = {told.address: recipient_known(site.settings, told.address, told.name) for told in told_before}
    facts = correction_facts(
        corrections,
        site=mail_site(site, team_of(site.settings, known.patient).name),
        history=known,
        first_told_at=min(told.created_at for told in told_before),
        received_at=arrivals.newest_of(connection, [transition.after for transition in corrections]),
        now=now,
    )
    alerts = tuple(transition.after for transition in corrections)
    letter = Letter(kind="correction", facts=facts, alerts=alerts, patient_id=history.patient_id, due_at=due_at)
    return queue_letter(site, connection, letter, people.values(), now)


def queue_letter(site: Site, connection: Connection, letter: Letter, recipients: Iterable[Recipient], now: datetime) -> int:
    """Put a letter into the outbox for each recipient; how many messages that made."""
    ids = [alert.alert_id for alert in letter.alerts if alert.alert_id is not None]
    domain = site.settings.mail.sender.rpartition("@")[2]
    earlier = correspondence.about(connection, letter.patient_id, ids) if letter.patient_id is not None else []
    occasion = f"{letter.kind} {_occasion(letter.alerts)} {now.isoformat()}"
    of_nobody = letter.patient_id is not None and is_synthetic(letter.patient_id)
    messages = []
    for recipient in recipients:
        reply_key = replies.new_reply_key(site)
        message_id = mint_message_id(domain, f"{occasion} {recipient.address}")
        shown = replace(letter, facts=_with_figure(letter, message_id))
        rendered, of_the_reader = _rendered(site, connection, shown, recipient, reply_key, now)
        message = outbox.NewMessage(
            message_id=message_id,
            kind=letter.kind,
            alert_ids=tuple(ids),
            patient_id=letter.patient_id,
            recipient_address=recipient.address,
            recipient_name=recipient.name,
            subject=f"{in_language(SYNTHETIC_MARK, recipient.language)} {rendered.subject}" if of_nobody else rendered.subject,
            text=rendered.text,
            html=rendered.html,
            priority=max((alert.urgency.rank for alert in letter.alerts), default=0),
            headers=_thread(correspondence.told_of(earlier, ids), recipient) | of_the_reader | {LANGUAGE: recipient.language},
            due_at=letter.due_at,
            reply_key=reply_key,
            figure=None if letter.figure is None else letter.figure.sha256,
        )
        messages.append(message)
    outbox.enqueue(connection, messages, now=now)
    return len(messages)


def _with_figure(letter: Letter, message_id: str) -> MailFacts:
    """The facts with the place where the figure will be."""
    if letter.figure is None or not isinstance(letter.facts, AlertFacts):
        return letter.facts
    figure = FigureFacts(cid=figure_cid(letter.figure.sha256, message_id), alt=letter.figure.alt, width=WIDTH)
    return replace(letter.facts, figure=figure)


def _rendered(
    site: Site, connection: Connection, letter: Letter, recipient: Recipient, reply_key: str | None, now: datetime
) -> tuple[Rendered, dict[str, str]]:
    """One recipient's mail, in his language, and its headers: how it is acknowledged by mail, and names, are his alone."""
    facts = replies.with_ways_to_answer(site, connection, letter.facts, reply_key, now)
    named = naming.with_names(site, connection, facts, recipient.address)
    rendered, broken = render_or_builtin(letter.kind, named, folder=site.settings.templates, language=recipient.language)
    if broken is not None:
        log.error("a template failed, the built-in text was used: %s", broken)
        alarms.raise_alarm(site, connection, alarms.broken_template(str(broken)), now)
    if named is facts:
        return rendered, {}
    nameless, _ = render_or_builtin(letter.kind, facts, folder=site.settings.templates, language=recipient.language)
    # the clinic's own subject may print whatever it is given: it is given no name
    return replace(rendered, subject=nameless.subject), {naming.SENSITIVITY: naming.CONFIDENTIAL}


def records_of(site: Site, connection: Connection, patient_ids: Iterable[str]) -> dict[str, History]:
    """Each patient's own record and no fact: a backlog may name every patient of the house, and memory is bounded."""
    names = sorted(set(patient_ids))
    found = {name: History(patient_id=name) for name in names}
    for start in range(0, len(names), PATIENTS_PER_READ):
        loaded = histories.load(connection, names[start : start + PATIENTS_PER_READ], site.policy.zone).histories
        found |= {name: History(patient_id=name, patients=history.patients) for name, history in loaded.items()}
    return found


def mail_site(site: Site, team: str) -> compose.Site:
    """What the configuration says about all mails of one team."""
    return compose.Site(
        policy=site.policy,
        privacy=site.settings.privacy,
        acknowledge_within=acknowledge_within(site.settings),
        team=team,
    )


def _thread(earlier: Sequence[correspondence.Written], recipient: Recipient) -> dict[str, str]:
    """The header that hangs a mail under the first one this recipient had about the same alert."""
    first = next((written for written in earlier if written.address == recipient.address), None)
    return {} if first is None else {IN_REPLY_TO: first.message_id}


def _occasion(alerts: Iterable[Alert]) -> str:
    """With kind, instant and recipient it makes the Message-ID: the same occasion never mails twice."""
    return " ".join(f"A-{alert.alert_id}@{alert.raised_at.isoformat()}" for alert in alerts)
