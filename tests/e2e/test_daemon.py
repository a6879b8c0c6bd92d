"""``run`` as a process: it watches, tells its service manager so, yields to nobody and stops when asked."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.service import clock
from tests.e2e.installation import BORN, NAME, NOTE, NURSES, Installation, environment, until, write_csv
from tests.smtp_server import SILENT, SmtpServer

PATIENT = "P-0007"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def installed(tmp_path: Path, relay: SmtpServer) -> Installation:
    return Installation(tmp_path / "site", relay.port)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        yield listening


def a_patient_on_bortezomib(installed: Installation, today: date) -> None:
    """Five weekly doses up to yesterday, and well until then."""
    first = today - timedelta(days=29)
    feed = installed.folder / "feed"
    feed.mkdir()
    write_csv(feed / "patients.csv", [{"patient_id": PATIENT, "display_name": NAME, "birth_date": BORN}])
    write_csv(feed / "courses.csv", [{"patient_id": PATIENT, "started_on": f"{first}", "schedule": "weekly"}])
    doses = [{"patient_id": PATIENT, "given_at": f"{first + timedelta(days=7 * n)}", "dose_mg_per_m2": "1.3"} for n in range(5)]
    write_csv(feed / "doses.csv", doses)
    well = {"patient_id": PATIENT, "ctcae_version": "5", "sensory_grade": "0", "motor_grade": "0", "walking": "unaided"}
    seen = [well | {"assessed_at": f"{today - timedelta(days=ago)}", "notes": NOTE} for ago in (28, 7)]
    write_csv(feed / "assessments.csv", seen)
    installed.call("import", feed)


def heard(manager: socket.socket, words: str) -> None:
    """Waits for a datagram that begins with ``words``."""
    end = time.monotonic() + 60
    while not manager.recv(4096).decode().startswith(words):
        assert time.monotonic() < end, words


def stopped(installed: Installation, daemon: subprocess.Popen[str], *, seconds: float = 30) -> str:
    """The log of a daemon that was told to stop and did, with 0, in time."""
    daemon.send_signal(signal.SIGTERM)
    out, err = daemon.communicate(timeout=seconds)
    installed.printed += [out, err]
    assert (daemon.returncode, out) == (0, ""), err
    assert "Traceback" not in err
    return err


def test_given_a_daemon_when_facts_change_then_it_tells_and_keeps_others_out_and_stops_in_seconds(
    installed: Installation, relay: SmtpServer, manager: socket.socket
) -> None:
    today = clock.now().date()
    a_patient_on_bortezomib(installed, today)
    daemon = installed.start("run", NOTIFY_SOCKET=str(manager.getsockname()), WATCHDOG_USEC="3000000")
    try:
        heard(manager, "READY=1")
        heard(manager, "WATCHDOG=1")
        heard(manager, "STATUS=evaluated")
        assert relay.mails == []
        second = installed.run("run", code=5)
        assert second.out == ""
        assert "another daemon" in second.err
        assert len(second.err.splitlines()) == 1
        installed.write(  # by another program, while the daemon runs
            "INSERT INTO assessments (patient_id, assessed_at, ctcae_version, sensory_grade, motor_grade, walking, notes)"
            " VALUES (?, ?, '5', 1, 3, 'wheelchair', ?)",
            PATIENT,
            f"{today}",
            NOTE,
        )
        assert sorted(mail.recipient for mail in relay.wait_for(2, seconds=30)) == sorted(NURSES)
        heard(manager, "STATUS=evaluated")
        assert installed.call("status", "--format", "json").json["daemon"] == "running"
        log = stopped(installed, daemon)
    finally:
        daemon.kill()
    heard(manager, "STOPPING=1")
    assert "info watching poll_every_seconds=1" in log
    assert log.splitlines()[-1] == "info stopped"
    assert installed.call("status", "--format", "json", code=None).json["daemon"] == "not running"
    killed = installed.start("run", NOTIFY_SOCKET=str(manager.getsockname()))  # the lease was given back
    heard(manager, "READY=1")
    killed.kill()
    killed.communicate()
    installed.write("UPDATE assessments SET walking = 'bedbound' WHERE walking = 'wheelchair'")
    fourth = installed.start("run", NOTIFY_SOCKET=str(manager.getsockname()))  # nobody waits for a dead one's lease
    try:
        heard(manager, "READY=1")
        heard(manager, "STATUS=evaluated")
        assert "died without giving the database back" in stopped(installed, fourth)
    finally:
        fourth.kill()
    assert installed.rows("SELECT count(*) FROM changes") == [(0,)]
    for private in (NAME, BORN, NOTE):
        assert not any(private in text for text in installed.printed)


def test_given_a_relay_that_says_nothing_when_the_daemon_is_stopped_then_it_ends_soon_and_the_mail_is_kept(
    installed: Installation, relay: SmtpServer, manager: socket.socket
) -> None:
    text = installed.config.read_text(encoding="utf-8")
    installed.config.write_text(text.replace("insecure: true", "insecure: true, timeout: 3 s"), encoding="utf-8")
    today = clock.now().date()
    a_patient_on_bortezomib(installed, today)
    installed.write(
        "INSERT INTO assessments (patient_id, assessed_at, motor_grade, walking) VALUES (?, ?, 3, 'bedbound')",
        PATIENT,
        f"{today}",
    )
    relay.always(".", SILENT)
    daemon = installed.start("run", NOTIFY_SOCKET=str(manager.getsockname()) + "-nobody-listens")
    try:
        until(lambda: relay.bodies == 1, what="the mail")
        log = stopped(installed, daemon)
    finally:
        daemon.kill()
    assert "the service manager could not be told" in log
    assert relay.bodies == 1  # the second nurse's was not begun
    assert dict(installed.rows("SELECT state, count(*) FROM messages GROUP BY state")) == {"pending": 2}
    assert installed.rows("SELECT outcome FROM attempts") == [("indeterminate",)]
    relay.forget_script()
    installed.call("poll", "--at", (clock.now() + timedelta(minutes=2)).isoformat())
    assert sorted(mail.recipient for mail in relay.taken) == sorted(NURSES)


def test_given_a_service_manager_that_reads_nothing_when_somebody_gets_worse_then_it_is_told_and_the_daemon_stops_in_seconds(
    installed: Installation, relay: SmtpServer, manager: socket.socket
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others, suppress(BlockingIOError):
        others.setblocking(False)
        others.connect(manager.getsockname())
        while True:
            others.send(b"STATUS=until nothing more fits")
    today = clock.now().date()
    a_patient_on_bortezomib(installed, today)
    daemon = installed.start("run", NOTIFY_SOCKET=str(manager.getsockname()))
    try:
        installed.write(
            "INSERT INTO assessments (patient_id, assessed_at, motor_grade, walking) VALUES (?, ?, 3, 'bedbound')",
            PATIENT,
            f"{today}",
        )
        until(lambda: len(relay.taken) == len(NURSES), what="the mails")
        assert "the service manager could not be told" in stopped(installed, daemon)
    finally:
        daemon.kill()


IMPATIENT = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from monitor.service.daemon import Daemon
from monitor.service.logs import start_logging
from monitor.service.opening import Source
from monitor.service.starting import start

async def main():
    return await Daemon(started, stuck_after=timedelta(seconds=2)).run()

start_logging()
started = start(Source(config=Path(sys.argv[1]), database_url=None))
sys.exit(asyncio.run(main()))
"""


