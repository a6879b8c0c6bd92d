"""The process that draws: requests on standard input, figures on standard output, until the input ends or nobody asks.

A request is a line of JSON, ``{"kind": "png", "sheet": "..."}``; the answer a line ``ok BYTES`` and that many bytes, or a
line ``failed NAME`` with the name of the error, never its words: they could quote the sheet.
"""

from __future__ import annotations

import json
import os
import select
import shutil
from collections.abc import Iterator

from monitor.delivery.figure.drawing import draw
from monitor.delivery.figure.sheet import sheet_from

IDLE_SECONDS = 60.0  # (J)


SCRATCH = "BIPN_MONITOR_FIGURE_SCRATCH"
"""The variable that names the folder made for this process alone. It goes with it, also where whoever asked was killed."""


def main() -> None:
    """Answer until there is nothing more to answer."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        for request in _requests(0):
            _send(answers, _answer(request))
    finally:
        if SCRATCH in os.environ:
            shutil.rmtree(os.environ[SCRATCH], ignore_errors=True)


def _answer(request: bytes) -> bytes:
    try:
        wanted = json.loads(request)
        drawn = draw(sheet_from(wanted["sheet"]), wanted["kind"])
    except Exception as error:  # one figure that cannot be drawn is one mail without
        return f"failed {type(error).__name__}\n".encode()
    return f"ok {len(drawn)}\n".encode() + drawn


def _requests(source: int) -> Iterator[bytes]:
    """The lines of a pipe; ends with it, or where none came for a while."""
    waiting = b""
    while select.select([source], [], [], IDLE_SECONDS)[0]:
        read = os.read(source, 65536)
        if not read:
            return
        *lines, waiting = (waiting + read).split(b"\n")
        yield from lines


def _send(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


if __name__ == "__main__":
    main()
