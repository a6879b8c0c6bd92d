"""The daemon ends, as by a power cut, at every named point of its work in turn, and is started again.

Whatever the point: each recipient of each message has it once, or twice with the same Message-ID and the second one marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.crash_points import EXIT_CODE
from tests.e2e.crash_story import copy_of, last_told, runs_to_the_end, told_ward
from tests.e2e.installation import Installation
from tests.e2e.nursery import Nursery
from tests.e2e.ward import assert_told, copies
from tests.smtp_server import SILENT, SmtpServer

AT_ONCE = 3
ARRIVED = ("after 250", "before commit: outcome")
SENDING = ("after MAIL", "after RCPT", "after DATA", "after 250")
COMMITS = ("lease", "round", "end of round", "escalation", "answers", "claim", "outcome")
REQUIRED = {*SENDING, *(f"{when} commit: {what}" for what in COMMITS for when in ("before", "after"))}
"""Where a crash would hurt. A point that is renamed or gone fails here, instead of no longer being tried."""


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told_ward(tmp_path_factory.mktemp("crashes") / "ward")


@pytest.fixture(scope="module")
def nursery(ward: Path) -> Iterator[Nursery]:
    with Nursery(Installation(ward, port=1)) as made:
        yield made


@pytest.fixture(scope="module")
def points(nursery: Nursery, ward: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every point that the story reaches, in its order, from a run that nothing disturbs."""
    log = tmp_path_factory.mktemp("undisturbed") / "points"
    with SmtpServer() as relay:
        installed = copy_of(ward, log.parent / "ward", relay)
        before = last_told(installed)
        runs_to_the_end(nursery, installed, BIPN_MONITOR_CRASH_LOG=str(log))
        assert_told(installed, copies(relay.mails), most=1, after=before)
    return log.read_text(encoding="utf-8").splitlines()


def test_given_the_story_when_told_undisturbed_then_it_reaches_every_point_that_matters(points: list[str]) -> None:
    assert set(points) >= REQUIRED


def test_given_a_daemon_that_dies_at_any_point_when_started_again_then_each_is_told_and_a_repeat_is_marked(
    nursery: Nursery, ward: Path, points: list[str], tmp_path: Path
) -> None:
    def crashed_at(point: str) -> str:
        try:
            crash(nursery, ward, tmp_path / point.replace(" ", "-").replace(":", ""), point)
        except AssertionError as error:
            return f"{point}: {error}"
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [failure for failure in pool.map(crashed_at, points) if failure]
    assert failures == []


def crash(nursery: Nursery, ward: Path, folder: Path, point: str) -> None:
    """One crash and what came of it."""
    with SmtpServer() as relay:
        installed = copy_of(ward, folder, relay)
        before = last_told(installed)
        assert nursery.start(installed, "run", BIPN_MONITOR_CRASH_AT=point).wait() == EXIT_CODE, "the point was not reached"
        runs_to_the_end(nursery, installed)
        assert_told(installed, copies(relay.mails), most=2, after=before)
        twice = len(relay.mails) > len({mail.message["Message-ID"] for mail in relay.mails})
        assert twice or point not in ARRIVED, "the relay had taken a mail, and the one that was restarted did not know"


def test_given_a_kill_while_the_relay_has_the_mail_and_has_not_said_so_when_started_again_then_the_repeat_is_marked(
    nursery: Nursery, ward: Path, tmp_path: Path
) -> None:
    with SmtpServer() as relay:
        relay.script(".", SILENT)
        installed = copy_of(ward, tmp_path / "ward", relay)
        before = last_told(installed)
        daemon = nursery.start(installed, "run")
        relay.wait_for(1, seconds=30)
        daemon.kill()
        runs_to_the_end(nursery, installed)
        assert_told(installed, copies(relay.mails), most=2, after=before)
        assert len(relay.mails) > len({mail.message["Message-ID"] for mail in relay.mails})
