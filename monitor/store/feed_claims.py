"""One process at a time reads a feed: who holds it, and until when unless it is heard of again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, select, text

from monitor.store.feed_tables import FEEDS

_MADE = text("INSERT INTO feeds (name, kind, failures) VALUES (:name, :kind, 0) ON CONFLICT DO NOTHING")


def take(
    connection: Connection, name: str, kind: str, *, holder: str, now: datetime, until: datetime, has_died: Callable[[str], bool]
) -> bool:
    """Whether the feed is ``holder``'s until then. Waits for nobody: another one may be storing what it brought.

    In a writing transaction. Whoever ``has_died`` holds nothing any more.
    """
    if connection.execute(select(FEEDS.c.name).where(FEEDS.c.name == name)).one_or_none() is None:
        connection.execute(_MADE, {"name": name, "kind": kind})
    row = connection.execute(
        select(FEEDS.c.held_by, FEEDS.c.held_until).where(FEEDS.c.name == name).with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return False
    free = row.held_by in (None, holder) or row.held_until is None or row.held_until <= now or has_died(row.held_by)
    if free:
        connection.execute(FEEDS.update().where(FEEDS.c.name == name).values(held_by=holder, held_until=until))
    return free


def keep(connection: Connection, name: str, *, holder: str, until: datetime) -> bool:
    """Whether the feed is the holder's still, who then keeps it until then. In a writing transaction."""
    mine = (FEEDS.c.name == name) & (FEEDS.c.held_by == holder)
    return connection.execute(FEEDS.update().where(mine).values(held_until=until)).rowcount == 1


def give_back(connection: Connection, name: str, *, holder: str) -> None:
    """Others may have it. In a writing transaction."""
    mine = (FEEDS.c.name == name) & (FEEDS.c.held_by == holder)
    connection.execute(FEEDS.update().where(mine).values(held_by=None, held_until=None))
