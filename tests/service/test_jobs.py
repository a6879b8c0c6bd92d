"""A job that is woken: one run for each reason, and no warning for what is as it should be."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, timedelta

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.service.counters import DaemonCounters
from monitor.service.jobs import Job


def test_given_a_job_woken_before_its_first_run_has_begun_when_it_runs_then_no_tick_is_called_late(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ran: list[str] = []
    counters = DaemonCounters()

    async def story() -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler = AsyncIOScheduler(timezone=UTC)
        job = Job("watch", timedelta(hours=1), lambda _: ran.append("once"), counters, lambda _: None)
        scheduler.add_listener(job.heard, EVENT_JOB_MAX_INSTANCES)
        scheduler.start()
        job.put_into(scheduler)
        asyncio.get_running_loop().call_soon(job.wake)  # when the run is handed over and has not begun
        while not ran:
            await asyncio.sleep(0.01)
        await job.close()
        scheduler.shutdown(wait=False)

    asyncio.run(story())
    assert ran
    assert counters.skipped_ticks == 0
    assert "late" not in caplog.text
