"""The daemon listens to PostgreSQL, in a thread: what anybody commits is looked at within milliseconds, not at the next tick.

Only latency hangs on it. While the server is away the ticks go on, and say so; when it is back, all is looked at once,
for what was said meanwhile nobody has heard.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from monitor.errors import DatabaseError
from monitor.store.database import Database
from monitor.store.ear import Ear
from monitor.store.wake_triggers import POST, ROUND

log = logging.getLogger(__name__)

AGAIN_AFTER_SECONDS = 1.0
EVERYTHING = frozenset({ROUND, POST})


def listen_if_possible(database: Database, wake: Callable[[str], None]) -> Callable[[], None]:
    """Begin to listen, where the database says anything: ``wake`` is called with the job that has something to do.

    Returns what ends it.
    """
    if not database.shared:
        return _nothing
    listener = _Listener(database, wake)
    listener.thread.start()
    return listener.end


class _Listener:
    def __init__(self, database: Database, wake: Callable[[str], None]) -> None:
        self._database, self._wake = database, wake
        self._ear, self._ended = Ear(), threading.Event()
        self.thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def end(self) -> None:
        self._ended.set()
        self._ear.interrupt()
        self.thread.join()
        self._ear.close()

    def _run(self) -> None:
        lost = False
        while not self._ended.is_set():
            try:
                with self._ear.listening(self._database) as listening:
                    if lost:
                        log.warning("the database is back: what changed meanwhile is looked at now")
                    lost = False
                    self._wake_up(EVERYTHING)  # what was said before nobody has heard
                    while not self._ended.is_set():
                        self._wake_up(self._ear.hear(listening))
            except DatabaseError as error:
                if not lost:
                    log.error("the database is away, tried again every second until it is back: %s", error)
                lost = True
                self._ended.wait(AGAIN_AFTER_SECONDS)
            except Exception:
                log.exception("a defect of ours; please report the lines below. Changes are looked at by the clock alone")
                return

    def _wake_up(self, jobs: frozenset[str] | set[str]) -> None:
        for job in sorted(jobs & EVERYTHING):
            self._wake(job)


def _nothing() -> None:
    return None
