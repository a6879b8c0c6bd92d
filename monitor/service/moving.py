"""``migrate --from``: everything that another database holds, moved into the configured one, while nobody watches either."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import select

from monitor.errors import DatabaseError
from monitor.service import clock
from monitor.service.holder import has_died
from monitor.store import moving
from monitor.store.canonical import Content
from monitor.store.database import Database, open_database
from monitor.store.migrate import migrate
from monitor.store.moving import Moved
from monitor.store.tables import LEASES


def move(from_url: str, to_url: str, *, told: Callable[[Content], None], password: str | None = None) -> Moved:
    """Move everything from one database to the other, which is made if it is not there; ``told`` hears of each table.

    Raises DatabaseError, with nothing moved, where a daemon watches the first, the second holds anything, or what
    arrived is not what was sent.
    """
    with closing(moving.open_source(from_url, password=password)) as source:
        _refuse_a_watched_one(source)
        with closing(open_database(to_url, create=True, password=password)) as target:
            migrate(target)
            return moving.move(source, target, told=told)


def _refuse_a_watched_one(source: Database) -> None:
    with source.read() as connection:
        holders = connection.execute(select(LEASES.c.holder).where(LEASES.c.until > clock.now())).scalars().all()
    if not all(has_died(holder) for holder in holders):
        raise DatabaseError("a daemon watches the database to move from: stop it, then repeat")


def as_json(moved: Moved) -> dict[str, Any]:
    """The stable shape of ``migrate --from --format json``."""
    return {
        "tables": [
            {"table": each.table, "rows": each.rows, "sha256": each.sha256, "replaced": each.mended} for each in moved.tables
        ],
        "journal": {
            "entries": moved.journal.entries,
            "last_sha256": moved.journal.last_sha256,
            "intact": moved.journal.intact,
        },
    }


def as_text(moved: Moved) -> str:
    """Each table with its rows and the hash that both sides have; then what is to be known of it."""
    width = max(len(each.table) for each in moved.tables)
    lines = [f"{each.table:<{width}}  {each.rows:>9} rows  {each.sha256}" for each in moved.tables]
    lines += [
        f"{each.table}: {each.mended} rows held bytes that are no text; U+FFFD stands in their place"
        for each in moved.tables
        if each.mended
    ]
    verdict = moved.journal
    state = "intact" if verdict.intact else f"broken at entry {verdict.broken_at}, as it was before"
    lines.append(f"journal: {verdict.entries} entries, {state}, last hash {verdict.last_sha256}")
    lines.append(
        "moved: both databases hold the same; put the new one into `database:`, start the daemon, keep the old one aside"
    )
    return "\n".join(lines)
