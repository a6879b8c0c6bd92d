"""HL7 v2 handed over to a daemon: a message whose answer is lost comes again, and a nurse hears once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from monitor.crash_points import EXIT_CODE
from monitor.service import clock
from tests.e2e.installation import NURSES, Installation, until
from tests.e2e.nursery import Nursery
from tests.e2e.ward import admit, daemon
from tests.smtp_server import SmtpServer

START, END = b"\x0b", b"\x1c\r"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def installed(tmp_path: Path, relay: SmtpServer, port: int) -> Installation:
    """With a listener, and nothing but that makes it look within a minute."""
    found = Installation(tmp_path / "site", relay.port)
    written = found.config.read_text(encoding="utf-8").replace("poll_every: 1 s", "poll_every: 60 s")
    found.config.write_text(f"{written}feeds: {{lab: {{kind: mllp, listen: '127.0.0.1:{port}'}}}}\n", encoding="utf-8")
    admit(found, ["p1"])
    return found


def worse() -> bytes:
    """The patient's motor grade is 3 today."""
    today = f"{clock.now():%Y%m%d}"
    segments = [
        rf"MSH|^~\&|LAB|HOSPITAL|BIPN|CLINIC|{today}||ORU^R01|M1|P|2.5.1|||||DEU|UNICODE UTF-8",
        "PID|1||p1^^^HOSPITAL^MR",
        f"OBR|1||F-1|NEURO|||{today}",
        "OBX|1|NM|motor_grade^^99BIPN||3||||||F",
        "OBX|2|NM|ctcae_version^^99BIPN||5||||||F",
    ]
    return START + "\r".join(segments).encode() + END


def sent(port: int) -> bytes:
    """The answer to the message, or nothing where the connection ended without one."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        connection.sendall(worse())
        found = b""
        while not found.endswith(END):
            more = connection.recv(4096)
            if not more:
                break
            found += more
        return found


@pytest.mark.parametrize("point", ["before an HL7 message is committed", "after an HL7 message is committed"])
def test_given_a_daemon_that_dies_before_it_answers_when_the_message_comes_again_then_the_nurses_hear_once(
    installed: Installation, relay: SmtpServer, port: int, point: str
) -> None:
    with Nursery(installed) as nursery:
        dying = nursery.start(installed, "run", BIPN_MONITOR_CRASH_AT=point)
        until(lambda: "listening for HL7 v2" in dying.own_log, what="the listener")
        assert sent(port) == b""
        assert dying.wait() == EXIT_CODE
        with daemon(nursery, installed) as running:
            assert b"MSA|AA|M1" in sent(port)
            assert b"MSA|AA|M1" in sent(port)
            until(lambda: len(relay.mails) >= len(NURSES), what="the mail, within a minute")
            assert running.terminate() == 0
    assert sorted(mail.recipient for mail in relay.mails) == sorted(NURSES)
    assert installed.rows("SELECT count(*) FROM assessments WHERE motor_grade = 3") == [(1,)]
