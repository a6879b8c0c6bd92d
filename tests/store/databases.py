"""A migrated database in a folder of the test's own, and another program that writes into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.store.database import Database, open_database
from monitor.store.migrate import migrate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_database(folder: Path) -> Database:
    """An empty database of this version's schema."""
    (folder / "bipn.db").write_bytes(_migrated())
    return open_database(f"sqlite:///{folder / 'bipn.db'}")


@cache
def _migrated() -> bytes:
    """The file of an empty database; to migrate one takes a tenth of a second."""
    with TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/bipn.db", create=True)
        migrate(database)
        database.close()
        return (Path(folder) / "bipn.db").read_bytes()


@contextmanager
def another_program(folder: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection as an electronic-record interface would open it; commits at the end of the block."""
    connection = sqlite3.connect(folder / "bipn.db", isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
