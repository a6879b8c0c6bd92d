"""Random secrets of this installation, made when first needed. One a year of each purpose: the old one is still believed."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from monitor.store.watch_tables import KEYS

REPLY_TOKENS = "reply tokens"


def keys_for(connection: Connection, purpose: str, now: datetime) -> tuple[str, ...]:
    """The secrets of a purpose, the oldest first: last year's, where there was one, and this year's, made if need be.

    The last one signs. Needs a writing transaction. A secret that is deleted ends what it signed.
    """
    year = now.astimezone(UTC).year
    known = known_keys(connection, purpose, now)
    if f"{purpose} {year}" not in known:
        known |= {f"{purpose} {year}": secrets.token_urlsafe(32)}
        connection.execute(KEYS.insert(), {"name": f"{purpose} {year}", "secret": known[f"{purpose} {year}"]})
    return tuple(known.values())


def known_keys(connection: Connection, purpose: str, now: datetime) -> dict[str, str]:
    """Last year's secret and this year's by name, those that there are."""
    year = now.astimezone(UTC).year
    names = [f"{purpose} {each}" for each in (year - 1, year)]
    rows = connection.execute(select(KEYS.c.name, KEYS.c.secret).where(KEYS.c.name.in_(names)).order_by(KEYS.c.name))
    return {row.name: row.secret for row in rows}
