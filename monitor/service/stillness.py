"""Why an idle job need not run: nobody has written since its last run began, and nothing is due by time alone.

A mistake here would be silence. So it holds for half a minute at most, it is forgotten whenever somebody wakes the job, sets
the clock or changes the configuration, and it never holds on a database that does not count its commits.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.service import clock
from monitor.service.opening import Site
from monitor.store.stillness import CommitWatch

AT_MOST = timedelta(seconds=30)


class Stillness:
    """One job's. ``holds``, ``begin`` and ``forget`` belong to the loop's thread, ``end`` to the job's."""

    def __init__(
        self, site: Callable[[], Site], next_at: Callable[[Connection], datetime | None], now: Callable[[], datetime]
    ) -> None:
        self._site, self._next_at, self._now = site, next_at, now
        self._watch: CommitWatch | None = None
        self._of: Site | None = None
        self._version: int | None = None
        self._until: datetime | None = None
        self._ended: float | None = None

    def holds(self) -> bool:
        """Whether a run would find nothing."""
        if self._ended is None or self._version is None or self._site() is not self._of:
            return False
        if clock.monotonic_seconds() - self._ended > AT_MOST.total_seconds():
            return False
        return (self._until is None or self._now() < self._until) and self._committed() == self._version

    def begin(self) -> None:
        """A run begins: what is committed from now on, by whomever, is not still any more."""
        self._ended = None
        if self._of is not self._site():
            self.close()
            self._of = self._site()
            self._watch = CommitWatch(self._of.database)
        self._version = self._committed()

    def end(self, site: Site) -> None:
        """The run found all that was due; ``site`` is the one it worked on."""
        with site.database.read() as connection:
            self._until = self._next_at(connection)
        self._ended = clock.monotonic_seconds()

    def forget(self) -> None:
        """The next run takes place."""
        self._ended = None

    def close(self) -> None:
        """Give the connection back."""
        if self._watch is not None:
            self._watch.close()
        self._watch = None

    def _committed(self) -> int | None:
        return None if self._watch is None else self._watch.version()
