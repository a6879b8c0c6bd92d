"""The daemon's jobs and how often each runs. APScheduler drops a late run unless told otherwise: hence its settings here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.config.settings import Settings
from monitor.service.counters import DaemonCounters
from monitor.service.feeding import look_every
from monitor.service.jobs import Job, Marker
from monitor.service.leasing import LeaseLostError
from monitor.service.work import Work

POST_AT_LEAST_EVERY = timedelta(seconds=15)
ANSWERS_EVERY = timedelta(seconds=30)
DAILY_AT_LEAST_EVERY = timedelta(seconds=60)
"""How often it is looked whether something is due that is done once a day."""

VITAL = ("watch", "post")
"""The jobs without which nobody is told. The watchdog is fed while both get on."""


class Schedule:
    """The jobs ``watch``, ``post``, ``daily`` and, where answers are configured, ``answers``; made in the loop that runs them.

    And one for each feed, so that a server that hangs, or a folder full of years, holds up nothing else.
    """

    def __init__(self, work: Work, counters: DaemonCounters, on_lost: Callable[[LeaseLostError], None]) -> None:
        intervals = _intervals(work.site.settings)
        self.jobs = {
            name: Job(name, intervals[name], function, counters, on_lost, still)
            for name, function, still in (
                ("watch", work.watch, work.watch_stillness),
                ("post", work.post, work.post_stillness),
                ("answers", work.answers, None),
                ("daily", work.daily, work.daily_stillness),
            )
        }
        self._work, self._counters, self._on_lost = work, counters, on_lost
        self._loop = asyncio.get_running_loop()
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._scheduler.add_listener(self._heard, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def start(self, settings: Settings) -> None:
        """Begin to tick."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # what it would warn of at each tick is told once
        self._scheduler.start()
        self.tick_anew(settings)

    def tick_anew(self, settings: Settings) -> None:
        """Every job now, and then at its interval: at the start, after a reload, and when the clock was set."""
        feeds = {f"feed {name}": look_every(feed) for name, feed in settings.feeds.items()}
        for name in feeds.keys() - self.jobs.keys():
            self.jobs[name] = Job(name, feeds[name], self._asking(name), self._counters, self._on_lost)
        for name, interval in (_intervals(settings) | feeds).items():
            job = self.jobs[name]
            job.every = interval
            if name != "answers" or settings.answers is not None:
                job.put_into(self._scheduler)
            else:
                job.take_out()
        for name in self.jobs.keys() - feeds.keys():
            if name.startswith("feed "):
                self.jobs[name].take_out()

    def wake(self, job: str) -> None:
        """Let a job run at once. From any thread."""
        self._loop.call_soon_threadsafe(self.jobs[job].wake)

    def lives(self, now: float, stuck_after: timedelta) -> bool:
        """Whether the vital jobs get on; ``now`` is monotonic."""
        return all(self.jobs[name].progress.lives(now, self.jobs[name].every, stuck_after) for name in VITAL)

    async def end(self, within: timedelta) -> bool:
        """Begin nothing more and wait for what runs. False where that takes too long.

        APScheduler's own end would cancel it.
        """
        self._scheduler.pause()
        try:
            async with asyncio.timeout(within.total_seconds()):
                await asyncio.gather(*(job.close() for job in self.jobs.values()))
        except TimeoutError:
            return False
        self._scheduler.shutdown(wait=False)
        return True

    def _asking(self, job: str) -> Callable[[Marker], None]:
        return lambda mark: self._work.feed(job.removeprefix("feed "), mark)

    def _heard(self, event: JobEvent) -> None:
        self.jobs[event.job_id].heard(event)


def _intervals(settings: Settings) -> dict[str, timedelta]:
    watch = settings.poll_every
    return {
        "watch": watch,
        "post": min(watch, POST_AT_LEAST_EVERY),
        "answers": ANSWERS_EVERY,
        "daily": min(watch, DAILY_AT_LEAST_EVERY),
    }
