"""What follows when a message is given up: nobody waits for an answer to a mail that nobody got."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.findings import Urgency
from monitor.delivery import plain
from monitor.delivery.email import Outcome
from monitor.delivery.message import mint_message_id
from monitor.service import alarms
from monitor.service.opening import Site
from monitor.store import escalations, outbox

log = logging.getLogger(__name__)

OF_THE_MESSAGE = ("data", "message")
"""Steps at which a relay refuses what is said, not whom it is said to."""


def unsendable(message_number: int, words: str) -> alarms.Alarm:
    """A message that cannot be written, or that no relay takes as it is written."""
    return alarms.Alarm(
        problem=f"message {message_number} cannot be sent as it is written: {words}",
        consequence="its recipient got a plain mail without details, or none if that was refused too",
        remedies=("Look the alert up with `bipn-monitor alerts`, and tell its recipient.", alarms.LOOK_AT_STATUS),
        occasion=f"unsendable {message_number}",
    )


def follow_up(site: Site, connection: Connection, message: outbox.StoredMessage, outcome: Outcome, now: datetime) -> None:
    """In the transaction that gave the message up: a plain mail in its place, or, where that is no use, the next people."""
    log.error("a mail is given up", extra={"message_number": message.id, "at": outcome.at, "code": outcome.code})
    its_own_fault = outcome.at in OF_THE_MESSAGE
    if its_own_fault and message.kind != plain.KIND:
        outbox.enqueue(connection, [_plain(site, message)], now=now)
    else:
        escalations.bring_forward(connection, message.alert_ids, now, why="a mail was given up")
    if message.kind == "operations" or _is_of_operations(site, message):  # an alarm about an alarm would never end
        return
    alarm = unsendable(message.id, outcome.words) if its_own_fault else alarms.refused_mail(message.id, outcome.words)
    alarms.raise_alarm(site, connection, alarm, now)


def _plain(site: Site, message: outbox.StoredMessage) -> outbox.NewMessage:
    urgency = next(each for each in Urgency if each.rank == max(0, min(2, message.priority)))
    written = plain.plain(urgency, message.alert_ids, for_operations=message.kind == "operations")
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
