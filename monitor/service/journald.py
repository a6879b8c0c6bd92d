"""The journal's native protocol: one datagram a record, its facts as fields to search by."""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

SOCKET = Path("/run/systemd/journal/socket")
IDENTIFIER = "bipn-monitor"
_LONGEST_NAME = 64


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether what is written to ``stream`` goes to the journal: systemd names its device and inode in $JOURNAL_STREAM."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream without a file
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def priority(level: int) -> int:
    """The syslog priority of a level of logging: 2 critical, 3 error, 4 warning, 6 info, 7 debug."""
    for least, number in ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6)):
        if level >= least:
            return number
    return 7


class PriorityHandler(logging.StreamHandler[TextIO]):
    """Lines for a stream that the journal reads: each begins with its priority, which the journal takes off."""

    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{priority(record.levelno)}>"
        return "\n".join(mark + line for line in super().format(record).splitlines())


class JournalHandler(logging.Handler):
    """Sends each record to the journal's socket; ``otherwise`` takes what cannot be sent there.

    ``fields_of`` gives a record's facts; each is sent as ``BIPN_<NAME>``.
    """

    def __init__(
        self, path: Path, *, fields_of: Callable[[logging.LogRecord], Mapping[str, Any]], otherwise: logging.Handler
    ) -> None:
        super().__init__()
        self._path = str(path)
        self._fields_of = fields_of
        self._otherwise = otherwise
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def emit(self, record: logging.LogRecord) -> None:
        """Send it; a journal that restarts, or a record too long for a datagram, costs the fields and not the line."""
        try:
            self._channel.sendto(self._datagram(record), self._path)
        except OSError:
            self._otherwise.handle(record)

    def close(self) -> None:
        """Give the socket back."""
        self._channel.close()
        super().close()

    def _datagram(self, record: logging.LogRecord) -> bytes:
        fields = {
            "MESSAGE": self.format(record),
            "PRIORITY": priority(record.levelno),
            "SYSLOG_IDENTIFIER": IDENTIFIER,
            "CODE_FILE": record.pathname,
            "CODE_LINE": record.lineno,
            "CODE_FUNC": record.funcName,
            "BIPN_LOGGER": record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            fields["BIPN_ERROR"] = record.exc_info[0].__name__
        fields |= {f"BIPN_{name.upper()}"[:_LONGEST_NAME]: value for name, value in self._fields_of(record).items()}
        return b"".join(_field(name, str(value)) for name, value in fields.items())


def _field(name: str, value: str) -> bytes:
    """``NAME=value``, or, where the value has several lines, the name and then the value with its length before it."""
    data = value.encode(errors="backslashreplace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
