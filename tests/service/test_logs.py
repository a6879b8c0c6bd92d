"""Log lines: key=value on a terminal, fields in the journal, and never the words of an error."""

from __future__ import annotations

import io
import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.service.journald import JournalHandler, PriorityHandler, is_journal, priority
from monitor.service.logs import KeyValue, fields_of

PLANTED = "Quibberling weighs 70 kg"


def a_record(level: int = logging.WARNING, message: str = "a tick was late", **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("monitor.service.daemon", level, "/opt/daemon.py", 17, message, (), None, "tick")
    record.__dict__.update(fields)
    return record


def a_failure() -> logging.LogRecord:
    record = a_record(logging.ERROR, "a patient could not be evaluated", place="rules.py:3")
    try:
        raise ValueError(PLANTED)
    except ValueError:
        record.exc_info = sys.exc_info()
    return record


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    """The journal's end of its socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "journal"))
        listening.settimeout(10)
        yield listening


def read(datagram: bytes) -> dict[str, str]:
    """The fields of a datagram of the native protocol."""
    found = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", rest[:8])
            value, rest = rest[8 : 8 + length], rest[8 + length + 1 :]
        found[name.decode()] = value.decode()
        datagram = rest
    return found


def to_journal(path: Path, otherwise: io.StringIO) -> JournalHandler:
    lines = PriorityHandler(otherwise)
    handler = JournalHandler(path, fields_of=fields_of, otherwise=lines)
    for each in (lines, handler):
        each.setFormatter(KeyValue(with_level=False))
    return handler


def test_given_a_record_when_written_as_a_line_then_level_phrase_and_fields() -> None:
    assert KeyValue().format(a_record(scheduler_event=64)) == "warning a tick was late scheduler_event=64"
    assert KeyValue().format(a_record()) == "warning a tick was late"


def test_given_words_of_a_relay_when_written_as_a_field_then_they_stay_on_one_line() -> None:
    assert KeyValue().format(a_record(words="550 no\nerror forged=1")) == (
        'warning a tick was late words="550 no\\nerror forged=1"'
    )


def test_given_an_error_when_written_then_its_type_and_places_and_not_its_words() -> None:
    written = KeyValue().format(a_failure())
    assert PLANTED not in written
    assert written.splitlines()[0] == "error a patient could not be evaluated place=rules.py:3"
    assert written.splitlines()[-1] == "ValueError"
    assert "test_logs.py" in written


def test_given_a_record_when_sent_to_the_journal_then_its_facts_are_fields(tmp_path: Path, journal: socket.socket) -> None:
    otherwise = io.StringIO()
    handler = to_journal(tmp_path / "journal", otherwise)
    handler.handle(a_record(scheduler_event=64))
    handler.close()
    assert read(journal.recv(65536)) == {
        "MESSAGE": "a tick was late scheduler_event=64",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "bipn-monitor",
        "CODE_FILE": "/opt/daemon.py",
        "CODE_LINE": "17",
        "CODE_FUNC": "tick",
        "BIPN_LOGGER": "monitor.service.daemon",
        "BIPN_SCHEDULER_EVENT": "64",
    }
    assert otherwise.getvalue() == ""


def test_given_an_error_when_sent_to_the_journal_then_many_lines_arrive_whole_without_its_words(
    tmp_path: Path, journal: socket.socket
) -> None:
    handler = to_journal(tmp_path / "journal", io.StringIO())
    handler.handle(a_failure())
    handler.close()
    datagram = journal.recv(65536)
    assert PLANTED.encode() not in datagram
    fields = read(datagram)
    assert (fields["PRIORITY"], fields["BIPN_ERROR"], fields["BIPN_PLACE"]) == ("3", "ValueError", "rules.py:3")
    assert fields["MESSAGE"].endswith("\nValueError")


def test_given_a_journal_that_is_away_when_logging_then_lines_with_their_priority(tmp_path: Path) -> None:
    otherwise = io.StringIO()
    handler = to_journal(tmp_path / "nobody", otherwise)
    handler.handle(a_record(scheduler_event=64))
    handler.handle(a_failure())
    handler.close()
    lines = otherwise.getvalue().splitlines()
    assert lines[0] == "<4>a tick was late scheduler_event=64"
    assert all(line.startswith("<3>") for line in lines[1:])
    assert PLANTED not in otherwise.getvalue()


def test_given_a_stream_when_systemd_names_it_then_and_only_then_is_it_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w", encoding="utf-8") as stream:
        found = os.fstat(stream.fileno())
        assert is_journal(stream, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
        assert not is_journal(stream, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"})
        assert not is_journal(stream, {})
    assert not is_journal(io.StringIO(), {"JOURNAL_STREAM": "1:2"})


@pytest.mark.parametrize(("level", "number"), [(50, 2), (40, 3), (30, 4), (20, 6), (10, 7), (5, 7), (35, 4)])
def test_given_a_level_when_told_to_the_journal_then_a_priority(level: int, number: int) -> None:
    assert priority(level) == number


STARTED = f"""
import logging, threading
from pathlib import Path
from monitor.service.logs import start_logging
start_logging(journal=Path("journal"))
logging.getLogger("monitor.service.daemon").info("watching", extra={{"poll_every_seconds": 60}})
logging.getLogger("apscheduler").info("not ours, and no warning")
def job():
    raise ValueError("{PLANTED}")
thread = threading.Thread(target=job)
thread.start()
thread.join()
"""


def test_given_no_journal_when_logging_is_started_then_lines_on_stderr_and_a_thread_dies_without_words(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True, env=_here(), cwd=tmp_path)
    lines = ran.stderr.splitlines()
    assert lines[:2] == ["info watching poll_every_seconds=60", "error a thread ended by an error"]
    assert lines[-1] == "ValueError"
    assert (ran.stdout, PLANTED in ran.stderr) == ("", False)


def test_given_stderr_is_the_journal_when_logging_is_started_then_the_socket_takes_it_all(
    tmp_path: Path, journal: socket.socket
) -> None:
    with (tmp_path / "stream").open("w", encoding="utf-8") as stream:
        found = os.fstat(stream.fileno())
        named = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        subprocess.run([sys.executable, "-c", STARTED], stderr=stream, check=True, env=_here() | named, cwd=tmp_path)
    assert (tmp_path / "stream").read_text(encoding="utf-8") == ""
    assert read(journal.recv(65536))["BIPN_POLL_EVERY_SECONDS"] == "60"
    assert read(journal.recv(65536))["BIPN_ERROR"] == "ValueError"


def test_given_the_command_line_when_imported_then_no_logging_library_comes_with_it() -> None:
    program = "import sys, monitor.cli; print([name for name in ('structlog', 'prometheus_client') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def _here() -> dict[str, str]:
    return dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2])}