def test_given_a_job_that_hangs_when_it_does_nothing_for_too_long_then_the_process_ends_to_be_started_anew(
    installed: Installation, manager: socket.socket
) -> None:
    environ = environment({"NOTIFY_SOCKET": str(manager.getsockname()), "WATCHDOG_USEC": "3000000"})
    daemon = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, str(installed.config)], stderr=subprocess.PIPE, text=True, env=environ
    )
    try:
        heard(manager, "STATUS=evaluated")
        with closing(sqlite3.connect(installed.database, timeout=10, isolation_level=None)) as other:
            other.execute("INSERT INTO patients (patient_id) VALUES ('P-9')")  # there is something to do
            other.execute("BEGIN IMMEDIATE")  # and another program that writes and does not end
            _, err = daemon.communicate(timeout=40)
    finally:
        daemon.kill()
        daemon.communicate()
    assert daemon.returncode == 70
    assert "job has done nothing for 2 s: this process ends" in err
    assert "monitor/service/round.py" in err  # where it hung
    again = installed.start("run", NOTIFY_SOCKET=str(manager.getsockname()))
    try:
        heard(manager, "READY=1")
        stopped(installed, again)
    finally:
        again.kill()


def test_given_a_locked_database_when_the_daemon_works_then_it_says_so_goes_on_and_catches_up(
    installed: Installation, relay: SmtpServer, manager: socket.socket
) -> None:
    today = clock.now().date()
    a_patient_on_bortezomib(installed, today)
    daemon = installed.start("run", NOTIFY_SOCKET=str(manager.getsockname()))
    try:
        heard(manager, "STATUS=evaluated")
        with closing(sqlite3.connect(installed.database, timeout=10, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute(
                "INSERT INTO assessments (patient_id, assessed_at, motor_grade, walking) VALUES (?, ?, 3, 'bedbound')",
                (PATIENT, f"{today}"),
            )
            assert daemon.stderr is not None
            log = iter(daemon.stderr.readline, "")  # it waits ten seconds for a lock
            assert any("watch not done, tried again at the next tick: the database is locked" in line for line in log)
            other.execute("COMMIT")
        relay.wait_for(2, seconds=30)
        stopped(installed, daemon)
    finally:
        daemon.kill()
