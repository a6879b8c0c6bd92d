"""A migrated database in a folder of the test's own, on the test's engine, and another program that writes into it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.config.database_url import resolve_database
from monitor.store.database import Database, open_database
from monitor.store.migrate import migrate
from tests import engines
from tests.engines import Other

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILE = "bipn.db"

_opened: list[Database] = []


def a_database(folder: Path) -> Database:
    """An empty database of this version's schema."""
    if engines.engine_of(folder) == "postgresql":
        engines.a_server_url(folder)
    else:
        (folder / FILE).write_bytes(_migrated())
    return the_database(folder)


def the_database(folder: Path) -> Database:
    """The database that ``a_database`` made there, opened once more."""
    _opened.append(open_database(resolve_database(engines.url_of(folder, FILE), folder=folder)))
    return _opened[-1]


def close_all() -> None:
    """Close what was opened here: a connection to a server that nobody closed is a warning, and so an error."""
    while _opened:
        _opened.pop().close()


@cache
def _migrated() -> bytes:
    """The file of an empty database; to migrate one takes a tenth of a second."""
    with TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/{FILE}", create=True)
        migrate(database)
        database.close()
        return (Path(folder) / FILE).read_bytes()


def another_program(folder: Path) -> AbstractContextManager[Other]:
    """A plain connection as an electronic-record interface would open it; each statement commits."""
    return engines.another_program(folder, FILE)
