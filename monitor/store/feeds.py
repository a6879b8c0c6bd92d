"""How each feed fares: when it was last asked, answered and brought something, how far it was read, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from monitor.store.feed_tables import FEEDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feed as it stands. ``problem`` is in words that hold nothing of a patient; None while all is well."""

    name: str
    kind: str
    cursor: str | None = None
    tried_at: datetime | None = None
    ok_at: datetime | None = None
    received_at: datetime | None = None
    problem: str | None = None
    problem_since: datetime | None = None
    failures: int = 0
    retry_at: datetime | None = None
    held_by: str | None = None
    held_until: datetime | None = None


def record(
    connection: Connection,
    name: str,
    kind: str,
    *,
    now: datetime,
    received: bool,
    cursor: str | None = None,
    problem: str | None = None,
    retry_at: datetime | None = None,
) -> None:
    """A feed was asked, or came. ``cursor`` None leaves it where it was. In the caller's writing transaction.

    With a ``problem`` it is a failure more, and not tried again before ``retry_at``.
    """
    known = load(connection, name)
    changes: dict[str, Any] = {"kind": kind, "tried_at": now, "problem": problem}
    changes["problem_since"] = None if problem is None else (known and known.problem_since) or now
    changes["failures"] = 0 if problem is None else (known.failures if known else 0) + 1
    changes["retry_at"] = None if problem is None else retry_at
    if problem is None:
        changes["ok_at"] = now
    if received:
        changes["received_at"] = now
    if cursor is not None:
        changes["cursor"] = cursor
    if known is None:
        connection.execute(FEEDS.insert(), {"name": name, **changes})
    else:
        connection.execute(FEEDS.update().where(FEEDS.c.name == name).values(**changes))


def load(connection: Connection, name: str) -> Feed | None:
    """One feed, or None if it never came."""
    row = connection.execute(select(FEEDS).where(FEEDS.c.name == name)).mappings().one_or_none()
    return None if row is None else Feed(**row)


def all_feeds(connection: Connection) -> list[Feed]:
    """Every feed that ever came, by name."""
    return [Feed(**row) for row in connection.execute(select(FEEDS).order_by(FEEDS.c.name)).mappings()]
