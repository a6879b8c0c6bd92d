"""What the answers' mailbox brings: somebody's "seen" acknowledges; a machine's answer or a bounce lets the next be told at once.

Each mail is dealt with in one transaction and flagged after it, so a crash between the two repeats nothing. A mailbox that
cannot be read is a trouble that ``status`` tells, and after half an hour an alarm; the rest of the program goes on.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert, AlertError, Reason
from monitor.clinical.findings import Urgency
from monitor.config.mail_settings import Answers
from monitor.config.secrets import secret
from monitor.delivery.inbound import Acknowledgement, AutomaticAnswer, Bounce, Other, Reference, read_mail
from monitor.delivery.mailbox import ImapAddress, Mail, MailboxError, open_imap, open_maildir
from monitor.delivery.reply_tokens import VALID_FOR, read_acknowledge_token, read_bounce_token
from monitor.errors import ConfigError
from monitor.service import acts, alarms
from monitor.service.opening import Site
from monitor.store import alerts, answers, escalations, journal, keys, troubles

log = logging.getLogger(__name__)

TROUBLE = "answers"
ALARM_AFTER = timedelta(minutes=30)  # (J): a mail server restarts within it; an immediate alert does not wait much longer
WORSE_SINCE = frozenset({Reason.WORSE, Reason.AGAIN, Reason.NEW_OCCASION})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersSummary:
    """What one reading brought, in mails. ``problem`` is what kept it from being read to its end."""

    acknowledged: int = 0
    handed_over: int = 0  # automatic answers and bounces
    without_effect: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Dealt:
    """What became of one mail. ``words`` hold nothing of its text and no address."""

    kind: answers.AnswerKind
    message: int | None
    words: str


def _never() -> bool:
    return False


def read_answers(site: Site, now: datetime, *, stopping: Callable[[], bool] = _never) -> AnswersSummary:
    """Deal with every mail that waits in the answers' mailbox; none without one. Never raises for the mailbox.

    ``stopping`` is asked before each mail; what is left is read the next time.
    """
    if site.settings.answers is None:
        return AnswersSummary()
    summary = AnswersSummary()
    problem: str | None = None
    try:
        with _mailbox(site, site.settings.answers) as mails:
            for mail in mails:
                if stopping():
                    break
                dealt = _deal_with(site, mail, now)
                summary = _counted(summary, dealt)
                try:
                    mail.handled()
                except MailboxError as error:  # it comes again, and is known by its hash
                    problem = str(error)
    except (MailboxError, ConfigError) as error:
        problem = str(error)
    _tell(site, problem, now)
    return replace(summary, problem=problem)


def _mailbox(site: Site, settings: Answers) -> AbstractContextManager[Iterator[Mail]]:
    """Raises MailboxError without a password, ConfigError for one that cannot be read."""
    if settings.maildir is not None:
        return open_maildir(settings.maildir)
    imap = settings.imap
    password = secret("imap_password", os.environ, site.folder)
    if imap is None or password is None:
        raise MailboxError("there is no password for the answers' mailbox: give the secret imap_password")
    address = ImapAddress(
        host=imap.host,
        port=imap.port,
        tls="none" if imap.insecure else imap.tls,
        username=imap.username,
        mailbox=imap.mailbox,
        timeout_seconds=imap.timeout.total_seconds(),
    )
    return open_imap(address, password)


def _deal_with(site: Site, mail: Mail, now: datetime) -> _Dealt | None:
    """One mail in one transaction; None for one that was dealt with before."""
    with site.database.write("answers") as connection:
        if answers.is_known(connection, mail.key):
            return None
        dealt = _act_on(site, connection, mail, now)
        answer = answers.Answer(key=mail.key, at=now, kind=dealt.kind, message=dealt.message, words=dealt.words)
        answers.record(connection, answer)
    log.info("an answer was read", extra={"answer": dealt.kind, "message_number": dealt.message})
    return dealt


def _act_on(site: Site, connection: Connection, mail: Mail, now: datetime) -> _Dealt:
    received = read_mail(mail.data)
    match received:
        case Acknowledgement():
            return _acknowledged(connection, received, now)
        case AutomaticAnswer():
            asked = _asked(connection, received.reference, now)
            if received.own_id is not None and answers.by_message_ids(connection, [received.own_id]) is not None:
                return _Dealt("other", None, "a mail of ours that came back as it was")
            if asked is None:
                return _Dealt("automatic answer", None, "to no mail of ours")
            return _handed_over(connection, asked, "automatic answer", f"known by {received.sign}", now)
        case Bounce():
            asked = _asked(connection, received.reference, now)
            if asked is None:
                return _Dealt("bounce", None, "of no mail of ours")
            if received.permanent and asked.kind != "operations":  # an alarm about an alarm would never end
                alarms.raise_alarm(site, connection, alarms.bounced_mail(asked.id, received.words), now)
            return _handed_over(connection, asked, "bounce", received.words, now)
        case Other(words=words):
            return _Dealt("other", None, words)
        case never:
            assert_never(never)


def _acknowledged(connection: Connection, received: Acknowledgement, now: datetime) -> _Dealt:
    signing = keys.known_keys(connection, keys.REPLY_TOKENS)
    reply_key = read_acknowledge_token(received.token, signing, now) if signing else None
    asked = None if reply_key is None else answers.by_reply_key(connection, reply_key)
    if asked is None:
        return _Dealt("not believed", None, "a token that is forged, older than 60 days, or of a message not known here")
    elsewhere = received.sender != asked.address.lower()
    by = f"{asked.name} (by mail, answered from another address)" if elsewhere else f"{asked.name} (by mail)"
    meant = [number for number in received.alert_ids if number in asked.alert_ids]
    said = [_taken_on(connection, alert, asked, by, received.note, now) for alert in alerts.by_ids(connection, meant)]
    words = "; ".join(words for _, words in said) or "its subject names none of the alerts it was told of"
    kind: answers.AnswerKind = "acknowledged" if any(done for done, _ in said) else "no effect"
    journal.append(connection, now, _entry(asked, kind, words))
    return _Dealt(kind, asked.id, words)


def _taken_on(
    connection: Connection, alert: Alert, asked: answers.Asked, by: str, note: str | None, now: datetime
) -> tuple[bool, str]:
    """Whether this acknowledged the alert, and what is to be said of it."""
    name = f"A-{alert.alert_id}"
    if _worse_since(connection, alert, asked.created_at):
        return False, f"{name} has become worse since that mail: it stays as it is"
    try:
        after = acts.take_on(connection, alert, by=by, note=note, now=now)
    except AlertError:
        return False, f"{name} is closed"
    if after == alert:
        return False, f"{name} was acknowledged before"
    return True, f"{name} acknowledged"


def _worse_since(connection: Connection, alert: Alert, told_at: datetime) -> bool:
    """Whether the alert spoke anew after the mail was written: its reader has not seen that."""
    if alert.alert_id is None:
        return False
    events = alerts.events_of(connection, [alert.alert_id])[alert.alert_id]
    return any(event.at > told_at and event.reason in WORSE_SINCE for event in events)


def _asked(connection: Connection, reference: Reference, now: datetime) -> answers.Asked | None:
    """The message that an automatic answer or a bounce is about: by the address it came to, else by what it quotes."""
    signing = keys.known_keys(connection, keys.REPLY_TOKENS)
    number = None if reference.bounce_token is None else read_bounce_token(reference.bounce_token, signing)
    asked = None if number is None else answers.by_number(connection, number)
    asked = asked or answers.by_message_ids(connection, reference.message_ids)
    return asked if asked is not None and now - asked.created_at <= VALID_FOR else None


def _handed_over(connection: Connection, asked: answers.Asked, kind: answers.AnswerKind, words: str, now: datetime) -> _Dealt:
    """Whoever is next is told now: the one who was told is not there, or was never reached."""
    concerned: Sequence[int] = asked.alert_ids
    if asked.kind == "digest":  # names a whole house; only what cannot wait for the next one is passed on
        named = alerts.by_ids(connection, asked.alert_ids)
        concerned = [alert.alert_id for alert in named if alert.urgency is Urgency.IMMEDIATE and alert.alert_id is not None]
    why = "a mail that did not arrive" if kind == "bounce" else "an out-of-office reply"
    moved = escalations.bring_forward(connection, concerned, now, why=why)
    words = f"{words}; {moved} brought forward"
    journal.append(connection, now, _entry(asked, kind, words))
    return _Dealt(kind, asked.id, words)


def _entry(asked: answers.Asked, kind: str, words: str) -> journal.Entry:
    body = {"number": asked.id, "answer": kind, "words": words, "alerts": [f"A-{each}" for each in asked.alert_ids]}
    return journal.Entry("answer", f"message {asked.id}", body)


def _counted(summary: AnswersSummary, dealt: _Dealt | None) -> AnswersSummary:
    if dealt is None:
        return summary
    if dealt.kind == "acknowledged":
        return replace(summary, acknowledged=summary.acknowledged + 1)
    if dealt.message is not None and dealt.kind in ("automatic answer", "bounce"):
        return replace(summary, handed_over=summary.handed_over + 1)
    return replace(summary, without_effect=summary.without_effect + 1)


def _tell(site: Site, problem: str | None, now: datetime) -> None:
    """A trouble while there is a problem, an alarm once it has lasted; neither costs a write while all is well."""
    with site.database.read() as connection:
        known = next((each for each in troubles.all_troubles(connection) if each.name == TROUBLE), None)
    if problem is None and known is None:
        return
    with site.database.write("answers") as connection:
        if problem is None:
            troubles.clear_trouble(connection, TROUBLE)
            return
        words = f"answers by mail are not read: {problem}"
        if troubles.set_trouble(connection, TROUBLE, words, now):
            log.error("answers by mail are not read, tried again at the next tick: %s", problem)
        if known is not None and now - known.since >= ALARM_AFTER:
            alarms.raise_alarm(site, connection, alarms.unread_answers(problem), now)
