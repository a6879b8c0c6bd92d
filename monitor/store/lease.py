"""One daemon to a database: a lease that its holder renews, with a token that fences off whoever lost it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from monitor.store.tables import LEASES

_NAME = "daemon"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds it and until when. A larger token is a later holder."""

    holder: str
    token: int
    until: datetime


def current(connection: Connection) -> Lease | None:
    """The lease as it stands, over or not; None if nobody ever held it."""
    row = connection.execute(select(LEASES).where(LEASES.c.name == _NAME)).one_or_none()
    return None if row is None else Lease(row.holder, row.token, row.until)


def acquire(connection: Connection, holder: str, *, now: datetime, ttl: timedelta) -> Lease | None:
    """Take the lease for ``ttl`` if nobody else holds it now; None if somebody does. In a writing transaction."""
    held = current(connection)
    if held is not None and held.until > now and held.holder != holder:
        return None
    taken = Lease(holder, 1 if held is None else held.token + 1, now + ttl)
    columns = {"holder": taken.holder, "token": taken.token, "until": taken.until}
    if held is None:
        connection.execute(LEASES.insert(), {"name": _NAME, **columns})
    else:
        connection.execute(LEASES.update().where(LEASES.c.name == _NAME).values(**columns))
    return taken


def renew(connection: Connection, lease: Lease, *, now: datetime, ttl: timedelta) -> Lease | None:
    """The lease for ``ttl`` more, or None if another one took it since: its holder must stop."""
    mine = (LEASES.c.name == _NAME) & (LEASES.c.token == lease.token)
    done = connection.execute(LEASES.update().where(mine).values(until=now + ttl))
    return Lease(lease.holder, lease.token, now + ttl) if done.rowcount == 1 else None


def release(connection: Connection, lease: Lease, *, now: datetime) -> None:
    """Give the lease back, so that the next one need not wait for its end."""
    mine = (LEASES.c.name == _NAME) & (LEASES.c.token == lease.token)
    connection.execute(LEASES.update().where(mine).values(until=now))
