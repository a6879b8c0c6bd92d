"""Random secrets of this installation, made when first needed: a new one each year for each purpose."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from monitor.store.watch_tables import KEYS

REPLY_TOKENS = "reply tokens"
BOARD_LINKS = "board links"
BOARD_SESSIONS = "board sessions"
BELIEVED = 3
"""The newest so many are believed: this year's, last year's, and that of a year the clock was in by mistake."""


def keys_for(connection: Connection, purpose: str, now: datetime) -> tuple[str, ...]:
    """The secrets of a purpose, the oldest first, this year's made if need be. The last one signs, each is believed.

    Needs a writing transaction. A secret that is deleted ends what it signed.
    """
    name = f"{purpose} {now.astimezone(UTC).year:04}"
    if connection.execute(select(KEYS.c.name).where(KEYS.c.name == name)).scalar() is None:
        connection.execute(KEYS.insert(), {"name": name, "secret": secrets.token_urlsafe(32)})
    return known_keys(connection, purpose)


def known_keys(connection: Connection, purpose: str) -> tuple[str, ...]:
    """The secrets of a purpose that there are, the oldest first."""
    rows = connection.execute(select(KEYS.c.secret).where(KEYS.c.name.startswith(f"{purpose} ")).order_by(KEYS.c.name))
    return tuple(rows.scalars().all()[-BELIEVED:])
