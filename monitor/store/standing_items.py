"""What a feed says that still stands, by name alone: for feeds that show what there is and never say what is gone."""

from __future__ import annotations

from sqlalchemy import Connection, select

from monitor.store.feed_tables import ITEMS


def standing_items(connection: Connection, feed: str, type_: str) -> dict[str, str | None]:
    """Id of every piece of a type that was not taken back, with when it was recorded."""
    query = select(ITEMS.c.id, ITEMS.c.recorded_at).where(
        (ITEMS.c.feed == feed) & (ITEMS.c.type == type_) & (ITEMS.c.voided == 0)
    )
    return {row.id: row.recorded_at for row in connection.execute(query)}
