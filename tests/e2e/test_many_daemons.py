"""Three daemons on one PostgreSQL database, killed at random under a stream of facts; the server itself is stopped once.

BIPN_MONITOR_DAEMON_KILLS_SEED draws other moments, BIPN_MONITOR_DAEMON_KILLS is another number of them.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.e2e.hosts import Host, assert_never_two_at_one, hosts, set_guard, watching
from tests.e2e.installation import NURSES, until
from tests.e2e.nursery import Child, Nursery
from tests.e2e.ward import WATCHING, admit, assert_told, assess, configure, copies, held_back, is_known, waiting
from tests.postgres import Server, a_postgres_database, a_server, remove
from tests.smtp_server import SmtpServer

SEED = int(os.environ.get("BIPN_MONITOR_DAEMON_KILLS_SEED", "5"))
KILLS = int(os.environ.get("BIPN_MONITOR_DAEMON_KILLS", "16"))
PATIENTS = [f"P-{number:04}" for number in range(3 * KILLS)]
DAEMONS = 3
AWAY, BACK = "the database is away", "the database is back"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def server() -> Iterator[Server]:
    made = a_server(synchronous_commit="on")  # what was committed is there after the server was killed
    with made.connect() as connection:
        connection.execute("CREATE DATABASE site")
    yield made
    remove(made)


class Feed:
    """Another program that writes a fact now and then, and tries again while the server is away."""

    def __init__(self, draw: random.Random, host: Host) -> None:
        self._draw, self._host = draw, host
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _run(self) -> None:
        for patient in PATIENTS:
            _surely(partial(assess, self._host, patient))
            if self._draw.random() < 0.3:
                other = self._draw.choice(PATIENTS)
                _surely(partial(assess, self._host, other, "bedbound"))
            time.sleep(self._draw.uniform(0, 0.3))


def _surely(write: Callable[[], None]) -> None:
    while True:
        try:
            write()
        except psycopg.Error:  # the server is away
            time.sleep(0.1)
        else:
            return


def test_given_three_daemons_killed_at_random_when_left_alone_then_each_alert_is_there_once_and_everybody_was_told(
    tmp_path: Path, relay: SmtpServer, server: Server
) -> None:
    draw = random.Random(SEED)  # noqa: S311  # nothing is kept secret by it
    sites = hosts(tmp_path, relay.port, server.url("site"), DAEMONS)
    sites[0].call("migrate")
    admit(sites[0], PATIENTS)
    sites[0].call("poll")
    set_guard(sites[0])
    with Nursery(sites[0]) as nursery:
        running = [nursery.start(site, "run") for site in sites]
        with Feed(random.Random(SEED + 1), sites[0]):  # noqa: S311  # as above
            for kill in range(KILLS):
                time.sleep(draw.uniform(0, 0.6))
                number = draw.randrange(DAEMONS)
                if draw.random() < 0.2:
                    _freeze(running[number], draw.uniform(0, 1))
                    continue
                running[number].kill()
                running[number] = nursery.start(sites[number], "run")
                if kill == KILLS // 2:
                    server.stop()
                    server.start()
        until(lambda: _all_is_told(sites[0]), seconds=60, what=f"seed {SEED}: the end")
        for child in running:
            if child.code is None:
                assert child.terminate() == 0, child.log
    assert all(is_known(sites[0], patient) for patient in PATIENTS), f"seed {SEED}"
    assert_told(sites[0], copies(relay.mails), most=KILLS)
    assert_never_two_at_one(sites[0])
    opened = sites[0].rows("SELECT patient_id, rule, count(*) FROM alerts GROUP BY patient_id, rule HAVING count(*) > 1")
    assert opened == [], f"seed {SEED}: an alert that was opened twice"
    assert "intact" in sites[0].call("journal", "verify").out
    log = "".join(child.log for child in running)
    assert "Traceback" not in log, log
    assert "deadlock" not in (server.folder / "log").read_text(encoding="utf-8")


def _freeze(child: Child, seconds: float) -> None:
    """As a machine that swaps: the others do not wait for it for ever."""
    if child.code is None:
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(child.pid, signal.SIGCONT)


def _all_is_told(site: Host) -> bool:
    return not (site.rows("SELECT id FROM changes") or held_back(site) or waiting(site))


def test_given_a_server_that_is_stopped_when_it_is_back_then_each_daemon_said_so_once_and_goes_on_by_itself(
    tmp_path: Path, relay: SmtpServer, server: Server
) -> None:
    sites = hosts(tmp_path, relay.port, server.url("site"), 2)
    sites[0].call("migrate")
    admit(sites[0], ["P-1"])
    with Nursery(sites[0]) as nursery, watching(nursery, sites[0]) as one, watching(nursery, sites[1]) as other:
        server.stop()
        until(lambda: all(AWAY in child.log and "watch not done" in child.log for child in (one, other)), what="both to notice")
        time.sleep(1.5)  # some ticks more
        server.start()
        assess(sites[0], "P-1")
        relay.wait_for(len(NURSES), seconds=20)
        until(lambda: all(BACK in child.log and "watch is done again" in child.log for child in (one, other)), what="both")
    for child in (one, other):
        assert (child.log.count(AWAY), child.log.count(BACK), child.log.count("watch not done")) == (1, 1, 1), child.log
    assert_told(sites[0], copies(relay.mails))


def test_given_a_daemon_that_polls_each_minute_when_another_program_commits_then_the_mail_is_there_long_before(
    tmp_path: Path, relay: SmtpServer
) -> None:
    (site,) = hosts(tmp_path, relay.port, a_postgres_database(), 1)
    configure(site, "poll_every: 1 s", "poll_every: 60 s")
    site.call("migrate")
    admit(site, ["P-1", "P-2"])
    with Nursery(site) as nursery, watching(nursery, site):
        until(lambda: _all_is_told(site), what="the first round")
        for number, patient in enumerate(("P-1", "P-2"), 1):
            assess(site, patient)
            relay.wait_for(number * len(NURSES), seconds=15)


def test_given_daemons_on_one_database_when_asked_then_status_counts_those_that_watch(tmp_path: Path, relay: SmtpServer) -> None:
    sites = hosts(tmp_path, relay.port, a_postgres_database(), 2)
    sites[0].call("migrate")
    with Nursery(sites[0]) as nursery, watching(nursery, sites[0]):
        with watching(nursery, sites[1]):
            assert sites[0].call("status", "--format", "json", code=None).json["daemons"] == 2
            assert "2 running" in sites[1].call("status", code=None).out
        killed = nursery.start(sites[1], "run")
        until(lambda: WATCHING in killed.own_log, what="a daemon that watches")
        killed.kill()
        assert sites[0].call("status", "--format", "json", code=None).json["daemons"] == 1
    assert sites[0].call("status", "--format", "json", code=None).json["daemon"] == "not running"
