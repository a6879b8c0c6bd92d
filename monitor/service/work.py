"""What the daemon's jobs do, each in its thread, on the site as it is when a run begins."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from monitor.service import clock, clock_set, skew
from monitor.service.agreement import Agreement
from monitor.service.answers import read_answers
from monitor.service.cycle import daily_once, watch_once
from monitor.service.feeding import pull
from monitor.service.jobs import Marker
from monitor.service.leasing import HeldLease
from monitor.service.notify import notify
from monitor.service.opening import Site
from monitor.service.post import send_due
from monitor.service.steady import SteadyClock
from monitor.service.stillness import Stillness
from monitor.store import stillness, waiting

log = logging.getLogger(__name__)

IDLE_RECORDED_EVERY = timedelta(seconds=20)
"""A daemon that polls each second and finds nothing need not write each second that it did."""


CLOCK_LOOKED_AT_EVERY = timedelta(minutes=5)


@dataclass(slots=True)
class Work:
    """``site`` is exchanged by a reload: a run goes on with the one it began with.

    ``queued`` says that mail waits, ``handed_over`` that others are to be told at once.
    """

    site: Site
    lease: HeldLease
    steady: SteadyClock
    stopping: Callable[[], bool]
    queued: Callable[[], None]
    handed_over: Callable[[], None]
    agreement: Agreement = field(init=False)
    watch_stillness: Stillness = field(init=False)
    post_stillness: Stillness = field(init=False)
    daily_stillness: Stillness = field(init=False)
    refused: bool = False  # the configuration in its place; another one is in force
    clock_set_at: float | None = None  # monotonic
    _parts: int = field(default=0, init=False)
    _watched: bool = field(default=False, init=False)
    _looked_at_clock: float | None = field(default=None, init=False)  # monotonic

    def __post_init__(self) -> None:
        self.agreement = Agreement(self.lease.holder)
        self.watch_stillness = Stillness(lambda: self.site, stillness.next_watch_at, self.steady.now)
        self.post_stillness = Stillness(lambda: self.site, stillness.next_post_at, self.steady.now)
        self.daily_stillness = Stillness(lambda: self.site, lambda _: None, self.steady.now)

    def watch(self, mark: Marker) -> None:
        """Look at every patient who is due, and at what time alone makes due. Raises LeaseLostError."""
        site, now = self.site, self.steady.now()
        self.lease.keep()
        self.agreement.check(site)
        self._look_at_the_clock(site)
        self._parts = 0
        self._forget_the_clock(site)
        steady = self._watched and self.clock_set_at is None  # else that we are here, and go on, is on record at once
        recorded_every = IDLE_RECORDED_EVERY if steady else timedelta(0)
        done = watch_once(
            site, now, stopping=self.stopping, progress=lambda: self._part_done(mark), recorded_every=recorded_every
        )
        self._watched = True
        if done.queued:
            self.queued()
        with site.database.glance() as connection:
            waits = waiting.count(connection)
        notify(f"STATUS=evaluated to {now.astimezone(site.settings.time_zone):%H:%M}, {waits} waiting{self.reservation}")
        if not self.stopping():
            self.watch_stillness.end(site)

    def post(self, mark: Marker) -> None:
        """Send what is due. Raises LeaseLostError where the database is another one."""
        site = self.site
        self.lease.check_place()
        sent = send_due(site, self.steady.now(), stopping=self.stopping, progress=mark, holder=self.lease.holder)
        if sent.relay_fault is not None:
            log.error("the relay cannot take mail, it is kept and tried again: %s", sent.relay_fault)
        if not self.stopping():
            self.post_stillness.end(site)

    def daily(self, mark: Marker) -> None:
        """What is due once a day."""
        site = self.site
        if daily_once(site, self.steady.now(), progress=mark):
            self.queued()
        self.daily_stillness.end(site)

    def answers(self, mark: Marker) -> None:
        """Read what nurses answered by mail."""
        read = read_answers(self.site, self.steady.now(), stopping=lambda: self._stopping_after(mark))
        if read.handed_over:
            self.handed_over()

    def feed(self, name: str, mark: Marker) -> None:
        """Ask a feed for what is new, if its time has come."""
        done = pull(self.site, name, self.steady.now(), holder=self.lease.holder, stopping=lambda: self._stopping_after(mark))
        if done is not None and done.received:
            self.handed_over()
        if done is not None and done.queued:
            self.queued()

    @property
    def reservation(self) -> str:
        """What follows after every other status."""
        return "; THE CONFIGURATION IS REFUSED, an earlier one is in force" if self.refused else ""

    def _part_done(self, mark: Marker) -> None:
        """Between the parts of a watch: it may be long, so the lease is kept, and what is decided goes out meanwhile."""
        mark()
        self.lease.keep_in_time()
        self._parts += 1
        if self._parts > 1:
            self.queued()

    def _stopping_after(self, mark: Marker) -> bool:
        mark()
        return self.stopping()

    def _look_at_the_clock(self, site: Site) -> None:
        seconds = clock.monotonic_seconds()
        if self._looked_at_clock is None or seconds - self._looked_at_clock > CLOCK_LOOKED_AT_EVERY.total_seconds():
            self._looked_at_clock = seconds
            skew.look(site, clock.now())

    def _forget_the_clock(self, site: Site) -> None:
        if self.clock_set_at is not None and clock.monotonic_seconds() - self.clock_set_at > clock_set.TOLD_FOR.total_seconds():
            clock_set.forget(site)
            self.clock_set_at = None
