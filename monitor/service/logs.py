"""What the daemon logs: a fixed phrase and its facts. To the journal as fields where stderr is the journal, else key=value lines.

Every module logs by the standard library: ``log.info("round finished", extra={"patients": 212})``.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

# structlog loads rich wherever it is installed, for coloured tracebacks that we never print: 3 MB for as long as we run.
_shown_in_colour = sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None is how an import is refused
from structlog.processors import LogfmtRenderer  # noqa: E402
from structlog.stdlib import ProcessorFormatter  # noqa: E402
from structlog.typing import EventDict  # noqa: E402

if _shown_in_colour is None:
    del sys.modules["rich"]

from monitor.service.journald import SOCKET, JournalHandler, PriorityHandler, is_journal  # noqa: E402

log = logging.getLogger(__name__)

_NO_FACTS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_as_words = LogfmtRenderer(bool_as_flag=False)


class KeyValue(ProcessorFormatter):
    """``warning a tick was late scheduler_event=64``: the journal adds the time. Fields are numbers and our own words.

    Of an error it shows the type and the places in the code: its own words may quote a record.
    """

    def __init__(self, *, with_level: bool = True) -> None:
        super().__init__(processors=(_level_and_line if with_level else _line,), foreign_pre_chain=(_places_only,))


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The facts of a record: what its caller gave as ``extra``."""
    return {name: value for name, value in record.__dict__.items() if name not in _NO_FACTS}


def start_logging(
    environ: Mapping[str, str] = os.environ, stream: TextIO | None = None, *, journal: Path = SOCKET
) -> logging.Handler:
    """Let every log line of ours, and the warnings of the libraries, go out; the handler that takes them.

    An error that ends a thread is logged the same way: the interpreter would print its words.
    """
    stream = sys.stderr if stream is None else stream
    handler: logging.Handler
    if is_journal(stream, environ):
        lines = PriorityHandler(stream)
        lines.setFormatter(KeyValue(with_level=False))
        handler = JournalHandler(journal, fields_of=fields_of, otherwise=lines)
        handler.setFormatter(KeyValue(with_level=False))
    else:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(KeyValue())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("monitor").setLevel(logging.INFO)
    logging.raiseExceptions = False  # a line that cannot be written would be printed with all that was to be in it
    threading.excepthook = _thread_ended
    return handler


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        log.error("a thread ended by an error", exc_info=ended.exc_value)


def _places_only(_: Any, __: str, event: EventDict) -> EventDict:
    """Instead of the error: its type, and where in the code."""
    kind, _error, places = event.pop("exc_info", None) or (None, None, None)
    if kind is not None:
        event["places"] = "".join(traceback.format_tb(places)) + kind.__name__
    return event


def _level_and_line(logger: Any, method: str, event: EventDict) -> str:
    return f"{event['_record'].levelname.lower()} {_line(logger, method, event)}"


def _line(_: Any, __: str, event: EventDict) -> str:
    line = " ".join(filter(None, (event["event"], _as_words(None, "", fields_of(event["_record"])))))
    return f"{line}\n{event['places']}" if "places" in event else line
