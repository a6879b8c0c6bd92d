"""The daemon: APScheduler only ticks; each tick asks the database what is due. A lost tick is latency, never loss.

APScheduler drops a run that is a second late unless told otherwise, and cancels running jobs at its shutdown:
hence the settings below, and a stop that waits for the tick itself.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.errors import DONE, DatabaseError, MonitorError
from monitor.service import clock
from monitor.service.holder import has_died, own_holder
from monitor.service.logs import start_logging
from monitor.service.notify import notify
from monitor.service.opening import Site
from monitor.service.post import send_due
from monitor.service.round import run_round
from monitor.store import lease

log = logging.getLogger(__name__)

LEASE_ROUNDS = 3
"""A daemon that has not renewed its lease for so many intervals is taken for dead."""

LEASE_AT_LEAST = timedelta(minutes=2)
DRAIN_WITHIN = timedelta(seconds=60)
"""After SIGTERM a running tick may finish for so long; what it has not committed is done by the next start."""


class LeaseLostError(DatabaseError):
    """Somebody else watches this database now, or it is not the one at its path any more."""


class Daemon:
    """One running daemon: its site, its lease, its tick. ``run`` returns the exit code."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._holder = own_holder(clock.now())
        self._lease_for = max(LEASE_AT_LEAST, LEASE_ROUNDS * site.settings.poll_every)
        self._lease: lease.Lease | None = None
        self._busy = asyncio.Lock()
        self._stop = asyncio.Event()
        self._exit_code = DONE

    async def run(self) -> int:
        """Tick until SIGTERM or SIGINT. Raises DatabaseError where another daemon holds this database."""
        self._take_lease()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        scheduler.add_listener(_heard, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        every = IntervalTrigger(seconds=self._site.settings.poll_every.total_seconds(), timezone=UTC)
        scheduler.add_job(self._tick, every, id="tick", next_run_time=clock.now())
        scheduler.start()
        notify("READY=1", "STATUS=watching")
        log.info("watching", extra={"poll_every_seconds": int(self._site.settings.poll_every.total_seconds())})
        await self._stop.wait()
        notify("STOPPING=1", "STATUS=finishing the running round")
        scheduler.pause()
        try:
            async with asyncio.timeout(DRAIN_WITHIN.total_seconds()):
                async with self._busy:
                    scheduler.shutdown(wait=False)
        except TimeoutError:
            log.warning("the running round did not end in time; the next start repeats it")
        with self._site.database.write() as connection:
            if self._lease is not None:
                lease.release(connection, self._lease, now=clock.now())
        log.info("stopped")
        return self._exit_code

    async def _tick(self) -> None:
        async with self._busy:
            try:
                words = await asyncio.to_thread(self._round, clock.now())
            except LeaseLostError as error:
                log.error("%s", error)
                self._exit_code = error.exit_code
                self._stop.set()
                return
            except MonitorError as error:
                log.error("round not done, tried again at the next tick: %s", error)
                notify(f"STATUS={error}")
                return
            notify("WATCHDOG=1", f"STATUS={words}")

    def _round(self, now: datetime) -> str:
        if self._site.database.replaced():
            raise LeaseLostError("the database file was removed or replaced; this daemon stops, the next opens what is there")
        with self._site.database.write() as connection:
            renewed = None if self._lease is None else lease.renew(connection, self._lease, now=now, ttl=self._lease_for)
        if renewed is None:
            raise LeaseLostError("another daemon has taken this database; this one stops")
        self._lease = renewed
        done = run_round(self._site, now, stopping=self._stop.is_set)
        sent = send_due(self._site, clock.now(), stopping=self._stop.is_set)
        if sent.relay_fault is not None:
            log.error("the relay cannot take mail, it is kept and tried again: %s", sent.relay_fault)
        return f"evaluated to {now:%H:%M} UTC, {done.patients_evaluated} patients, {sent.accepted} sent, {sent.failed} not sent"

    def _take_lease(self) -> None:
        with self._site.database.write() as connection:
            held = lease.current(connection)
            if held is not None and has_died(held.holder):
                log.warning("the last daemon died without giving the database back; its claims on mails run out by themselves")
                lease.release(connection, held, now=clock.now())
            self._lease = lease.acquire(connection, self._holder, now=clock.now(), ttl=self._lease_for)
        if self._lease is None:
            raise DatabaseError(
                "another daemon is watching this database; stop it first, or wait "
                f"{int(self._lease_for.total_seconds())} s if it has died on another machine"
            )


def _heard(event: JobEvent) -> None:
    log.warning("a tick was late, skipped or failed; the next one does its work", extra={"scheduler_event": event.code})


def run_daemon(site: Site) -> int:
    """Run until told to stop; the exit code."""

    async def main() -> int:
        return await Daemon(site).run()

    start_logging()
    _ = site.password  # where it cannot be read, that is said now, not at the first mail
    return asyncio.run(main())
