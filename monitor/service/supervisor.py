"""What looks after the scheduler: a clock that was set, a loop that was blocked, a job that stands still.

APScheduler waits for an instant of the wall clock. Set back by an hour, it would do nothing for an hour and say nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from monitor.service import clock
from monitor.service.counters import DaemonCounters
from monitor.service.jobs import Job
from monitor.service.watchdog import Watchdog

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=2)
STEP = timedelta(seconds=2)
"""A wall clock that differs by more from what has passed was set; NTP slews by less than a millisecond in two seconds."""

BLOCKED = timedelta(seconds=5)


class ClockWatch:
    """Compares how far the wall clock and the monotonic clock went since the last look."""

    def __init__(self, wall: datetime, monotonic: float) -> None:
        self._wall, self._monotonic = wall, monotonic

    def step(self, wall: datetime, monotonic: float) -> timedelta:
        """By how much the wall clock was set since the last look; zero unless by more than STEP."""
        set_by = (wall - self._wall) - timedelta(seconds=monotonic - self._monotonic)
        self._wall, self._monotonic = wall, monotonic
        return set_by if abs(set_by) > STEP else timedelta(0)


class Supervisor:
    """Looks every two seconds until cancelled. ``jobs`` is asked anew each time: a reload may change them."""

    def __init__(
        self,
        *,
        jobs: Callable[[], Iterable[Job]],
        watchdog: Watchdog,
        counters: DaemonCounters,
        stuck_after: timedelta,
        on_step: Callable[[timedelta], Awaitable[None]],
        on_stuck: Callable[[Job], None],
    ) -> None:
        self._jobs = jobs
        self._watchdog = watchdog
        self._counters = counters
        self._stuck_after = stuck_after
        self._on_step = on_step
        self._on_stuck = on_stuck

    async def run(self) -> None:
        """Until cancelled."""
        watch = ClockWatch(*clock.both())
        while True:
            slept_from = clock.monotonic_seconds()
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            wall, monotonic = clock.both()
            self._blocked(timedelta(seconds=monotonic - slept_from))
            set_by = watch.step(wall, monotonic)
            if set_by:
                self._counters.clock_steps += 1
                log.warning("the clock of this machine was set", extra={"by_seconds": round(set_by.total_seconds())})
                await self._on_step(set_by)
            for job in self._jobs():
                if job.progress.stuck(monotonic, self._stuck_after):
                    self._on_stuck(job)
                    return
            self._watchdog.feed(monotonic)

    def _blocked(self, passed: timedelta) -> None:
        if passed > LOOK_EVERY + BLOCKED:
            self._counters.blocked_loops += 1
            log.warning(
                "the daemon's loop was blocked, or the machine stood still", extra={"seconds": round(passed.total_seconds())}
            )
