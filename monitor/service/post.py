"""Send what is due: claim, commit, hand over, record. Never a network call inside a transaction.

A message whose outcome is unknown goes again with the same Message-ID and says so. A fault of the relay stops the
burst, burns no attempt and is told to whoever asks for the status; every other message waits unharmed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.config.settings import Relay
from monitor.delivery.conversation import RelayAddress
from monitor.delivery.email import Outcome, Session
from monitor.delivery.message import OutgoingMessage, build
from monitor.service import alarms, clock
from monitor.service.mailing import IN_REPLY_TO
from monitor.service.opening import Site
from monitor.store import claims, outbox

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
"""A claim that is older, and so than the deadline below, was made by a process that died: the message goes again, marked."""

DEADLINE_SECONDS = 120.0
"""Total time for one message, connecting included; each network operation has its own, shorter limit."""

BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""Waits after a refusal "for now"; the last one repeats for ever: nothing is given up while the relay says "later"."""

RELAY_BACK_OFF = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSummary:
    """What was handed over and what was not. ``relay_fault`` is what the relay said when it stopped the burst."""

    accepted: int = 0
    failed: int = 0
    relay_fault: str | None = None


def relay_address(relay: Relay) -> RelayAddress:
    """The configured relay as the delivery room knows it."""
    return RelayAddress(
        host=relay.host,
        port=relay.port,
        tls="none" if relay.insecure else relay.tls,
        username=relay.username,
        timeout_seconds=relay.timeout.total_seconds(),
    )


def _never() -> bool:
    return False


def send_due(site: Site, now: datetime, *, stopping: Callable[[], bool] = _never) -> PostSummary:
    """Hand over every message that is due at ``now``, the most urgent first; stop at the first fault of the relay.

    ``stopping`` is asked before each message; what is left then waits for the next start.
    """
    with site.database.read() as connection:
        if not claims.anything_due(connection, now):
            return PostSummary()
    return asyncio.run(_send_due(site, now, stopping))


async def _send_due(site: Site, now: datetime, stopping: Callable[[], bool]) -> PostSummary:
    begun = clock.monotonic_seconds()
    accepted = failed = 0
    fault: str | None = None
    with site.database.write() as connection:
        claims.release_expired(connection, now)
    async with Session(relay_address(site.settings.mail.relay), password=site.password) as session:
        while fault is None and not stopping():
            into = timedelta(seconds=clock.monotonic_seconds() - begun)  # a burst may last longer than a lease
            with site.database.write() as connection:
                # One at a time: what a dead process had claimed is one message, not a batch, and none waits for another.
                claimed = claims.claim_due(connection, now=now, limit=1, lease=LEASE + into)
            if not claimed:
                break
            message = claimed[0]
            outcome = await asyncio.shield(_hand_over(site, session, message))
            _record(site, message, outcome, now + into)
            accepted += outcome.kind == "accepted"
            failed += outcome.kind != "accepted"
            if outcome.kind == "relay_fault":
                fault = f"{outcome.words} (at {outcome.at})"
    return PostSummary(accepted=accepted, failed=failed, relay_fault=fault)


async def _hand_over(site: Site, session: Session, message: outbox.StoredMessage) -> Outcome:
    try:
        data = _written(site, message)
    except ValueError:  # its words would quote the header
        log.error("a mail could not be written; it is given up, the others go on", extra={"message_number": message.id})
        return Outcome(kind="refused_for_good", code=None, words="a header of this mail cannot be written")
    return await session.send(site.settings.mail.sender, message.recipient_address, data, deadline_seconds=DEADLINE_SECONDS)


def _written(site: Site, message: outbox.StoredMessage) -> bytes:
    return build(
        OutgoingMessage(
            message_id=message.message_id,
            sender=site.settings.mail.sender,
            recipient=message.recipient_address,
            subject=message.subject,
            text=message.text,
            html=message.html or "",
            date=message.created_at.astimezone(site.settings.time_zone),
            in_reply_to=message.headers.get(IN_REPLY_TO),
            urgent=message.priority == 2,
            maybe_repeat=message.maybe_repeat,
        )
    )


def _record(site: Site, message: outbox.StoredMessage, outcome: Outcome, now: datetime) -> None:
    wait = RELAY_BACK_OFF if outcome.kind == "relay_fault" else BACK_OFF[min(message.attempts, len(BACK_OFF)) - 1]
    with site.database.write() as connection:
        claims.record_outcome(connection, message, outcome.kind, outcome.words, now=clock.now(), next_attempt_at=now + wait)
        if outcome.kind == "refused_for_good" and message.kind != "operations":  # an alarm about an alarm would never end
            alarms.raise_alarm(site, connection, alarms.refused_mail(message.id, outcome.words), now)
