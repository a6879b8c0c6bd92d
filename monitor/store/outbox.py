"""Messages on their way out. At least once, visibly, never silently.

enqueue            in the transaction that decided to tell: rendered, its Message-ID minted
claim_due          committed before any network: pending -> sending, with a lease and a fencing token
record_outcome     what came of it is appended; the state moves only for the token's owner
release_expired    after a crash the outcome is unknown: to be sent again, saying that it may be a repetition
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Select, bindparam, func, literal_column, select

from monitor.store import journal
from monitor.store.tables import ATTEMPTS, MESSAGES

_ENQUEUE = MESSAGES.insert().returning(MESSAGES.c.id, sort_by_parameter_order=True)

Outcome = Literal["accepted", "refused_for_good", "refused_for_now", "relay_fault", "indeterminate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message as decided. A higher ``priority`` goes first. ``headers`` are beside From, To, Subject and Message-ID."""

    message_id: str
    kind: str
    recipient_address: str
    recipient_name: str
    subject: str
    text: str
    html: str | None
    headers: dict[str, str] = field(default_factory=dict)
    alert_ids: tuple[int, ...] = ()
    patient_id: str | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage(NewMessage):
    """A message with where it stands. ``maybe_repeat``: the recipient may have it already, and is told so."""

    id: int
    state: str
    created_at: datetime
    next_attempt_at: datetime
    fencing_token: int
    attempts: int
    maybe_repeat: bool
    reason: str | None = None
    claimed_by: str | None = None
    reply_key: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to hand a message over."""

    message: int
    at: datetime
    outcome: str
    reply: str


def enqueue(connection: Connection, messages: Sequence[NewMessage], *, now: datetime) -> tuple[int, ...]:
    """Put messages into the outbox, due at once. Returns their ids in the same order."""
    if not messages:
        return ()
    rows = [
        {
            "message_id": message.message_id,
            "kind": message.kind,
            "priority": message.priority,
            "alert_ids": json.dumps(message.alert_ids),
            "patient_id": message.patient_id,
            "recipient_address": message.recipient_address,
            "recipient_name": message.recipient_name,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "headers": json.dumps(message.headers),
            "state": "pending",
            "next_attempt_at": now,
            "lease_until": None,
            "fencing_token": 0,
            "attempts": 0,
            "maybe_repeat": False,
            "created_at": now,
        }
        for message in messages
    ]
    ids = tuple(connection.execute(_ENQUEUE, rows).scalars().all())
    journal.append(connection, now, *map(_minted, ids, messages))
    return ids


def is_known(connection: Connection, message_id: str) -> bool:
    """Whether a message of this id was ever put into the outbox."""
    return connection.execute(select(MESSAGES.c.id).where(MESSAGES.c.message_id == message_id)).scalar() is not None


def anything_due(connection: Connection, now: datetime) -> bool:
    """Whether a message waits to be sent at ``now``, or a claim on one has run out."""
    columns = MESSAGES.c
    pending = select(columns.id).where(columns.state == "pending", columns.next_attempt_at <= now).exists()
    expired = select(columns.id).where(columns.state == "sending", columns.lease_until <= now).exists()
    return bool(connection.execute(select(pending | expired)).scalar())


def due_query(now: datetime, limit: int) -> Select[Any]:
    """The due messages, the most urgent and then the oldest first; on PostgreSQL those that nobody else is claiming.

    A correction waits for what it corrects: nobody is told of an alert after its withdrawal.
    """
    earlier = MESSAGES.alias("earlier")
    on_its_way = (
        select(earlier.c.id)
        .where(
            earlier.c.patient_id == MESSAGES.c.patient_id,
            earlier.c.recipient_address == MESSAGES.c.recipient_address,
            earlier.c.id < MESSAGES.c.id,
            earlier.c.state.in_(("pending", "sending")),
        )
        .exists()
    )
    return (
        select(MESSAGES)
        .where(MESSAGES.c.state == literal_column("'pending'"), MESSAGES.c.next_attempt_at <= now)
        .where((MESSAGES.c.kind != literal_column("'correction'")) | ~on_its_way)
        .order_by(MESSAGES.c.priority.desc(), MESSAGES.c.next_attempt_at, MESSAGES.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def expired_query(now: datetime) -> Select[Any]:
    """The claims whose lease is over."""
    return select(MESSAGES.c.id).where(MESSAGES.c.state == literal_column("'sending'"), MESSAGES.c.lease_until <= now)


def claim_due(connection: Connection, *, now: datetime, limit: int, lease: timedelta) -> list[StoredMessage]:
    """Take at most ``limit`` due messages for ``lease``. Commit before sending any of them."""
    rows = connection.execute(due_query(now, limit)).all()
    if rows:
        update = (
            MESSAGES.update()
            .where(MESSAGES.c.id == bindparam("taken"))
            .values(
                state="sending",
                lease_until=now + lease,
                fencing_token=MESSAGES.c.fencing_token + 1,
                attempts=MESSAGES.c.attempts + 1,
            )
        )
        connection.execute(update, [{"taken": row.id} for row in rows])
    return [_stored(row, state="sending", fencing_token=row.fencing_token + 1, attempts=row.attempts + 1) for row in rows]


def record_outcome(
    connection: Connection,
    message: StoredMessage,
    outcome: Outcome,
    reply: str,
    *,
    now: datetime,
    next_attempt_at: datetime | None = None,
) -> bool:
    """Append what came of an attempt, and move the message on. ``next_attempt_at`` is None to give up.

    A relay's fault burns no attempt. Returns False, with the attempt appended all the same, if another owner has the
    message since: its token is not the claim's any more.
    """
    connection.execute(ATTEMPTS.insert(), {"message": message.id, "at": now, "outcome": outcome, "reply": reply})
    journal.append(connection, now, _attempted(message.id, outcome, reply))
    changes: dict[str, Any] = {"lease_until": None}
    if outcome == "accepted":
        changes["state"] = "accepted"
    elif outcome == "refused_for_good" or next_attempt_at is None:
        changes["state"] = "dead"
    else:
        changes |= {"state": "pending", "next_attempt_at": next_attempt_at}
    if outcome == "relay_fault":
        changes["attempts"] = MESSAGES.c.attempts - 1
    if outcome == "indeterminate":
        changes["maybe_repeat"] = True
    owned = MESSAGES.c.fencing_token == message.fencing_token
    still = MESSAGES.c.state.in_(("sending", "pending"))  # pending: released at the lease's end, not claimed again yet
    done = connection.execute(MESSAGES.update().where(MESSAGES.c.id == message.id, owned, still).values(**changes))
    return done.rowcount == 1


def release_expired(connection: Connection, now: datetime) -> int:
    """Give up the claims whose lease is over: their outcome is unknown, they are due again. Returns how many."""
    ids = connection.execute(expired_query(now)).scalars().all()
    if ids:
        reply = "no outcome was recorded before the end of the lease"
        rows = [{"message": id_, "at": now, "outcome": "indeterminate", "reply": reply} for id_ in ids]
        connection.execute(ATTEMPTS.insert(), rows)
        journal.append(connection, now, *(_attempted(id_, "indeterminate", reply) for id_ in ids))
        back = {"state": "pending", "lease_until": None, "next_attempt_at": now, "maybe_repeat": True}
        connection.execute(MESSAGES.update().where(MESSAGES.c.id.in_(ids)).values(**back))
    return len(ids)


def counts(connection: Connection) -> dict[str, int]:
    """How many messages are in each state; states without any are 0."""
    found = dict.fromkeys(("pending", "sending", "accepted", "dead"), 0)
    for state, number in connection.execute(select(MESSAGES.c.state, func.count()).group_by(MESSAGES.c.state)):
        found[state] = number
    return found


def oldest_waiting(connection: Connection) -> datetime | None:
    """When the oldest message was decided that no relay has accepted yet, or None."""
    waiting = MESSAGES.c.state.in_(("pending", "sending"))
    return connection.execute(select(func.min(MESSAGES.c.created_at)).where(waiting)).scalar()


def last_trouble(connection: Connection) -> str | None:
    """What the relay said last, if that was no acceptance and messages are waiting; without any address."""
    waiting = select(MESSAGES.c.id).where(MESSAGES.c.state == "pending", MESSAGES.c.attempts + MESSAGES.c.fencing_token > 0)
    if connection.execute(waiting.limit(1)).scalar() is None:
        return None
    newest = connection.execute(
        select(ATTEMPTS.c.outcome, ATTEMPTS.c.reply).order_by(ATTEMPTS.c.id.desc()).limit(1)
    ).one_or_none()
    return None if newest is None or newest.outcome == "accepted" else f"{newest.outcome.replace('_', ' ')}: {newest.reply}"


def with_ids(connection: Connection, ids: Iterable[int]) -> list[StoredMessage]:
    """The messages with these ids, oldest first."""
    query = select(MESSAGES).where(MESSAGES.c.id.in_(list(ids))).order_by(MESSAGES.c.id)
    return [_stored(row) for row in connection.execute(query)]


def attempts_of(connection: Connection, ids: Iterable[int]) -> dict[int, list[Attempt]]:
    """The attempts of each message, oldest first; every message asked for has an entry."""
    found: dict[int, list[Attempt]] = {id_: [] for id_ in ids}
    columns = (ATTEMPTS.c.message, ATTEMPTS.c.at, ATTEMPTS.c.outcome, ATTEMPTS.c.reply)
    for row in connection.execute(select(*columns).where(ATTEMPTS.c.message.in_(list(found))).order_by(ATTEMPTS.c.id)):
        found[row.message].append(Attempt(*row))
    return found


def _minted(id_: int, message: NewMessage) -> journal.Entry:
    body = {
        "number": id_,
        "message_id": message.message_id,
        "kind": message.kind,
        "recipient": message.recipient_address,
        "alerts": [f"A-{alert_id}" for alert_id in message.alert_ids],
        "patient_id": message.patient_id,
    }
    return journal.Entry("message", f"message {id_}", body)


def _attempted(id_: int, outcome: str, reply: str) -> journal.Entry:
    return journal.Entry("attempt", f"message {id_}", {"number": id_, "outcome": outcome, "reply": reply})


def _stored(row: Any, **changed: Any) -> StoredMessage:
    """A row of the table as a message; ``changed`` holds what an update in the same transaction made of it."""
    fields = {name: value for name, value in row._mapping.items() if name != "lease_until"}  # noqa: SLF001  # its public name
    fields |= {"alert_ids": tuple(json.loads(row.alert_ids)), "headers": json.loads(row.headers)}
    return StoredMessage(**{**fields, **changed})
