"""What is wrong with this installation now: one row a trouble, until it is over. For ``status``, metrics and the daemon's log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from monitor.store.watch_tables import TROUBLES


@dataclass(frozen=True, slots=True)
class Trouble:
    """``name`` is fixed and short, such as ``last-good-configuration``; ``words`` say what is wrong and what to do.

    ``since`` is when it began. No patient and no address is in any of them.
    """

    name: str
    since: datetime
    words: str


def set_trouble(connection: Connection, name: str, words: str, now: datetime) -> bool:
    """Something is wrong, or still is: then its words are brought up to date and it keeps its beginning.

    Returns whether that is news. In the caller's writing transaction.
    """
    known = connection.execute(select(TROUBLES.c.words).where(TROUBLES.c.name == name)).one_or_none()
    if known is None:
        connection.execute(TROUBLES.insert(), {"name": name, "since": now, "words": words})
    elif known.words != words:
        connection.execute(TROUBLES.update().where(TROUBLES.c.name == name).values(words=words))
    return known is None


def clear_trouble(connection: Connection, name: str) -> bool:
    """It is over. Returns whether it was there."""
    return connection.execute(delete(TROUBLES).where(TROUBLES.c.name == name)).rowcount == 1


def is_known(connection: Connection, name: str) -> bool:
    """Whether it is wrong now."""
    return connection.execute(select(TROUBLES.c.name).where(TROUBLES.c.name == name)).scalar() is not None


def all_troubles(connection: Connection) -> list[Trouble]:
    """What is wrong now, that of the longest standing first."""
    rows = connection.execute(select(TROUBLES).order_by(TROUBLES.c.since, TROUBLES.c.name))
    return [Trouble(row.name, row.since, row.words) for row in rows]
