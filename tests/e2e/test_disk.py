"""A disk that is full and a database that may not be written: said clearly, nothing half done, and it goes on afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.e2e.installation import NURSES, Installation, until
from tests.e2e.nursery import Child, Nursery
from tests.e2e.ward import admit, assert_told, assess, configure, copies, later, until_status_says, waiting
from tests.smtp_server import SILENT, SmtpServer

FIRST, SECOND = "P-0001", "P-0002"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of three megabytes. Skips where none can be mounted: that needs root."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=0755", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(options, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here: that needs root")
    try:
        yield place
    finally:
        # Lazily: a process that was killed a moment ago may still be on its way out, with a file open.
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Not a byte is free on it."""
    stuffing = disk / "stuffing"
    with stuffing.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            while True:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    break
    try:
        yield
    finally:
        stuffing.unlink()


def stop_between_writes(installed: Installation, watching: Child) -> None:
    """Stop a daemon where it holds no lock: one that stops in the middle of a write lets nobody else write."""

    def stopped() -> bool:
        os.kill(watching.pid, signal.SIGSTOP)
        with closing(sqlite3.connect(installed.database, timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(watching.pid, signal.SIGCONT)
                return False
        return True

    until(stopped, what="a moment without a write")


def stored(installed: Installation) -> list[tuple[object, ...]]:
    """Whether what is stored is whole, and how much it is."""
    assert installed.rows("PRAGMA integrity_check") == [("ok",)]
    tables = ("assessments", "doses", "changes", "alerts", "messages", "attempts")
    return [installed.rows(f"SELECT count(*) FROM {table}")[0] for table in tables]


def test_given_a_full_disk_when_commands_run_then_each_says_so_in_5_and_changes_nothing(
    small_disk: Path, relay: SmtpServer
) -> None:
    installed = Installation(small_disk / "site", relay.port)
    admit(installed, (FIRST,))
    assess(installed, FIRST)
    before = stored(installed)
    feed = installed.folder / "admitted-0"
    more = installed.folder / "more"
    shutil.copytree(feed, more)
    for path in more.iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace(FIRST, SECOND), encoding="utf-8")
    with filled(small_disk):
        for words in (("poll",), ("import", more), ("run",), ("status",)):
            ran = installed.run(*words, code=5)
            assert "disk" in ran.err, (words, ran.err)
            assert len(ran.err.splitlines()) <= 3, (words, ran.err)
    assert relay.mails == []
    assert stored(installed) == before
    installed.run("import", more)
    installed.run("poll")
    assert_told(installed, copies(relay.mails), most=1)
    assert len(relay.mails) == len(NURSES)


def test_given_a_disk_that_fills_up_when_there_is_room_again_then_the_daemon_goes_on_by_itself(
    small_disk: Path, relay: SmtpServer
) -> None:
    installed = Installation(small_disk, relay.port)
    admit(installed, (FIRST,))
    with Nursery(installed) as nursery:
        watching = nursery.start(installed, "run")
        until(lambda: "round finished" in watching.log, what="the first round")
        stop_between_writes(installed, watching)  # so that it learns of the fact when nothing can be written any more
        assess(installed, FIRST)
        with filled(small_disk):
            os.kill(watching.pid, signal.SIGCONT)
            until(lambda: "disk" in watching.log, what="a word about the disk")
            until_status_says(installed, "the disk of the database is full")
            assert relay.mails == []
        until(lambda: len(relay.taken) == len(NURSES), what="the mails")
        until(lambda: not waiting(installed), what="their outcome")
        assert watching.terminate() == 0, watching.log
    assert "Traceback" not in watching.log
    assert_told(installed, copies(relay.mails), most=1)


def test_given_a_disk_that_fills_up_while_a_mail_is_sent_when_there_is_room_again_then_its_repeat_is_marked(
    small_disk: Path, relay: SmtpServer
) -> None:
    installed = Installation(small_disk, relay.port)
    configure(installed, "insecure: true", "insecure: true, timeout: 2 s")
    admit(installed, (FIRST,))
    relay.always(".", SILENT)
    with Nursery(installed) as nursery:
        watching = nursery.start(installed, "run")
        assess(installed, FIRST)
        until(lambda: relay.bodies >= 1, what="a mail")
        with filled(small_disk):
            until(lambda: "disk" in watching.log, what="a word about the disk")
        assert watching.terminate() == 0, watching.log
    assert "Traceback" not in watching.log
    relay.forget_script()
    later(installed)
    assert_told(installed, copies(relay.mails), most=2)


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Nothing on it can be written."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def test_given_a_database_that_cannot_be_written_when_commands_run_then_each_says_so_in_5_and_nothing_is_lost(
    small_disk: Path, relay: SmtpServer
) -> None:
    installed = Installation(small_disk / "site", relay.port)
    admit(installed, (FIRST,))
    assess(installed, FIRST)
    before = stored(installed)
    with read_only(small_disk):
        for words in (("poll",), ("import", installed.folder / "admitted-0"), ("run",), ("status",), ("alerts",)):
            ran = installed.run(*words, code=5)
            assert "check that it exists, and its owner and mode" in ran.err, (words, ran.err)
            assert len(ran.err.splitlines()) == 1, (words, ran.err)
    assert relay.mails == []
    assert stored(installed) == before
    installed.run("poll")
    assert_told(installed, copies(relay.mails), most=1)
