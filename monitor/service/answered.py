"""What becomes of one mail of the answers' mailbox, in one transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert, AlertError, Reason
from monitor.delivery.inbound import Acknowledgement, AutomaticAnswer, Bounce, Other, Reference, read_mail
from monitor.delivery.mailbox import Mail
from monitor.delivery.reply_tokens import VALID_FOR, read_acknowledge_token, read_bounce_token
from monitor.service import acts, alarms
from monitor.service.handing_over import hand_over
from monitor.service.opening import Site
from monitor.store import alerts, answers, journal, keys

log = logging.getLogger(__name__)

WORSE_SINCE = frozenset({Reason.WORSE, Reason.AGAIN, Reason.NEW_OCCASION})


@dataclass(frozen=True, slots=True)
class Dealt:
    """What became of one mail. ``words`` hold nothing of its text and no address."""

    kind: answers.AnswerKind
    message: int | None
    words: str


def deal_with(site: Site, mail: Mail, now: datetime) -> Dealt | None:
    """One mail in one transaction; None for one that was dealt with before."""
    with site.database.write("answers") as connection:
        if answers.is_known(connection, mail.key):
            return None
        dealt = _act_on(site, connection, mail, now)
        answer = answers.Answer(key=mail.key, at=now, kind=dealt.kind, message=dealt.message, words=dealt.words)
        answers.record(connection, answer)
    log.info("an answer was read", extra={"answer": dealt.kind, "message_number": dealt.message})
    return dealt


def _act_on(site: Site, connection: Connection, mail: Mail, now: datetime) -> Dealt:
    received = read_mail(mail.data)
    match received:
        case Acknowledgement():
            return _acknowledged(connection, received, now)
        case AutomaticAnswer():
            asked = _asked(connection, received.reference, now)
            if received.own_id is not None and answers.by_message_ids(connection, [received.own_id]) is not None:
                return Dealt("other", None, "a mail of ours that came back as it was")
            if asked is None:
                return Dealt("automatic answer", None, "to no mail of ours")
            return _handed_over(connection, asked, "automatic answer", f"known by {received.sign}", now)
        case Bounce():
            asked = _asked(connection, received.reference, now)
            if asked is None:
                return Dealt("bounce", None, "of no mail of ours")
            if received.permanent and asked.kind != "operations":  # an alarm about an alarm would never end
                alarms.raise_alarm(site, connection, alarms.bounced_mail(asked.id, received.words), now)
            return _handed_over(connection, asked, "bounce", received.words, now)
        case Other(words=words):
            return Dealt("other", None, words)
        case never:
            assert_never(never)


def _acknowledged(connection: Connection, received: Acknowledgement, now: datetime) -> Dealt:
    signing = keys.known_keys(connection, keys.REPLY_TOKENS)
    reply_key = read_acknowledge_token(received.token, signing, now) if signing else None
    asked = None if reply_key is None else answers.by_reply_key(connection, reply_key)
    if asked is None:
        return Dealt("not believed", None, "a token that is forged, older than 60 days, or of a message not known here")
    elsewhere = received.sender != asked.address.lower()
    by = f"{asked.name} (by mail, answered from another address)" if elsewhere else f"{asked.name} (by mail)"
    meant = [number for number in received.alert_ids if number in asked.alert_ids]
    said = [_taken_on(connection, alert, asked, by, received.note, now) for alert in alerts.by_ids(connection, meant)]
    words = "; ".join(words for _, words in said) or "its subject names none of the alerts it was told of"
    kind: answers.AnswerKind = "acknowledged" if any(done for done, _ in said) else "no effect"
    journal.append(connection, now, _entry(asked, kind, words))
    return Dealt(kind, asked.id, words)


def _taken_on(
    connection: Connection, alert: Alert, asked: answers.Asked, by: str, note: str | None, now: datetime
) -> tuple[bool, str]:
    """Whether this acknowledged the alert, and what is to be said of it."""
    name = f"A-{alert.alert_id}"
    if _worse_since(connection, alert, asked.created_at):
        return False, f"{name} has become worse since that mail: it stays as it is"
    try:
        after = acts.take_on(connection, alert, acts.Actor(name=by, how="mail", address=asked.address), note=note, now=now)
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


def _handed_over(connection: Connection, asked: answers.Asked, kind: answers.AnswerKind, words: str, now: datetime) -> Dealt:
    """Whoever is next is told now: the one who was told is not there, or was never reached."""
    why = "a mail that did not arrive" if kind == "bounce" else "an out-of-office reply"
    moved = hand_over(connection, asked.id, asked.kind, asked.alert_ids, asked.address, now, why=why)
    words = f"{words}; {moved} brought forward"
    journal.append(connection, now, _entry(asked, kind, words))
    return Dealt(kind, asked.id, words)


def _entry(asked: answers.Asked, kind: str, words: str) -> journal.Entry:
    body = {"number": asked.id, "answer": kind, "words": words, "alerts": [f"A-{each}" for each in asked.alert_ids]}
    return journal.Entry("answer", f"message {asked.id}", body)
