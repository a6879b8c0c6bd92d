"""How far a job of the daemon has come, on the monotonic clock: what the watchdog and the supervisor ask about."""

from __future__ import annotations

from datetime import timedelta

from monitor.service import clock

IDLE_INTERVALS = 2
IDLE_AT_LEAST = timedelta(minutes=2)
"""A run that ended in a defect is tried again at the next tick: so long may all do so before the job counts as standing still."""

STUCK_AFTER = timedelta(minutes=10)
"""A running job that has not finished one step for so long will not: a message takes two minutes at most, a batch seconds."""


class Progress:
    """One job's. Marked by the job's thread, read by the loop; each is one assignment, so no lock is needed.

    A mark is one finished step: a batch of patients, an attempt to hand a message over, a sweep through the mailbox.
    """

    def __init__(self, now: float | None = None) -> None:
        self._running = False
        self._marked = self._succeeded = clock.monotonic_seconds() if now is None else now

    def begin(self, now: float | None = None) -> None:
        """The job runs."""
        self.mark(now)
        self._running = True

    def mark(self, now: float | None = None) -> None:
        """One step is done."""
        self._marked = clock.monotonic_seconds() if now is None else now

    def end(self, *, done: bool, now: float | None = None) -> None:
        """The run is over; ``done``: it did what it could. A run that ended in a defect is no progress."""
        self.mark(now)
        self._running = False
        if done:
            self._succeeded = self._marked

    def stuck(self, now: float, after: timedelta) -> bool:
        """Whether it runs, and has finished nothing for longer than ``after``."""
        return self._running and now - self._marked > after.total_seconds()

    def lives(self, now: float, every: timedelta, stuck_after: timedelta) -> bool:
        """Whether it runs and gets on, or its last success is younger than two of its intervals."""
        if self._running:
            return not self.stuck(now, stuck_after)
        return now - self._succeeded <= max(IDLE_AT_LEAST, IDLE_INTERVALS * every).total_seconds()
