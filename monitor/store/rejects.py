"""What feeds brought and was refused: kept until the same file or record comes in whole. No value of a record is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from monitor.store.feed_tables import REJECTS

MOST_OF_ONE_ORIGIN = 1000
"""A file of another format has as many mistakes as rows: the first say what is wrong, one more says how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One thing refused. ``origin`` is the file or record, ``line`` and ``column`` None where all of it is meant."""

    at: datetime
    feed: str
    origin: str
    line: int | None
    column: str | None
    problem: str


def replace(connection: Connection, rejects: Sequence[Reject], *, feed: str, origin: str, now: datetime) -> None:
    """What is refused of ``origin`` now takes the place of what was refused of it before. In a writing transaction."""
    is_open = (REJECTS.c.feed == feed) & (REJECTS.c.origin == origin) & REJECTS.c.settled_at.is_(None)
    connection.execute(REJECTS.update().where(is_open).values(settled_at=now))
    kept = list(rejects[:MOST_OF_ONE_ORIGIN])
    if len(rejects) > len(kept):
        words = f"and {len(rejects) - len(kept)} more; the report beside the file has them all"
        kept.append(Reject(at=now, feed=feed, origin=origin, line=None, column=None, problem=words))
    if kept:
        connection.execute(
            REJECTS.insert(),
            [
                {"at": r.at, "feed": feed, "origin": origin, "line": r.line, "column_name": r.column, "problem": r.problem}
                for r in kept
            ],
        )


def still_open(connection: Connection, *, at_most: int) -> list[Reject]:
    """What is refused and not yet settled, the newest first."""
    query = select(REJECTS).where(REJECTS.c.settled_at.is_(None)).order_by(REJECTS.c.id.desc()).limit(at_most)
    return [
        Reject(at=row.at, feed=row.feed, origin=row.origin, line=row.line, column=row.column_name, problem=row.problem)
        for row in connection.execute(query)
    ]


def open_by_feed(connection: Connection) -> dict[str, int]:
    """How many of each feed are not settled."""
    query = select(REJECTS.c.feed, func.count()).where(REJECTS.c.settled_at.is_(None)).group_by(REJECTS.c.feed)
    return {row[0]: row[1] for row in connection.execute(query)}


def open_origins(connection: Connection, feed: str) -> set[str]:
    """The files or records of a feed of which something is not settled."""
    query = select(REJECTS.c.origin).where((REJECTS.c.feed == feed) & REJECTS.c.settled_at.is_(None)).distinct()
    return set(connection.execute(query).scalars())
