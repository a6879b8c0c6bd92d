"""The service manager's watchdog is fed only while work gets on: a live loop around a dead job is no life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from monitor.service.notify import notify

UNASKED = timedelta(seconds=30)
FEEDS_PER_PERIOD = 3


def feeding_period(environ: Mapping[str, str]) -> timedelta:
    """How often to feed it: three times in the period that the service manager waits, ``$WATCHDOG_USEC``."""
    asked = environ.get("WATCHDOG_USEC", "")
    return timedelta(microseconds=int(asked)) / FEEDS_PER_PERIOD if asked.isdigit() and int(asked) > 0 else UNASKED


class Watchdog:
    """``lives`` says whether every job that must get on does."""

    def __init__(self, period: timedelta, lives: Callable[[float], bool]) -> None:
        self._period = period
        self._lives = lives
        self._fed_at: float | None = None

    def feed(self, now: float, *, at_once: bool = False) -> bool:
        """Feed it if its time has come, or ``at_once``; ``now`` is monotonic. Returns whether it was fed."""
        if not at_once and self._fed_at is not None and now - self._fed_at < self._period.total_seconds():
            return False
        if not self._lives(now):
            return False
        self._fed_at = now
        notify("WATCHDOG=1")
        return True
