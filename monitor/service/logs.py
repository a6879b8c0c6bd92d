"""What the daemon logs: one line an event on stderr, a fixed phrase and its facts as key=value, for the journal."""

from __future__ import annotations

import logging
import sys
import traceback

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class KeyValue(logging.Formatter):
    """``warning a tick was late scheduler_event=64``: the journal adds the time. Fields are numbers and our own words.

    Of an error it shows the type and the places in the code: its own words may quote a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in record.__dict__.items() if name not in _PLAIN)
        line = " ".join(filter(None, (record.levelname.lower(), record.getMessage(), fields)))
        if not record.exc_info or record.exc_info[0] is None:
            return line
        kind, _, places = record.exc_info
        return "\n".join([line, "".join(traceback.format_tb(places)) + kind.__name__])


def log_to_stderr() -> None:
    """Let every log line of ours, and the warnings of the libraries, go to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValue())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("monitor").setLevel(logging.INFO)
