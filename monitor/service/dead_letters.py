"""What follows when a message is given up, or does not get through: nobody waits for an answer to a mail that nobody got."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.findings import Urgency
from monitor.delivery import plain
from monitor.delivery.email import Outcome
from monitor.delivery.message import mint_message_id
from monitor.errors import MonitorError
from monitor.said import say
from monitor.service import alarms, circuit
from monitor.service.handing_over import HELD_UP_AFTER, hand_over
from monitor.service.opening import Site
from monitor.service.people import recipient_known
from monitor.store import outbox

log = logging.getLogger(__name__)

OF_THE_MESSAGE = ("data", "message")
"""Steps at which a relay refuses what is said, not whom it is said to."""


def unsendable(message_number: int, words: str) -> alarms.Alarm:
    """A message that cannot be written, or that no relay takes as it is written."""
    return alarms.Alarm(
        problem=say("message {number} cannot be sent as it is written: {words}", number=message_number, words=words),
        consequence=say("its recipient got a plain mail without details, or none if that was refused too"),
        remedies=(say("Look the alert up with `bipn-monitor alerts`, and tell its recipient."), alarms.LOOK_AT_STATUS),
        occasion=f"unsendable {message_number}",
    )


def unwritten(error: Exception) -> Outcome:
    """The outcome of a message that cannot be written. Only our own errors are quoted: others' words hold the text."""
    log.error("a mail could not be written", extra={"error": type(error).__name__})
    words = str(error) if isinstance(error, MonitorError) else type(error).__name__
    return Outcome(kind="refused_for_good", code=None, words=f"it cannot be written: {words}", at="message")


def follow_up(site: Site, connection: Connection, message: outbox.StoredMessage, outcome: Outcome, now: datetime) -> None:
    """In the transaction that gave the message up: a plain mail in its place, or, where that is no use, the next people."""
    log.error("a mail is given up", extra={"message_number": message.id, "at": outcome.at, "code": outcome.code})
    its_own_fault = outcome.at in OF_THE_MESSAGE
    if its_own_fault and message.kind != plain.KIND:
        outbox.enqueue(connection, [_plain(site, message)], now=now)
    else:
        _hand_over(connection, message, now, why="a mail was given up")
    if message.kind == "operations" or _is_of_operations(site, message):  # an alarm about an alarm would never end
        return
    alarm = (
        unsendable(message.id, outcome.words)
        if its_own_fault
        else alarms.refused_mail(message.id, message.recipient_address, outcome.words)
    )
    alarms.raise_alarm(site, connection, alarm, now)


def held_up(site: Site, connection: Connection, message: outbox.StoredMessage, outcome: Outcome, now: datetime) -> None:
    """In the transaction of an outcome that is none: after some attempts, or at once where only a person can mend it, the
    next people are told, once, and the administrator every day. The message is tried on."""
    refused = circuit.of_one(outcome) and outcome.code is not None and outcome.code >= 500
    if outcome.kind == "accepted" or (message.attempts < HELD_UP_AFTER and not refused):
        return
    if outcome.kind == "relay_fault" and not circuit.of_one(outcome):
        return
    if message.attempts == (1 if refused else HELD_UP_AFTER):
        _hand_over(connection, message, now, why="a mail that does not get through")
    if message.kind != "operations" and not _is_of_operations(site, message):
        alarms.raise_alarm(site, connection, undelivered(message, outcome), now)


def undelivered(message: outbox.StoredMessage, outcome: Outcome) -> alarms.Alarm:
    """A message that a relay refuses for now, again and again; told once a day for each recipient."""
    return alarms.Alarm(
        problem=say(
            "message {number} was tried {attempts} times and is not delivered: {words}",
            number=message.id,
            attempts=message.attempts,
            words=outcome.words,
        ),
        consequence=say("its recipient may not be told; it is tried on, and whoever is next in the escalation was told"),
        remedies=(say("Ask whoever runs the recipient's mailbox or the relay what is wrong."), alarms.LOOK_AT_STATUS),
        occasion=f"undelivered {message.recipient_address}",
    )


def _hand_over(connection: Connection, message: outbox.StoredMessage, now: datetime, *, why: str) -> None:
    hand_over(connection, message.id, message.kind, message.alert_ids, message.recipient_address, now, why=why)


def _plain(site: Site, message: outbox.StoredMessage) -> outbox.NewMessage:
    urgency = next(each for each in Urgency if each.rank == max(0, min(2, message.priority)))
    reader = recipient_known(site.settings, message.recipient_address, message.recipient_name)
    of_operations = message.kind == "operations"
    written = plain.plain(urgency, message.alert_ids, for_operations=of_operations, language=reader.language)
    return outbox.NewMessage(
        message_id=mint_message_id(site.settings.mail.sender.rpartition("@")[2], f"plain {message.message_id}"),
        kind=plain.KIND,
        recipient_address=message.recipient_address,
        recipient_name=message.recipient_name,
        subject=written.subject,
        text=written.text,
        html=None,
        alert_ids=message.alert_ids,
        patient_id=message.patient_id,
        priority=message.priority,
    )


def _is_of_operations(site: Site, message: outbox.StoredMessage) -> bool:
    return site.settings.operations is not None and message.recipient_address == site.settings.operations.address
