"""What looks after the daemon's jobs: clocks that were set, jobs that stand still, a watchdog that means progress."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.errors import DatabaseError
from monitor.service import clock
from monitor.service.counters import DaemonCounters
from monitor.service.jobs import Every, Job, Marker
from monitor.service.leasing import HeldLease, LeaseLostError
from monitor.service.progress import Progress
from monitor.service.steady import SteadyClock
from monitor.service.supervisor import ClockWatch
from monitor.service.watchdog import Watchdog, feeding_period
from tests.service.clinic import a_clinic

WALL = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize("step", [HOUR, -HOUR, timedelta(seconds=3), timedelta(seconds=-3), timedelta(days=3650)])
def test_given_a_clock_that_was_set_when_looked_at_then_the_step_is_known_once(step: timedelta) -> None:
    watch = ClockWatch(WALL, 100.0)
    assert watch.step(WALL + timedelta(seconds=2.4), 102.0) == timedelta(0)
    assert watch.step(WALL + timedelta(seconds=4) + step, 104.0) == step - timedelta(seconds=0.4)
    assert watch.step(WALL + timedelta(seconds=6) + step, 106.0) == timedelta(0)


def test_given_a_clock_that_is_set_back_when_asked_then_it_goes_on_slowly_until_the_wall_clock_is_there() -> None:
    steady = SteadyClock(None)
    assert steady.at(WALL, 0) == WALL
    assert steady.at(WALL - HOUR + MINUTE, 60) == WALL + MINUTE / 2
    assert steady.at(WALL + MINUTE, 3660) == WALL + MINUTE / 2 + HOUR / 2
    assert steady.at(WALL + 2 * HOUR, 3661) == WALL + 2 * HOUR
    assert steady.at(WALL - timedelta(days=2), 3662) == WALL - timedelta(days=2)


def test_given_ten_years_missed_when_the_next_tick_is_asked_for_then_there_is_one() -> None:
    trigger = Every(timedelta(seconds=1))
    assert trigger.get_next_fire_time(WALL - timedelta(days=3650), WALL) == WALL + timedelta(seconds=1)


def test_given_a_job_that_runs_when_it_marks_nothing_for_too_long_then_it_is_stuck_and_does_not_live() -> None:
    progress = Progress(now=0)
    progress.begin(now=0)
    progress.mark(now=500)
    assert progress.lives(1100, MINUTE, 10 * MINUTE)
    assert not progress.stuck(1100, 10 * MINUTE)
    assert progress.stuck(1101, 10 * MINUTE)
    assert not progress.lives(1101, MINUTE, 10 * MINUTE)


def test_given_an_idle_job_of_five_minutes_when_it_waits_for_its_tick_then_it_lives_for_two_intervals() -> None:
    progress = Progress(now=0)
    progress.begin(now=0)
    progress.end(done=True, now=1)
    assert progress.lives(601, 5 * MINUTE, 10 * MINUTE)
    assert not progress.lives(602, 5 * MINUTE, 10 * MINUTE)
    assert not progress.stuck(10_000, 10 * MINUTE)


def test_given_runs_that_fail_when_time_passes_then_they_are_no_progress() -> None:
    progress = Progress(now=0)
    for at in range(0, 200, 10):
        progress.begin(now=at)
        progress.end(done=False, now=at + 1)
    assert progress.lives(120, timedelta(seconds=10), 10 * MINUTE)
    assert not progress.lives(121, timedelta(seconds=10), 10 * MINUTE)


def test_given_the_managers_period_when_fed_then_three_times_in_it_and_only_while_work_lives() -> None:
    assert feeding_period({"WATCHDOG_USEC": "90000000"}) == timedelta(seconds=30)
    assert feeding_period({"WATCHDOG_USEC": "nonsense"}) == feeding_period({})
    alive = [True]
    watchdog = Watchdog(timedelta(seconds=30), lambda _: alive[0])
    assert [watchdog.feed(at) for at in (0, 2, 29, 30, 31)] == [True, False, False, True, False]
    alive[0] = False
    assert not watchdog.feed(60)
    alive[0] = True
    assert watchdog.feed(62)


class Done:
    """Work that is counted, and held up while ``gate`` is closed."""

    def __init__(self) -> None:
        self.times = 0
        self.gate = threading.Event()
        self.gate.set()
        self.raises: Exception | None = None

    def __call__(self, mark: Marker) -> None:
        self.gate.wait(10)
        self.times += 1
        if self.raises is not None:
            raise self.raises


async def _until(condition: object, *, seconds: float = 5) -> None:
    end = clock.monotonic_seconds() + seconds
    while not condition():  # type: ignore[operator]  # a lambda
        assert clock.monotonic_seconds() < end
        await asyncio.sleep(0.01)


def a_job(work: Done, lost: list[LeaseLostError], every: timedelta = HOUR) -> tuple[Job, DaemonCounters]:
    counters = DaemonCounters()
    return Job("watch", every, work, counters, lost.append), counters


def test_given_a_running_job_when_woken_then_it_runs_once_more_and_never_twice_at_once() -> None:
    async def story() -> None:
        work = Done()
        job, counters = a_job(work, [])
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None})
        scheduler.start()
        work.gate.clear()
        job.put_into(scheduler)
        await _until(lambda: job.progress.stuck(clock.monotonic_seconds() + 1, timedelta(0)))
        job.wake()
        job.wake()
        work.gate.set()
        await _until(lambda: work.times == 2)
        await asyncio.sleep(0.05)
        assert work.times == 2
        job.wake()
        await _until(lambda: work.times == 3)
        await job.close()
        assert counters.runs == {"watch": 3}
        scheduler.shutdown(wait=False)

    asyncio.run(story())


def test_given_work_that_raises_when_it_runs_then_the_job_goes_on_and_its_words_are_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        work, lost = Done(), list[LeaseLostError]()
        job, counters = a_job(work, lost)
        for error in (DatabaseError("locked"), LeaseLostError("gone"), ValueError("Zacharias")):
            work.raises = error
            await job.run()
        work.raises = None
        await job.run()
        assert (counters.failed_runs, counters.runs, counters.defects) == ({"watch": 3}, {"watch": 1}, 1)
        assert [str(error) for error in lost] == ["gone"]

    asyncio.run(story())
    assert "Zacharias" not in " ".join(record.getMessage() for record in caplog.records)


def test_given_a_held_lease_when_another_takes_it_or_the_file_goes_then_its_holder_hears(tmp_path: Path) -> None:
    with a_clinic(tmp_path) as clinic:
        database = clinic.site.database
        held = HeldLease(database, MINUTE)
        held.keep()
        held.keep_in_time()  # nothing of it is used up
        taken = HeldLease(database, MINUTE)  # this process again: as after the restart of a container
        with pytest.raises(LeaseLostError, match="another daemon"):
            held.keep()
        (tmp_path / "site.db").rename(tmp_path / "moved.db")
        with pytest.raises(LeaseLostError, match="removed or replaced"):
            taken.check_place()
