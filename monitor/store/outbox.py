"""Messages on their way out: put in by the transaction that decided to tell, rendered, their Message-ID minted.

``claims.py`` takes them out. What waits may be cancelled, with a reason; what is being sent may not.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select

from monitor.store import journal
from monitor.store.tables import ATTEMPTS, MESSAGES

_ENQUEUE = MESSAGES.insert().returning(MESSAGES.c.id, sort_by_parameter_order=True)
_PENDING = MESSAGES.c.state == literal_column("'pending'")  # literal: so that the partial index is used

SUPERSEDED = "superseded by a newer mail"
REMINDERS = ("reminder", "escalation")
"""Kinds that tell of what nobody has acknowledged: again, or to somebody for the first time."""

OVERTAKEN = ("alert", "correction", *REMINDERS)
"""Kinds that a newer alert mail makes void where it says all of it: to arrive after it, they would take it back."""

_CHUNK = 500
_WAITING_ABOUT = select(
    *(MESSAGES.c[name] for name in ("id", "patient_id", "recipient_address", "alert_ids", "priority", "next_attempt_at"))
).where(
    MESSAGES.c.state == literal_column("'pending'"),
    MESSAGES.c.kind.in_([literal_column(f"'{kind}'") for kind in OVERTAKEN]),
    MESSAGES.c.patient_id.in_(bindparam("patients", expanding=True)),
)
_NEWER = (
    select(MESSAGES)
    .where(MESSAGES.c.patient_id == bindparam("patient"), MESSAGES.c.recipient_address == bindparam("address"))
    .where(MESSAGES.c.kind == "alert", MESSAGES.c.id > bindparam("after"))
    .where(MESSAGES.c.state.in_(("pending", "sending", "accepted")))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message as decided. A higher ``priority`` goes first. ``headers`` are beside From, To, Subject and Message-ID.

    ``due_at`` is when it may go, None at once. ``reply_key`` is the random name that answers and bounces know it by.
    ``figure`` is the hash of what is drawn in it, which is stored already.
    """

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
    due_at: datetime | None = None
    reply_key: str | None = None
    figure: str | None = None


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


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to hand a message over."""

    message: int
    at: datetime
    outcome: str
    reply: str
    relay: str | None = None  # "relay" or "fallback"


def enqueue(connection: Connection, messages: Sequence[NewMessage], *, now: datetime) -> tuple[int, ...]:
    """Put messages into the outbox. Returns their ids in the same order.

    A new alert's mail takes the place of those that wait for the same recipient and say nothing that it does not say.
    """
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
            "next_attempt_at": message.due_at or now,
            "lease_until": None,
            "fencing_token": 0,
            "attempts": 0,
            "maybe_repeat": False,
            "created_at": now,
            "reply_key": message.reply_key,
            "figure": message.figure,
        }
        for message in messages
    ]
    _supersede(connection, messages, now)
    ids = tuple(connection.execute(_ENQUEUE, rows).scalars().all())
    journal.append(connection, now, *map(_minted, ids, messages))
    return ids


def is_known(connection: Connection, message_id: str) -> bool:
    """Whether a message of this id was ever put into the outbox."""
    return connection.execute(select(MESSAGES.c.id).where(MESSAGES.c.message_id == message_id)).scalar() is not None


def cancel(connection: Connection, ids: Collection[int], reason: str, now: datetime) -> int:
    """These are not sent any more, if they still wait; one that is being sent goes on. Returns how many."""
    update = MESSAGES.update().where(MESSAGES.c.id.in_(list(ids)), _PENDING).values(state="cancelled", reason=reason)
    found = connection.execute(update.returning(MESSAGES.c.id)).scalars().all()
    entries = (journal.Entry("message", f"message {id_}", {"number": id_, "cancelled": reason}) for id_ in sorted(found))
    journal.append(connection, now, *entries)
    return len(found)


def cancel_reminders(connection: Connection, alert_ids: Collection[int], reason: str, now: datetime) -> int:
    """No reminder or escalation goes that is about nothing but these alerts, such as ones just acknowledged. Returns how many."""
    wanted = set(alert_ids)
    rows = connection.execute(select(MESSAGES.c.id, MESSAGES.c.alert_ids).where(_PENDING, MESSAGES.c.kind.in_(REMINDERS)))
    found = [row.id for row in rows if wanted.issuperset(json.loads(row.alert_ids))]
    return cancel(connection, found, reason, now) if found else 0


def let_go(connection: Connection, kind: str, patient_id: str, now: datetime, *, address: str | None = None) -> None:
    """Mails about a patient that are held for the morning go now: there is news of him, and it must not overtake them."""
    theirs = [MESSAGES.c.patient_id == patient_id, MESSAGES.c.kind == kind, MESSAGES.c.fencing_token == 0]
    if address is not None:
        theirs.append(MESSAGES.c.recipient_address == address)
    held = MESSAGES.update().where(_PENDING, *theirs, MESSAGES.c.next_attempt_at > now)
    connection.execute(held.values(next_attempt_at=now))


def give_way(connection: Connection, id_: int, now: datetime) -> None:
    """A message that waits again after an attempt is cancelled where a newer mail says all of it: it would arrive later."""
    row = connection.execute(select(MESSAGES).where(MESSAGES.c.id == id_, _PENDING)).one_or_none()
    if row is None or row.kind not in OVERTAKEN or row.patient_id is None:
        return
    where = {"patient": row.patient_id, "address": row.recipient_address, "after": id_}
    for newer in connection.execute(_NEWER, where):
        held = newer.fencing_token == 0 and newer.next_attempt_at > now  # for the morning
        covered = set(json.loads(newer.alert_ids)).issuperset(json.loads(row.alert_ids))
        if covered and not held and row.priority <= newer.priority:
            cancel(connection, [id_], SUPERSEDED, now)
            return


def _supersede(connection: Connection, messages: Sequence[NewMessage], now: datetime) -> None:
    alone = [message for message in messages if message.kind == "alert" and message.patient_id is not None]
    older: dict[tuple[str, str], list[Any]] = {}
    for start in range(0, len(alone), _CHUNK):
        patients = [message.patient_id for message in alone[start : start + _CHUNK]]
        for row in connection.execute(_WAITING_ABOUT, {"patients": patients}):
            older.setdefault((row.patient_id, row.recipient_address), []).append(row)
    if not older:
        return
    for message in alone:
        rows = older.get((message.patient_id or "", message.recipient_address), [])
        found = [row.id for row in rows if _says_it_all(message, row, now)]
        if found:
            cancel(connection, found, SUPERSEDED, now)


def _says_it_all(message: NewMessage, older: Any, now: datetime) -> bool:
    due = message.due_at or now
    if due > now and older.next_attempt_at < due:  # a mail that waits for the morning does not silence one that goes before
        return False
    return bool(older.priority <= message.priority) and set(message.alert_ids).issuperset(json.loads(older.alert_ids))


def counts(connection: Connection) -> dict[str, int]:
    """How many messages are in each state; states without any are 0."""
    found = dict.fromkeys(("pending", "sending", "accepted", "dead", "cancelled"), 0)
    for state, number in connection.execute(select(MESSAGES.c.state, func.count()).group_by(MESSAGES.c.state)):
        found[state] = number
    return found


def oldest_waiting(connection: Connection) -> datetime | None:
    """When the oldest message was decided that no relay has accepted yet, or None."""
    waiting = MESSAGES.c.state.in_(("pending", "sending"))
    return connection.execute(select(func.min(MESSAGES.c.created_at)).where(waiting)).scalar()


def last_trouble(connection: Connection) -> str | None:
    """What the relay said last of a message that nobody has accepted yet, or None; without any address."""
    waiting = select(MESSAGES.c.id).where(MESSAGES.c.state.in_((literal_column("'pending'"), literal_column("'sending'"))))
    newest = connection.execute(
        select(ATTEMPTS.c.outcome, ATTEMPTS.c.reply)
        .where(ATTEMPTS.c.message.in_(waiting))
        .order_by(ATTEMPTS.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if newest is None else f"{newest.outcome.replace('_', ' ')}: {newest.reply}"


def with_ids(connection: Connection, ids: Iterable[int]) -> list[StoredMessage]:
    """The messages with these ids, oldest first."""
    query = select(MESSAGES).where(MESSAGES.c.id.in_(list(ids))).order_by(MESSAGES.c.id)
    return [stored(row) for row in connection.execute(query)]


def attempts_of(connection: Connection, ids: Iterable[int]) -> dict[int, list[Attempt]]:
    """The attempts of each message, oldest first; every message asked for has an entry."""
    found: dict[int, list[Attempt]] = {id_: [] for id_ in ids}
    columns = (ATTEMPTS.c.message, ATTEMPTS.c.at, ATTEMPTS.c.outcome, ATTEMPTS.c.reply, ATTEMPTS.c.relay)
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


def stored(row: Any, **changed: Any) -> StoredMessage:
    """A row of the table as a message; ``changed`` holds what an update in the same transaction made of it."""
    fields = {name: value for name, value in row._mapping.items() if name != "lease_until"}  # noqa: SLF001  # its public name
    fields |= {"alert_ids": tuple(json.loads(row.alert_ids)), "headers": json.loads(row.headers)}
    return StoredMessage(**{**fields, **changed})
