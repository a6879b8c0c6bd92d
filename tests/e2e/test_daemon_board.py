"""``run`` with a board, as a process: it is served, its mails go at once, and it is no reason to stop watching."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.e2e.installation import Installation, until
from tests.smtp_server import SmtpServer

ADMIN = "it@hospital.example"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        return int(channel.getsockname()[1])


@pytest.fixture
def installed(tmp_path: Path, relay: SmtpServer, port: int) -> Installation:
    made = Installation(tmp_path / "site", relay.port)
    users = f"[{{name: IT, address: {ADMIN}, role: admin}}]"
    board = f"board: {{port: {port}, address: 'http://127.0.0.1:{port}', users: {users}}}\n"
    made.config.write_text(made.config.read_text(encoding="utf-8") + board, encoding="utf-8")
    return made


def test_given_a_daemon_with_a_board_when_a_link_is_asked_for_then_it_comes_at_once_and_signs_in(
    installed: Installation, relay: SmtpServer, port: int
) -> None:
    daemon = installed.start("run")
    try:
        until(lambda: _listens(port), seconds=60, what="the board")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Sec-Fetch-Site": "same-origin"}) as browser:
            assert browser.post("/sign-in", data={"address": ADMIN}).status_code == 200
            (mail,) = relay.wait_for(1, seconds=30)
            found = re.search(rf"http://127\.0\.0\.1:{port}(/in/\S+)", mail.text)
            assert found is not None
            assert browser.get(found[1]).status_code == 200
            entered = browser.post(found[1])
            assert (entered.status_code, entered.headers["location"]) == (303, "/")
            assert "IT" in browser.get("/").text
            without = installed.config.read_text(encoding="utf-8").replace(ADMIN, "other@hospital.example")
            installed.config.write_text(without, encoding="utf-8")
            daemon.send_signal(signal.SIGHUP)
            until(lambda: browser.get("/").status_code == 303)  # taken out of the configuration, he is out
        daemon.send_signal(signal.SIGTERM)
        out, err = daemon.communicate(timeout=20)
    finally:
        daemon.kill()
    assert (daemon.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert found[1] not in err


def test_given_a_port_that_is_taken_when_the_daemon_runs_then_it_watches_and_status_names_it(
    installed: Installation, port: int
) -> None:
    installed.call("migrate")
    with closing(socket.create_server(("127.0.0.1", port))):
        daemon = installed.start("run")
        try:
            until(lambda: installed.rows("SELECT 1 FROM rounds"), seconds=60, what="a round")
            assert "cannot listen" in installed.call("status", code=None).out
            daemon.send_signal(signal.SIGTERM)
            _, err = daemon.communicate(timeout=20)
        finally:
            daemon.kill()
    assert (daemon.returncode, "info watching" in err) == (0, True)


def _listens(port: int) -> bool:
    with socket.socket() as channel:
        return channel.connect_ex(("127.0.0.1", port)) == 0
