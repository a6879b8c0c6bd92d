"""Feeds beside the other jobs of a daemon: taken up by a reload, no hindrance at the end, and first thing in a poll."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.service import clock
from tests.e2e.installation import NURSES, Installation, until
from tests.e2e.nursery import Nursery
from tests.e2e.ward import admit, daemon
from tests.fhir_server import FhirServer, Reply, a_motor_grade, a_patient
from tests.smtp_server import SmtpServer

FEED = 'feeds: {{hospital: {{kind: fhir, url: "{url}", insecure: true, every: 1 s, searches: [Patient, Observation]}}}}\n'


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with FhirServer() as running:
        running.clock = datetime.now(UTC)  # noqa: TID251  # a server of today
        yield running


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def installed(tmp_path: Path, relay: SmtpServer) -> Installation:
    """Nothing but a feed makes this one look within a minute."""
    found = Installation(tmp_path / "site", relay.port)
    found.config.write_text(found.config.read_text(encoding="utf-8").replace("poll_every: 1 s", "poll_every: 60 s"))
    return found


def add_feed(installed: Installation, server: FhirServer) -> None:
    with installed.config.open("a", encoding="utf-8") as config:
        config.write(FEED.format(url=server.url))


def worse(installed: Installation, server: FhirServer) -> None:
    """A patient who is on bortezomib and well is weak, says the server."""
    admit(installed, ["p1"])
    server.put(a_patient("p1"), a_motor_grade("o1", grade=3, on=f"{clock.now().date()}"))


def test_given_a_daemon_when_a_feed_is_added_and_taken_away_by_reloads_then_it_is_asked_only_in_between(
    installed: Installation, server: FhirServer, relay: SmtpServer
) -> None:
    without = installed.config.read_text(encoding="utf-8")
    worse(installed, server)
    with Nursery(installed) as nursery, daemon(nursery, installed) as running:
        add_feed(installed, server)
        os.kill(running.pid, signal.SIGHUP)
        until(lambda: len(relay.mails) >= len(NURSES), what="the mail, within a minute")
        installed.config.write_text(without, encoding="utf-8")
        os.kill(running.pid, signal.SIGHUP)
        until(lambda: running.own_log.count("configuration in force") >= 3, what="a reload")
        time.sleep(0.5)
        asked = len(server.asked)
        time.sleep(1.5)
        assert len(server.asked) == asked


def test_given_a_server_that_hangs_when_a_daemon_watches_and_ends_then_nothing_waits_for_it(
    installed: Installation, server: FhirServer
) -> None:
    server.always("Patient", Reply(body=b" " * 100, drip=60))
    add_feed(installed, server)
    with Nursery(installed) as nursery, daemon(nursery, installed) as running:
        until(lambda: server.asked, what="a question")
        until(lambda: installed.rows("SELECT 1 FROM rounds"), what="a round beside it")
        began = time.monotonic()
        assert running.terminate() == 0
        assert time.monotonic() - began < 10
        assert "did not end in time" not in running.own_log


def test_given_a_feed_when_polled_then_it_is_asked_before_the_round_and_not_for_another_time(
    installed: Installation, server: FhirServer, relay: SmtpServer
) -> None:
    add_feed(installed, server)
    worse(installed, server)
    installed.call("poll", "--at", (clock.now() + timedelta(minutes=1)).isoformat())
    assert server.asked == []
    installed.call("poll")
    assert {mail.recipient for mail in relay.mails} == set(NURSES)
    server.always("", Reply(500))
    installed.write("UPDATE feeds SET tried_at = '2026-01-01 00:00:00.000000'")
    assert "the feed hospital was not read, or not all of it: the server answers 500" in installed.call("poll", code=1).err
