"""What people answered: what the answers' mailbox brought, each mail once, and how many acts there were of each kind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, select

from monitor.store.tables import ALERT_EVENTS, MESSAGES
from monitor.store.watch_tables import ANSWERS

AnswerKind = Literal["acknowledged", "no effect", "automatic answer", "bounce", "not believed", "other"]

_CHUNK = 500
_COLUMNS = (
    MESSAGES.c.id,
    MESSAGES.c.kind,
    MESSAGES.c.alert_ids,
    MESSAGES.c.recipient_address,
    MESSAGES.c.recipient_name,
    MESSAGES.c.created_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The message that an answer is about, and whom it told."""

    id: int
    kind: str
    alert_ids: tuple[int, ...]
    address: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """One mail that was dealt with. ``words`` hold nothing of its text and no address."""

    key: str
    at: datetime
    kind: str
    message: int | None
    words: str


def is_known(connection: Connection, key: str) -> bool:
    """Whether the mail with this hash was dealt with already."""
    return connection.execute(select(ANSWERS.c.key).where(ANSWERS.c.key == key)).scalar() is not None


def record(connection: Connection, answer: Answer) -> None:
    """Keep that a mail was dealt with, in the transaction that did so."""
    row = {"key": answer.key, "at": answer.at, "kind": answer.kind, "message": answer.message, "words": answer.words}
    connection.execute(ANSWERS.insert(), row)


def all_answers(connection: Connection) -> list[Answer]:
    """All that was ever dealt with, oldest first."""
    columns = ANSWERS.c
    query = select(columns.key, columns.at, columns.kind, columns.message, columns.words).order_by(columns.at, columns.key)
    return [Answer(*row) for row in connection.execute(query)]


def counts(connection: Connection) -> dict[str, int]:
    """How many mails of each kind there were."""
    query = select(ANSWERS.c.kind, func.count().label("mails")).group_by(ANSWERS.c.kind)
    return {row.kind: row.mails for row in connection.execute(query)}


def by_reply_key(connection: Connection, reply_key: str) -> Asked | None:
    """The message that was given this reply key."""
    return _one(connection, MESSAGES.c.reply_key == reply_key)


def by_number(connection: Connection, number: int) -> Asked | None:
    """The message of this number."""
    return _one(connection, MESSAGES.c.id == number)


def by_message_ids(connection: Connection, message_ids: Sequence[str]) -> Asked | None:
    """The first of these Message-IDs that one of our messages has."""
    found = (_one(connection, MESSAGES.c.message_id == each) for each in message_ids)
    return next((each for each in found if each is not None), None)


def _one(connection: Connection, which: ColumnElement[bool]) -> Asked | None:
    row: Any = connection.execute(select(*_COLUMNS).where(which)).first()
    if row is None:
        return None
    return Asked(
        id=row.id,
        kind=row.kind,
        alert_ids=tuple(json.loads(row.alert_ids)),
        address=row.recipient_address,
        name=row.recipient_name,
        created_at=row.created_at,
    )


def acts_since(connection: Connection, since: datetime) -> Counter[tuple[str, str]]:
    """How often people acted since then, by what they did ("acknowledged") and what they said of it ("disagree", or "")."""
    columns = ALERT_EVENTS.c
    query = select(columns.reason, columns.what).where(columns.by.is_not(None), columns.at >= since)
    return Counter((row.reason, (row.what or "").partition(":")[0]) for row in connection.execute(query))


def last_said(connection: Connection, alert_ids: Collection[int]) -> dict[int, str]:
    """What was said with the newest acknowledgement of each alert that has one: "dose-reviewed:held"."""
    columns, found = ALERT_EVENTS.c, dict[int, str]()
    ordered = sorted(alert_ids)
    for start in range(0, len(ordered), _CHUNK):
        theirs = columns.alert_id.in_(ordered[start : start + _CHUNK])
        query = select(columns.alert_id, columns.what).where(theirs, columns.reason == "acknowledged", columns.what.is_not(None))
        found |= {row.alert_id: row.what for row in connection.execute(query.order_by(columns.id))}
    return found
