"""The daemon ends, as by a power cut, before and after each thing that somebody does on the board, and is started again.

Whatever the point: what was done is done once, it is all of it or nothing, and whoever presses again does not do it twice.
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from monitor.crash_points import EXIT_CODE
from tests.e2e.installation import Installation, until
from tests.e2e.nursery import Nursery
from tests.e2e.ward import WATCHING, admit, assess, daemon, waiting
from tests.smtp_server import SmtpServer

AT_ONCE = 2
DONE = ("sign-in", "view", "pass on", "acknowledge")
"""What a nurse does in this story, as the writes are named: in this order."""

POINTS = [f"{when} commit: {what}" for what in DONE for when in ("before", "after")]
OPERATIONS = "it-duty@hospital.example"


@dataclass(frozen=True)
class Told:
    """An installation to be copied, and the path of a nurse's link to its board."""

    folder: Path
    link: str


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(Installation(tmp_path_factory.mktemp("mother") / "site", port=1)) as made:
        yield made


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A patient of whom two nurses were told."""
    folder = tmp_path_factory.mktemp("told") / "site"
    with SmtpServer() as relay:
        installed = an_installation(folder, relay, port=8931)
        admit(installed, ["P-1"])
        assess(installed, "P-1")
        installed.call("poll")
        found = re.search(r"http://127\.0\.0\.1:8931(/in/\S+)", relay.mails[0].text)
    assert found is not None
    return Told(folder, found[1])


def an_installation(folder: Path, relay: SmtpServer, *, port: int) -> Installation:
    """With a board on a port of this machine, and somebody to be told where nobody is next."""
    installed = Installation(folder, relay.port)
    with installed.config.open("a", encoding="utf-8") as config:
        config.write(f"operations:\n  address: {OPERATIONS}\n")
        config.write(f"board:\n  port: {port}\n  address: http://127.0.0.1:{port}\n")
    return installed


def test_given_a_daemon_that_dies_while_somebody_answers_when_she_presses_again_then_all_of_it_is_done_once(
    nursery: Nursery, told: Told, tmp_path: Path
) -> None:
    def crashed_at(point: str) -> str:
        try:
            crash(nursery, told, tmp_path / point.replace(" ", "-").replace(":", ""), point)
        except AssertionError as error:
            return f"{point}: {error}"
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [failure for failure in pool.map(crashed_at, POINTS) if failure]
    assert failures == []


def crash(nursery: Nursery, told: Told, folder: Path, point: str) -> None:
    """One crash and what came of it."""
    shutil.copytree(told.folder, folder)
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        port = int(channel.getsockname()[1])
    with SmtpServer() as relay:
        installed = an_installation(folder, relay, port=port)
        dying = nursery.start(installed, "run", BIPN_MONITOR_CRASH_AT=point)
        until(lambda: WATCHING in dying.own_log or dying.code is not None, seconds=30, what="a daemon that watches")
        with suppress(httpx2.TransportError):  # the other end is gone
            answered(port, told.link)
        assert dying.wait() == EXIT_CODE, "the point was not reached"
        with daemon(nursery, installed):
            answered(port, told.link)
            until(lambda: not waiting(installed), seconds=30, what="all mails")
    acts = [reason for (reason,) in installed.rows("SELECT reason FROM alert_events WHERE by IS NOT NULL ORDER BY id")]
    assert acts == ["passed-on", "acknowledged"]
    nobody_next = {mail.message["Message-ID"] for mail in relay.mails if mail.recipient == OPERATIONS}
    assert len(nobody_next) == 1, "that nobody is next is said once, and may be repeated"


def answered(port: int, link: str) -> None:
    """A nurse signs in, looks, says that it is not hers, and acknowledges after all; nothing where that was done before."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Sec-Fetch-Site": "same-origin"}, timeout=30) as browser:
        page = browser.post(link).headers["location"]
        seen_of = re.search(r'name="seen_of" value="([^"]+)"', browser.get(page).text)
        if seen_of is not None:
            browser.post(f"{page}/pass-on", data={"seen_of": seen_of[1], "reason": "another ward"})
            browser.post(f"{page}/acknowledge", data={"seen_of": seen_of[1], "what": "seen"})
