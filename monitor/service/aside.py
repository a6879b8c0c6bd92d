"""Waiting for another machine without being held by it: in a thread of its own, which is left behind where it takes too long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from monitor.service import clock
from monitor.service.pulled import StoppedError

Result = TypeVar("Result")

LOOK_EVERY_SECONDS = 0.2


class TooLongError(Exception):
    """It took longer than it may. Its thread goes on until the other machine lets go, and nobody hears of it."""


@dataclass(frozen=True, slots=True)
class _Ended(Generic[Result]):
    result: Result | None
    error: BaseException | None


def aside(work: Callable[[], Result], *, within: timedelta, stopping: Callable[[], bool]) -> Result:
    """What ``work`` gives or raises. Raises TooLongError, and StoppedError as soon as ``stopping``.

    A timeout of a socket begins anew with every byte, so a server that sends one each minute would hold a thread for years.
    """
    ended: queue.SimpleQueue[_Ended[Result]] = queue.SimpleQueue()

    def run() -> None:
        try:
            ended.put(_Ended(work(), None))
        except BaseException as error:
            ended.put(_Ended(None, error))

    threading.Thread(target=run, name="aside", daemon=True).start()
    until = clock.monotonic_seconds() + within.total_seconds()
    while True:
        try:
            done = ended.get(timeout=LOOK_EVERY_SECONDS)
        except queue.Empty:
            if stopping():
                raise StoppedError from None
            if clock.monotonic_seconds() > until:
                raise TooLongError from None
            continue
        if done.error is not None:
            raise done.error
        return done.result  # type: ignore[return-value]  # None only where the work gives it


def wait(span: timedelta, *, stopping: Callable[[], bool]) -> None:
    """Let time pass. Raises StoppedError as soon as ``stopping``."""
    never: queue.SimpleQueue[None] = queue.SimpleQueue()
    until = clock.monotonic_seconds() + span.total_seconds()
    while (left := until - clock.monotonic_seconds()) > 0:
        if stopping():
            raise StoppedError
        try:
            never.get(timeout=min(left, LOOK_EVERY_SECONDS))
        except queue.Empty:
            continue
