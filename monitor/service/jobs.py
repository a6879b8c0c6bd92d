"""One thing the daemon does again and again: in a thread of its own, never twice at once, whenever a tick or a wake asks."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from monitor.errors import MonitorError
from monitor.service import clock
from monitor.service.counters import DaemonCounters
from monitor.service.leasing import LeaseLostError
from monitor.service.progress import Progress
from monitor.service.stillness import Stillness

log = logging.getLogger(__name__)

Marker = Callable[[], None]

TOLD_AGAIN_AFTER = timedelta(hours=1)

WOKEN_WITHIN_SECONDS = 1.0
"""The scheduler hands over a run that was asked for within so long."""


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """An interval counted from the present.

    APScheduler's own lists every run it missed: after a clock that was set ten years ahead, all the memory there is.
    """

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """One interval after now, whatever was missed."""
        return now + self.interval


class Job:
    """See the module. ``work`` runs in the thread and marks each step it has done. A tick passes while ``stillness`` holds.

    What it raises beside a MonitorError is a defect: told, and the job goes on. A lease that is lost goes to ``on_lost``.
    """

    def __init__(
        self,
        name: str,
        every: timedelta,
        work: Callable[[Marker], None],
        counters: DaemonCounters,
        on_lost: Callable[[LeaseLostError], None],
        stillness: Stillness | None = None,
    ) -> None:
        self.name = name
        self.every = every
        self.progress = Progress()
        self._work = work
        self._counters = counters
        self._on_lost = on_lost
        self._stillness = stillness
        self._scheduler: AsyncIOScheduler | None = None
        self._busy = asyncio.Lock()
        self._again = False
        self._closed = False
        self._told_late = False
        self._woken_at = -math.inf  # monotonic
        self._told_at: float | None = None  # monotonic, that it is not done

    def put_into(self, scheduler: AsyncIOScheduler) -> None:
        """Let the scheduler tick it, now and then every interval; also after a change of the interval or of the clock."""
        self._scheduler = scheduler
        self._forget_stillness()
        scheduler.add_job(self.run, Every(self.every), id=self.name, next_run_time=clock.now(), replace_existing=True)

    def take_out(self) -> None:
        """No tick any more, until it is put into the scheduler again."""
        if self._scheduler is not None:
            self._scheduler.remove_job(self.name)
        self._scheduler = None

    def wake(self) -> None:
        """Run at once, or once more after the present run. From the loop's thread."""
        self._forget_stillness()
        if self._busy.locked():
            self._again = True
        elif self._scheduler is not None and not self._closed:
            self._woken_at = clock.monotonic_seconds()
            self._scheduler.modify_job(self.name, next_run_time=clock.now())

    async def close(self) -> None:
        """Returns when the present run is over; there is none after it."""
        self._closed = True
        async with self._busy:
            if self._stillness is not None:
                self._stillness.close()

    async def run(self) -> None:
        """One run, and another one if it was woken meanwhile. Never raises for what the work does."""
        if not self._busy.locked() and self._stillness is not None and self._stillness.holds():
            self.progress.begin()
            self.progress.end(done=True)
            return
        async with self._busy:
            self._again = True
            while self._again and not self._closed:
                self._again = False
                self.progress.begin()
                if self._stillness is not None:
                    self._stillness.begin()
                error = await self._once()
                self._counters.ran(self.name, done=error is None)
                # What only a person can mend is no standstill: to be killed for it would end what still goes on.
                self.progress.end(done=error is None or isinstance(error, MonitorError))
        self._told_late = False

    def heard(self, event: JobEvent) -> None:
        """The scheduler skipped, missed or failed a tick of it. A run that outlasts many ticks is told once."""
        if event.code == EVENT_JOB_MAX_INSTANCES and clock.monotonic_seconds() - self._woken_at < WOKEN_WITHIN_SECONDS:
            return  # a run that was about to begin is the one that was asked for
        if event.code == EVENT_JOB_MAX_INSTANCES:
            self._counters.skipped_ticks += 1
        else:
            self._counters.late_ticks += 1
        if not self._told_late:
            log.warning(
                "a tick was late, skipped or failed; the next one does its work", extra={"job": self.name, "event": event.code}
            )
        self._told_late = True

    def _forget_stillness(self) -> None:
        if self._stillness is not None:
            self._stillness.forget()

    async def _once(self) -> Exception | None:
        """What kept it from doing its work, which is told by then."""
        try:
            await asyncio.to_thread(self._work, self.progress.mark)
        except LeaseLostError as error:
            self._on_lost(error)
            return error
        except MonitorError as error:
            self._tell(error)
            return error
        except Exception as error:  # whatever it was, the other jobs go on, and this one at its next tick
            self._counters.defects += 1
            log.exception("a defect of ours in the %s job; please report the lines below", self.name)
            return error
        if self._told_at is not None:
            log.warning("%s is done again", self.name)
            self._told_at = None
        return None

    def _tell(self, error: MonitorError) -> None:
        """Once, and again each hour: a server that is away is no reason for a line each second."""
        now = clock.monotonic_seconds()
        if self._told_at is None or now - self._told_at > TOLD_AGAIN_AFTER.total_seconds():
            log.error("%s not done, tried again at the next tick: %s", self.name, error)
            self._told_at = now
