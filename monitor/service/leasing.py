"""The lease as the daemon holds it: taken at its start, kept while it works, given back when it ends.

Where several may watch one database each has its own, which says that it is there and keeps nobody out. What only one of
them is to do at a time, such as reading a mailbox, it does in ``turn``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from monitor.errors import DatabaseError
from monitor.service import clock
from monitor.service.holder import has_died, own_holder, this_process
from monitor.store import lease
from monitor.store.database import Database

log = logging.getLogger(__name__)

LEASE_ROUNDS = 3
"""A daemon that has not renewed its lease for so many intervals is taken for dead."""

LEASE_AT_LEAST = timedelta(minutes=2)
FORGOTTEN_AFTER = timedelta(days=1)
RENEWED_BEFORE_ITS_END = 4
"""Within a long round it is renewed when a quarter of it is used up."""


class LeaseLostError(DatabaseError):
    """Somebody else watches this database now, or it is not the one at its path any more."""


class HeldLease:
    """This process's lease on a database."""

    def __init__(self, database: Database, poll_every: timedelta) -> None:
        self._database = database
        self.adapt(poll_every)
        self._renewed = clock.monotonic_seconds()
        self._lease = self._own() if database.shared else self._taken()

    @property
    def holder(self) -> str:
        """This process, as the lease names it."""
        return self._lease.holder

    def adapt(self, poll_every: timedelta) -> None:
        """Last for rounds of another interval."""
        self._ttl = max(LEASE_AT_LEAST, LEASE_ROUNDS * poll_every)

    def keep(self) -> None:
        """Make sure that it is ours still, of the database at its path, and renew it in time.

        Raises LeaseLostError: then this daemon must end.
        """
        self.check_place()
        with self._database.read() as connection:
            now_held = lease.current(connection, self._lease.name)
        if now_held is not None and now_held.token == self._lease.token and not self._is_used_up():
            return
        with self._database.write("lease", beside_others=True) as connection:
            renewed = lease.renew(connection, self._lease, now=clock.now(), ttl=self._ttl)
        if renewed is None and self._database.shared:  # another database, or a restored one
            renewed = self._own()
        if renewed is None:
            raise LeaseLostError("another daemon has taken this database; this one stops")
        self._lease, self._renewed = renewed, clock.monotonic_seconds()

    def check_place(self) -> None:
        """Raises LeaseLostError where another file, or none, stands at the path of the database."""
        if self._database.replaced():
            raise LeaseLostError("the database file was removed or replaced; this daemon stops, the next opens what is there")

    def keep_in_time(self) -> None:
        """As ``keep``, if a part of it is used up: for between the steps of long work."""
        if self._is_used_up():
            self.keep()

    def _is_used_up(self) -> bool:
        return clock.monotonic_seconds() - self._renewed > (self._ttl / RENEWED_BEFORE_ITS_END).total_seconds()

    def give_back(self) -> None:
        """Nobody need wait for its end."""
        with self._database.write("lease", beside_others=True) as connection:
            lease.release(connection, self._lease, now=clock.now())

    def _own(self) -> lease.Lease:
        """One beside those of others."""
        now = clock.now()
        holder = own_holder(now)
        with self._database.write("lease") as connection:
            lease.forget(connection, now - FORGOTTEN_AFTER)
            taken = lease.acquire(connection, holder, now=now, ttl=self._ttl, name=holder)
        if taken is None:
            raise DatabaseError("the lease of this very process is another's; please report this")
        return taken

    def _taken(self) -> lease.Lease:
        with self._database.write("lease") as connection:
            held = lease.current(connection)
            if held is not None and has_died(held.holder):
                log.warning("the last daemon died without giving the database back; what it had begun is taken up")
                lease.release(connection, held, now=clock.now())
            taken = lease.acquire(connection, own_holder(clock.now()), now=clock.now(), ttl=self._ttl)
        if taken is None:
            raise DatabaseError(
                "another daemon is watching this database; stop it first, or wait "
                f"{int(self._ttl.total_seconds())} s if it has died on another machine"
            )
        return taken


@contextmanager
def turn(database: Database, what: str, *, at_most: timedelta) -> Iterator[bool]:
    """Whether it is this process that does ``what`` now; where several may watch a database, one at a time does.

    Who dies in between is waited for ``at_most``, or not at all where he was of this machine.
    """
    if not database.shared:
        yield True
        return
    now, mine = clock.now(), this_process()
    with database.write("turn") as connection:
        held = lease.current(connection, what)
        if held is not None and held.holder != mine and has_died(held.holder):
            lease.release(connection, held, now=now)
        busy = held is not None and held.holder == mine and held.until > now  # in another thread
        taken = None if busy else lease.acquire(connection, mine, now=now, ttl=at_most, name=what)
    try:
        yield taken is not None
    finally:
        if taken is not None:
            with database.write("turn") as connection:
                lease.release(connection, taken, now=clock.now())
