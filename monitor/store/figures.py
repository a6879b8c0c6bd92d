"""What ``status`` and the metrics count: questions about the whole installation, answered from the tables as they are now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, func, literal_column, or_, select

from monitor.store.tables import ATTEMPTS, MESSAGES, POLICIES
from monitor.store.watch_tables import CIRCUITS, JOURNAL

STATEMENT = "statement"
"""The subject under which the journal keeps the coverage statements."""

_WAITS = MESSAGES.c.state.in_([literal_column("'pending'"), literal_column("'sending'")])
_TRIED = MESSAGES.c.fencing_token > 0


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """A relay (``relay`` or ``fallback``) that takes no mail, since when, and what it said last."""

    relay: str
    since: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A mail about alerts that a relay took: the attempt's id, when the mail was decided, and when it was taken."""

    attempt: int
    decided_at: datetime
    accepted_at: datetime


def open_circuits(connection: Connection) -> list[OpenCircuit]:
    """The relays that take no mail now, the longest standing first."""
    columns = CIRCUITS.c
    rows = connection.execute(select(columns.relay, columns.open_since, columns.words).where(columns.open_since.is_not(None)))
    return sorted((OpenCircuit(*row) for row in rows), key=lambda circuit: (circuit.since, circuit.relay))


def waiting_since(connection: Connection, now: datetime) -> datetime | None:
    """Since when the mail waits that has waited longest, or None. What is held for its time has not begun to wait."""
    began = case((_TRIED, MESSAGES.c.created_at), else_=MESSAGES.c.next_attempt_at)
    due = or_(_TRIED, MESSAGES.c.next_attempt_at <= now)
    return connection.execute(select(func.min(began)).where(_WAITS, due)).scalar()


def held_for_later(connection: Connection, now: datetime) -> int:
    """How many mails wait for a time that was chosen, such as the end of somebody's quiet hours."""
    held = and_(MESSAGES.c.state == literal_column("'pending'"), ~_TRIED, MESSAGES.c.next_attempt_at > now)
    return int(connection.execute(select(func.count()).select_from(MESSAGES).where(held)).scalar_one())


def dead_ends(connection: Connection) -> dict[str, int]:
    """Addresses for which a message was given up and none was accepted since, and how many were given up."""
    later = MESSAGES.alias("later")
    mended = (
        select(later.c.id)
        .where(
            later.c.recipient_address == MESSAGES.c.recipient_address,
            later.c.id > MESSAGES.c.id,
            later.c.state == literal_column("'accepted'"),
        )
        .exists()
    )
    query = select(MESSAGES.c.recipient_address, func.count()).where(MESSAGES.c.state == literal_column("'dead'"), ~mended)
    return {row[0]: row[1] for row in connection.execute(query.group_by(MESSAGES.c.recipient_address))}


def attempts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many attempts ended how at which relay: by outcome, and ``relay``, ``fallback`` or ``unknown``."""
    relay = func.coalesce(ATTEMPTS.c.relay, "unknown")
    query = select(ATTEMPTS.c.outcome, relay, func.count()).group_by(ATTEMPTS.c.outcome, relay)
    return {(outcome, name): number for outcome, name, number in connection.execute(query)}


def accepted_alerts(connection: Connection, *, after: int) -> Iterator[Accepted]:
    """The mails about new or worse alerts that were taken since the attempt with this id."""
    joined = ATTEMPTS.join(MESSAGES, MESSAGES.c.id == ATTEMPTS.c.message)
    query = select(ATTEMPTS.c.id, MESSAGES.c.created_at, ATTEMPTS.c.at).select_from(joined).order_by(ATTEMPTS.c.id)
    row: Any
    for row in connection.execute(
        query.where(ATTEMPTS.c.id > after, ATTEMPTS.c.outcome == "accepted", MESSAGES.c.kind == "alert")
    ):
        yield Accepted(*row)


def last_attempt(connection: Connection) -> int:
    """The id of the newest attempt, 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(ATTEMPTS.c.id), 0))).scalar_one())


def last_clean_statement_at(connection: Connection) -> datetime | None:
    """When a coverage statement was last clean, of the last sixty; None without one."""
    columns = JOURNAL.c
    statements = select(columns.at, columns.body).where(columns.subject == STATEMENT, columns.event == "coverage")
    for row in connection.execute(statements.order_by(columns.id.desc()).limit(60)):
        body = json.loads(row.body)
        if body.get("clean", not body.get("unexplained")):
            at: datetime = row.at
            return at
    return None


def first_policy_at(connection: Connection) -> datetime | None:
    """When the first policy was recorded: since then this installation watches."""
    return connection.execute(select(func.min(POLICIES.c.loaded_at))).scalar()
