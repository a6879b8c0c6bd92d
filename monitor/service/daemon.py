"""The daemon: APScheduler only ticks; each tick asks the database what is due. A lost tick is latency, never loss.

Each job has a thread of its own, so that patients are looked at while a relay hangs. A thread cannot be ended: where one
hangs, the process ends, for its supervisor to start it anew, which takes up whatever was begun.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from monitor.config.feeds_checks import MOST_FEEDS
from monitor.errors import DONE, NEEDS_ATTENTION, OUR_DEFECT, MonitorError
from monitor.service import clock, clock_set
from monitor.service.counters import DaemonCounters
from monitor.service.jobs import Job
from monitor.service.leasing import HeldLease, LeaseLostError
from monitor.service.listening import listen_if_possible
from monitor.service.mllp import listeners_if_possible
from monitor.service.notify import notify
from monitor.service.opening import Site
from monitor.service.post import check_ready
from monitor.service.progress import STUCK_AFTER
from monitor.service.reload import reloaded
from monitor.service.schedule import Schedule
from monitor.service.starting import Started, begin, metrics_if_possible
from monitor.service.steady import steady_clock
from monitor.service.supervisor import Supervisor
from monitor.service.watchdog import Watchdog, feeding_period
from monitor.service.work import Work

log = logging.getLogger(__name__)

Beside = Callable[[Callable[[], Site], Callable[[], datetime], Callable[[str], None]], Callable[[], None]]
"""What is begun beside the jobs, and gives what ends it: with the site in force, the daemon's clock, and what wakes a job."""

DRAIN_WITHIN = timedelta(seconds=60)
"""After SIGTERM a running job may go on for so long; what it has not committed is done by the next start."""

THREADS = 16 + MOST_FEEDS
"""One for each job and feed, with some to spare: no feed that hangs leaves a job without."""

DRAIN_STUCK_WITHIN = timedelta(seconds=10)
"""And for so long beside one that hangs."""


class Daemon:
    """One running daemon: its lease, its jobs, its signals. Made in the loop that runs it; ``run`` returns the exit code.

    Raises DatabaseError where another daemon holds an SQLite database.
    """

    def __init__(self, started: Started, *, stuck_after: timedelta = STUCK_AFTER, also: Beside | None = None) -> None:
        self.counters = DaemonCounters()
        self._source, self._stuck_after, self._also = started.source, stuck_after, also or _nothing_beside
        self._stop, self._reload = asyncio.Event(), asyncio.Event()
        self._exit_code, self._drain_within, self._owned = DONE, DRAIN_WITHIN, True
        self._lease = HeldLease(started.site.database, started.site.settings.poll_every)
        self._work = Work(
            site=started.site,
            lease=self._lease,
            steady=steady_clock(started.site),
            stopping=self._stop.is_set,
            queued=lambda: self._schedule.wake("post"),
            handed_over=lambda: self._schedule.wake("watch"),
            refused=started.refused is not None,
        )
        self._schedule = Schedule(self._work, self.counters, self._lost)
        begin(started)

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; SIGHUP reads the configuration anew."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="job"))
        for number, event in ((signal.SIGTERM, self._stop), (signal.SIGINT, self._stop), (signal.SIGHUP, self._reload)):
            loop.add_signal_handler(number, event.set)
        self._schedule.start(self._work.site.settings)
        stop_metrics = metrics_if_possible(lambda: self._work.site, self.counters)
        end_listening = listen_if_possible(self._work.site.database, self._schedule.wake)
        end_receiving = listeners_if_possible(lambda: self._work.site, self._work.steady.now, self._schedule.wake)
        end_also = self._also(lambda: self._work.site, self._work.steady.now, self._schedule.wake)
        beside = [asyncio.create_task(self._supervisor().run()), asyncio.create_task(self._reloads())]
        for task in beside:
            task.add_done_callback(self._ended)
        notify("READY=1", f"STATUS=watching{self._work.reservation}")
        log.info("watching", extra={"poll_every_seconds": int(self._work.site.settings.poll_every.total_seconds())})
        await self._stop.wait()
        notify("STOPPING=1", "STATUS=finishing what runs")
        for task in beside:
            task.cancel()
        await asyncio.to_thread(end_listening)
        await asyncio.to_thread(end_receiving)
        await asyncio.to_thread(end_also)
        if not await self._schedule.end(self._drain_within):
            log.warning("what runs did not end in time; the next start repeats it")
            logging.shutdown()
            os._exit(self._exit_code or NEEDS_ATTENTION)  # asyncio would wait for the thread
        stop_metrics()
        try:
            if self._owned:
                self._work.agreement.withdraw(self._work.site)
                self._lease.give_back()
        except MonitorError as error:
            log.warning("the lease was not given back, the next start on this machine takes it: %s", error)
        log.info("stopped")
        return self._exit_code

    def _supervisor(self) -> Supervisor:
        return Supervisor(
            jobs=self._schedule.jobs.values,
            watchdog=Watchdog(feeding_period(os.environ), lambda now: self._schedule.lives(now, self._stuck_after)),
            counters=self.counters,
            stuck_after=self._stuck_after,
            on_step=self._clock_was_set,
            on_stuck=self._give_up,
        )

    async def _clock_was_set(self, by: timedelta) -> None:
        self._schedule.tick_anew(self._work.site.settings)
        self._work.clock_set_at = clock.monotonic_seconds()
        try:
            await asyncio.to_thread(clock_set.record, self._work.site, by, self._work.steady.now())
        except MonitorError as error:
            log.error("that the clock was set is not on record: %s", error)
        self._schedule.wake("post")

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
            except Exception:  # whatever is in a file, patients are watched on
                log.exception("a defect of ours at the reload; the configuration before stays in force")
                changed = None
            self._work.refused = changed is None
            if changed is None:
                self.counters.refused_reloads += 1
            else:
                self.counters.reloads += 1
                self._work.site = changed
                self._lease.adapt(changed.settings.poll_every)
                self._schedule.tick_anew(changed.settings)
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


def run_daemon(started: Started, *, also: Beside | None = None) -> int:
    """Run until told to stop; the exit code. Raises DatabaseError where another daemon holds the database.

    ``also`` is begun beside the jobs and ended before them, such as the board.
    """

    async def main() -> int:
        return await Daemon(started, also=also).run()

    check_ready(started.site)  # where a secret cannot be read, that is said now, not at the first mail
    return asyncio.run(main())


def _nothing_beside(_site: Callable[[], Site], _now: Callable[[], datetime], _wake: Callable[[str], None]) -> Callable[[], None]:
    return _nothing


def _nothing() -> None:
    return None
