"""Who watches: a lease that its holder renews, with a token that fences off whoever lost it.

An SQLite database has one lease, and so one daemon. On PostgreSQL each daemon has one of its own, named as its holder,
by which others see that it is there; and what one of them is to do at a time has one by its own name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select

from monitor.store.tables import LEASES

ONLY_ONE = "daemon"
"""The lease of a database that one daemon watches."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds it and until when. A larger token is a later holder."""

    holder: str
    token: int
    until: datetime
    name: str = ONLY_ONE


def current(connection: Connection, name: str = ONLY_ONE) -> Lease | None:
    """The lease as it stands, over or not; None if nobody ever held it."""
    row = connection.execute(select(LEASES).where(LEASES.c.name == name)).one_or_none()
    return None if row is None else Lease(row.holder, row.token, row.until, name)


def of_daemons(connection: Connection, now: datetime) -> list[Lease]:
    """Those of every daemon that are not over."""
    theirs = or_(LEASES.c.name == ONLY_ONE, LEASES.c.name == LEASES.c.holder)
    rows = connection.execute(select(LEASES).where(theirs, LEASES.c.until > now).order_by(LEASES.c.name))
    return [Lease(row.holder, row.token, row.until, row.name) for row in rows]


def declare(connection: Connection, said: Lease) -> None:
    """Let others see what a daemon says of itself, in the place of what it said before."""
    withdraw(connection, said.name)
    columns = {"name": said.name, "holder": said.holder, "token": said.token, "until": said.until}
    connection.execute(LEASES.insert(), columns)


def withdraw(connection: Connection, name: str) -> None:
    """Nothing is said by this name any more."""
    connection.execute(delete(LEASES).where(LEASES.c.name == name))


def declared(connection: Connection, prefix: str, now: datetime) -> list[Lease]:
    """What the daemons say of themselves, by names that begin so, as far as it is not over."""
    rows = connection.execute(select(LEASES).where(LEASES.c.name.startswith(prefix, autoescape=True), LEASES.c.until > now))
    return [Lease(row.holder, row.token, row.until, row.name) for row in rows]


def forget(connection: Connection, before: datetime) -> None:
    """Nobody renews these any more: over since ``before``."""
    connection.execute(delete(LEASES).where(LEASES.c.until < before))


def acquire(connection: Connection, holder: str, *, now: datetime, ttl: timedelta, name: str = ONLY_ONE) -> Lease | None:
    """Take the lease for ``ttl`` if nobody else holds it now; None if somebody does. In a writing transaction."""
    held = current(connection, name)
    if held is not None and held.until > now and held.holder != holder:
        return None
    taken = Lease(holder, 1 if held is None else held.token + 1, now + ttl, name)
    columns = {"holder": taken.holder, "token": taken.token, "until": taken.until}
    if held is None:
        connection.execute(LEASES.insert(), {"name": name, **columns})
    else:
        connection.execute(LEASES.update().where(LEASES.c.name == name).values(**columns))
    return taken


def renew(connection: Connection, lease: Lease, *, now: datetime, ttl: timedelta) -> Lease | None:
    """The lease for ``ttl`` more, or None if another one took it since: its holder must stop."""
    mine = (LEASES.c.name == lease.name) & (LEASES.c.token == lease.token)
    done = connection.execute(LEASES.update().where(mine).values(until=now + ttl))
    return replace(lease, until=now + ttl) if done.rowcount == 1 else None


def release(connection: Connection, lease: Lease, *, now: datetime) -> None:
    """Give the lease back, so that the next one need not wait for its end."""
    mine = (LEASES.c.name == lease.name) & (LEASES.c.token == lease.token)
    connection.execute(LEASES.update().where(mine).values(until=now))
