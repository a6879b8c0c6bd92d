"""What feeds brought and was refused: kept until the same file or record comes in whole. No value of a record is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from monitor.store.feed_tables import REJECTS

MOST_OF_ONE_ORIGIN = 1000
"""A file of another format has as many mistakes as rows: the first say what is wrong, one more says how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One thing refused. ``origin`` is the file or record, ``line`` and ``column`` None where all of it is meant.

    ``id`` is its number, 0 before it has one.
    """

    at: datetime
    feed: str
    origin: str
    line: int | None
    column: str | None
    problem: str
    id: int = 0


def replace(connection: Connection, rejects: Sequence[Reject], *, feed: str, origin: str, now: datetime) -> None:
    """What is refused of ``origin`` now takes the place of what was refused of it before. In a writing transaction.

    What is the same as before stays as old as it is: an export that comes again every night brings no news.
    """
    found = list(rejects[:MOST_OF_ONE_ORIGIN])
    if len(rejects) > len(found):
        words = f"and {len(rejects) - len(found)} more; the report beside the file has them all"
        found.append(Reject(at=now, feed=feed, origin=origin, line=None, column=None, problem=words))
    missing = Counter(map(_what, found))
    is_open = (REJECTS.c.feed == feed) & (REJECTS.c.origin == origin) & REJECTS.c.settled_at.is_(None)
    over = []
    for known in map(_reject, connection.execute(select(REJECTS).where(is_open))):
        if missing[_what(known)]:
            missing[_what(known)] -= 1
        else:
            over.append({"settled": known.id})
    if over:
        connection.execute(REJECTS.update().where(REJECTS.c.id == bindparam("settled")).values(settled_at=now), over)
    if new := [
        {"at": each.at, "feed": feed, "origin": origin, "line": each.line, "column_name": each.column, "problem": each.problem}
        for each in found
        if _is_missing(missing, _what(each))
    ]:
        connection.execute(REJECTS.insert(), new)


def still_open(connection: Connection, *, at_most: int, feed: str | None = None) -> list[Reject]:
    """What is refused and not yet settled, the newest first; of one feed or of all."""
    query = select(REJECTS).where(REJECTS.c.settled_at.is_(None)).order_by(REJECTS.c.id.desc()).limit(at_most)
    if feed is not None:
        query = query.where(REJECTS.c.feed == feed)
    return list(map(_reject, connection.execute(query)))


def of_origin(connection: Connection, feed: str, origin: str) -> list[Reject]:
    """What of one file or record is refused and not yet settled, in its order."""
    query = select(REJECTS).where(REJECTS.c.feed == feed, REJECTS.c.origin == origin, REJECTS.c.settled_at.is_(None))
    return list(map(_reject, connection.execute(query.order_by(REJECTS.c.id))))


def settle(connection: Connection, reject_id: int, *, now: datetime) -> Reject | None:
    """Nothing more is to be done about it, a person says; what it was, or None where nothing open has this number."""
    one = (REJECTS.c.id == reject_id) & REJECTS.c.settled_at.is_(None)
    row = connection.execute(select(REJECTS).where(one)).one_or_none()
    connection.execute(REJECTS.update().where(one).values(settled_at=now))
    return None if row is None else _reject(row)


def newest_at(connection: Connection) -> dict[str, datetime]:
    """When the newest of what is open of each feed was refused."""
    query = select(REJECTS.c.feed, func.max(REJECTS.c.at)).where(REJECTS.c.settled_at.is_(None)).group_by(REJECTS.c.feed)
    return {row[0]: row[1] for row in connection.execute(query)}


def open_by_feed(connection: Connection) -> dict[str, int]:
    """How many of each feed are not settled."""
    query = select(REJECTS.c.feed, func.count()).where(REJECTS.c.settled_at.is_(None)).group_by(REJECTS.c.feed)
    return {row[0]: row[1] for row in connection.execute(query)}


def open_origins(connection: Connection, feed: str) -> set[str]:
    """The files or records of a feed of which something is not settled."""
    query = select(REJECTS.c.origin).where((REJECTS.c.feed == feed) & REJECTS.c.settled_at.is_(None)).distinct()
    return set(connection.execute(query).scalars())


def _what(reject: Reject) -> tuple[int | None, str | None, str]:
    return reject.line, reject.column, reject.problem


def _is_missing(missing: Counter[tuple[int | None, str | None, str]], what: tuple[int | None, str | None, str]) -> bool:
    """Whether one more of it is to be stored; takes it off what is missing."""
    missing[what] -= 1
    return missing[what] >= 0


def _reject(row: Any) -> Reject:
    return Reject(
        at=row.at, feed=row.feed, origin=row.origin, line=row.line, column=row.column_name, problem=row.problem, id=row.id
    )
