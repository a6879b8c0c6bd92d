"""The daemon: APScheduler only ticks; each tick asks the database what is due. A lost tick is latency, never loss.

Each job has a thread of its own, so that patients are looked at while a relay hangs. APScheduler drops a run that is a
second late unless told otherwise, and cancels running jobs at its shutdown: hence the settings below, and a stop that
waits for the jobs itself. A thread cannot be ended: where one hangs, the process ends, for its supervisor to start anew.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
from datetime import UTC, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.errors import DONE, NEEDS_ATTENTION, OUR_DEFECT, MonitorError
from monitor.service import clock, clock_set
from monitor.service.counters import DaemonCounters
from monitor.service.jobs import Job
from monitor.service.leasing import HeldLease, LeaseLostError
from monitor.service.notify import notify
from monitor.service.progress import STUCK_AFTER
from monitor.service.reload import reloaded
from monitor.service.starting import Started, begin
from monitor.service.steady import SteadyClock
from monitor.service.supervisor import Supervisor
from monitor.service.watchdog import Watchdog, feeding_period
from monitor.service.work import Work

log = logging.getLogger(__name__)

POST_AT_LEAST_EVERY = timedelta(seconds=15)
DRAIN_WITHIN = timedelta(seconds=60)
"""After SIGTERM a running job may go on for so long; what it has not committed is done by the next start."""

DRAIN_STUCK_WITHIN = timedelta(seconds=10)
"""And for so long beside one that hangs."""


class Daemon:
    """One running daemon: its lease, its jobs, its signals. Made in the loop that runs it; ``run`` returns the exit code.

    Raises DatabaseError where another daemon holds the database.
    """

    def __init__(self, started: Started, *, stuck_after: timedelta = STUCK_AFTER) -> None:
        self.counters = DaemonCounters()
        self._source, self._stuck_after = started.source, stuck_after
        self._loop = asyncio.get_running_loop()
        self._stop, self._reload = asyncio.Event(), asyncio.Event()
        self._exit_code, self._drain_within, self._owned = DONE, DRAIN_WITHIN, True
        self._lease = HeldLease(started.site.database, started.site.settings.poll_every)
        self._work = Work(
            site=started.site,
            lease=self._lease,
            steady=SteadyClock(started.evaluated_to),
            stopping=self._stop.is_set,
            queued=self._mail_waits,
        )
        self._work.refused = started.refused is not None
        self._jobs = {
            name: Job(name, self._every(name), work, self.counters, self._lost)
            for name, work in (("watch", self._work.watch), ("post", self._work.post))
        }
        self._watchdog = Watchdog(feeding_period(os.environ), self._lives)
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._scheduler.add_listener(self._heard, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; SIGHUP reads the configuration anew."""
        for number, event in ((signal.SIGTERM, self._stop), (signal.SIGINT, self._stop), (signal.SIGHUP, self._reload)):
            self._loop.add_signal_handler(number, event.set)
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # what it would warn of at each tick is told once
        self._scheduler.start()
        self._tick_anew()
        beside = [asyncio.create_task(self._supervisor().run()), asyncio.create_task(self._reloads())]
        for task in beside:
            task.add_done_callback(self._ended)
        notify("READY=1", f"STATUS=watching{self._work.reservation}")
        log.info("watching", extra={"poll_every_seconds": int(self._every("watch").total_seconds())})
        await self._stop.wait()
        notify("STOPPING=1", "STATUS=finishing what runs")
        for task in beside:
            task.cancel()
        await self._drain()
        return self._exit_code

    def _every(self, job: str) -> timedelta:
        watch = self._work.site.settings.poll_every
        return {"watch": watch, "post": min(watch, POST_AT_LEAST_EVERY)}[job]

    def _tick_anew(self) -> None:
        """Every job now, and then at its interval: at the start, after a reload, and when the clock was set."""
        for job in self._jobs.values():
            job.every = self._every(job.name)
            job.put_into(self._scheduler)

    def _mail_waits(self) -> None:
        self._loop.call_soon_threadsafe(self._jobs["post"].wake)

    def _lives(self, now: float) -> bool:
        return all(job.progress.lives(now, job.every, self._stuck_after) for job in self._jobs.values())

    def _heard(self, event: JobEvent) -> None:
        self._jobs[event.job_id].heard(event)

    def _supervisor(self) -> Supervisor:
        return Supervisor(
            jobs=self._jobs.values,
            watchdog=self._watchdog,
            counters=self.counters,
            stuck_after=self._stuck_after,
            on_step=self._clock_was_set,
            on_stuck=self._give_up,
        )

    async def _clock_was_set(self, by: timedelta) -> None:
        self._tick_anew()
        self._work.clock_set_at = clock.monotonic_seconds()
        try:
            await asyncio.to_thread(clock_set.record, self._work.site, by, self._work.steady.now())
        except MonitorError as error:
            log.error("that the clock was set is not on record: %s", error)
        self._jobs["post"].wake()

    async def _reloads(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            notify("RELOADING=1", f"MONOTONIC_USEC={int(clock.monotonic_seconds() * 1_000_000)}")
            try:
                changed = await asyncio.to_thread(reloaded, self._work.site, self._source, clock.now())
            except MonitorError as error:  # the database's: what became of it could not be kept on record
                log.error("the configuration was not reloaded; the one before stays in force: %s", error)
                changed = None
            self._work.refused = changed is None
            if changed is None:
                self.counters.refused_reloads += 1
            else:
                self.counters.reloads += 1
                self._work.site = changed
                self._lease.adapt(changed.settings.poll_every)
                self._tick_anew()
            notify("READY=1", f"STATUS=watching{self._work.reservation}")

    def _lost(self, error: LeaseLostError) -> None:
        log.error("%s", error)
        self._owned = False
        self._exit_code = error.exit_code
        self._stop.set()

    def _give_up(self, job: Job) -> None:
        """A job's thread hangs. The places in the code of all threads go to stderr: they hold no data."""
        seconds = int(self._stuck_after.total_seconds())
        log.critical("the %s job has done nothing for %d s: this process ends, to be started anew", job.name, seconds)
        faulthandler.dump_traceback(all_threads=True)
        self._exit_code, self._drain_within = OUR_DEFECT, DRAIN_STUCK_WITHIN
        self._stop.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Without its supervisor the daemon must not go on."""
        if not task.cancelled() and task.exception() is not None:
            log.critical("a defect of ours; please report the lines below", exc_info=task.exception())
            self._exit_code = OUR_DEFECT
            self._stop.set()

    async def _drain(self) -> None:
        """Wait for what runs, give the lease back. Where that takes too long the process ends here."""
        self._scheduler.pause()
        try:
            async with asyncio.timeout(self._drain_within.total_seconds()):
                await asyncio.gather(*(job.close() for job in self._jobs.values()))
        except TimeoutError:
            log.warning("what runs did not end in time; the next start repeats it")
            logging.shutdown()
            os._exit(self._exit_code or NEEDS_ATTENTION)  # asyncio would wait for the thread
        self._scheduler.shutdown(wait=False)
        if self._owned:
            self._lease.give_back()
        log.info("stopped")


def run_daemon(started: Started) -> int:
    """Run until told to stop; the exit code. Raises DatabaseError where another daemon holds the database."""

    async def main() -> int:
        daemon = Daemon(started)
        begin(started)
        return await daemon.run()

    _ = started.site.password  # where it cannot be read, that is said now, not at the first mail
    return asyncio.run(main())
