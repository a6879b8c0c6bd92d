"""Hears what PostgreSQL says when something is to do: see ``wake_triggers.py``. A connection of its own, outside the pool."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError

from monitor.errors import DatabaseError
from monitor.store import dialect
from monitor.store.database import Database
from monitor.store.problems import problem
from monitor.store.wake_triggers import CHANNEL

ASKED_EVERY_SECONDS = 60.0
"""A connection that is dead and does not know it is found out after so long."""


class Ear:
    """See the module. ``hear`` is for one thread; ``interrupt`` for another."""

    def __init__(self) -> None:
        self._woken, self._waker = os.pipe()
        self._heard: set[str] = set()

    @contextmanager
    def listening(self, database: Database) -> Iterator[Any]:
        """A connection that listens. Raises DatabaseError."""
        engine = database.engine
        try:
            connection = engine.connect().execution_options(**dialect.KEPT_OPTIONS[engine.dialect.name])
        except DBAPIError as error:
            raise DatabaseError(problem(error)) from None
        connection.detach()  # it is kept for good: the pool is for those who come and go
        driver_connection: Any = connection.connection.dbapi_connection
        try:
            driver_connection.add_notify_handler(lambda said: self._heard.add(said.payload))
            self._ask(driver_connection, f"LISTEN {CHANNEL}")
            yield driver_connection
        finally:
            connection.invalidate()  # else it would be asked to roll back, and say at length that it cannot
            driver_connection.close()
            connection.close()

    def hear(self, listening: Any) -> set[str]:
        """What was said meanwhile, each once; waits until something is, or ``interrupt`` was called. Raises DatabaseError."""
        if not self._heard:
            try:
                select.select([listening.fileno(), self._woken], [], [], ASKED_EVERY_SECONDS)
            except (OSError, ValueError, listening.Error):
                raise DatabaseError("the connection to the PostgreSQL server is closed: see whether it runs") from None
            self._ask(listening, "SELECT 1")
        heard, self._heard = self._heard, set()
        return heard

    def interrupt(self) -> None:
        """Let ``hear`` return, now and from now on."""
        os.write(self._waker, b".")

    def close(self) -> None:
        """After the last ``hear``."""
        os.close(self._woken)
        os.close(self._waker)

    def _ask(self, listening: Any, statement: str) -> None:
        """Any statement brings what was said before its answer."""
        try:
            listening.execute(statement)
        except listening.Error as error:
            raise DatabaseError(problem(DBAPIError(statement, None, error, hide_parameters=True))) from None
