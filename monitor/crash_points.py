"""Named places where a test may end this process as a power cut would. Nothing happens unless the environment asks.

BIPN_MONITOR_CRASH_AT="after RCPT"      ends the process there, at once, without any cleaning up; "after RCPT:3" the third time
BIPN_MONITOR_CRASH_LOG=FILE             notes every point that is reached, each once, so that a suite can name them all

``bipn-monitor selftest`` and the crash suite set them for processes of their own.
"""

from __future__ import annotations

import os
from collections import Counter

EXIT_CODE = 137
"""As after a SIGKILL: what a shell says of a killed process."""

_reached: Counter[str] = Counter()


def reached(point: str) -> None:
    """Say that the work has come to ``point``; ends the process if the environment asks for that."""
    wanted, log = os.environ.get("BIPN_MONITOR_CRASH_AT"), os.environ.get("BIPN_MONITOR_CRASH_LOG")
    if wanted is None and log is None:
        return
    _reached[point] += 1
    if log is not None and _reached[point] == 1:
        with open(log, "a", encoding="utf-8") as file:  # noqa: PTH123  # as plain as can be: the next line may end us
            file.write(point + "\n")
    if wanted == f"{point}:{_reached[point]}" or (wanted == point and _reached[point] == 1):
        os._exit(EXIT_CODE)
