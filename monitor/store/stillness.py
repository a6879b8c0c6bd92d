"""Whether anything can be due: nobody has committed since, and no instant has come. A look that costs microseconds.

For the idle daemon: a round or a sweep that would find nothing need not begin.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select
from sqlalchemy.exc import DBAPIError

from monitor.store import dialect
from monitor.store.database import Database
from monitor.store.tables import LOOK_AGAIN, MESSAGES
from monitor.store.watch_tables import CIRCUITS, ESCALATIONS


class CommitWatch:
    """Notices commits, by a connection of its own that never begins a transaction. For one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def version(self) -> int | None:
        """A number that every commit moves, whoever's; None where there is none to be had, as of a server."""
        if self._database.shared or self._database.replaced():  # a server counts no commits, and may keep the loop waiting
            return None
        try:
            if self._connection is None:
                engine = self._database.engine
                self._connection = engine.connect().execution_options(**dialect.KEPT_OPTIONS[engine.dialect.name])
            return dialect.data_version(self._connection)
        except DBAPIError:  # the job itself will say what is wrong with the database
            return None

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def next_watch_at(connection: Connection) -> datetime | None:
    """When time alone makes something due for a round: a patient to look at again, or a step that nobody answered."""
    look = connection.execute(select(func.min(LOOK_AGAIN.c.at))).scalar()
    step = connection.execute(select(func.min(ESCALATIONS.c.due_at)).where(ESCALATIONS.c.done_at.is_(None))).scalar()
    return min(filter(None, (look, step)), default=None)


def next_post_at(connection: Connection) -> datetime | None:
    """When the next message may be sent, a claim runs out, or a relay is tried again."""
    pending, sending = (MESSAGES.c.state == literal_column(f"'{state}'") for state in ("pending", "sending"))
    columns = MESSAGES.c
    waits = connection.execute(select(func.min(columns.next_attempt_at)).where(pending)).scalar()
    claimed = connection.execute(select(func.min(columns.lease_until)).where(sending)).scalar()
    tried = connection.execute(select(func.min(CIRCUITS.c.probe_at)).where(CIRCUITS.c.open_since.is_not(None))).scalar()
    return min(filter(None, (waits, claimed, tried)), default=None)
