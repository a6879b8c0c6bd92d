"""The two engines on which the same tests run, and another program that writes into a database of either.

A folder that was marked has its databases on PostgreSQL. The ``conftest.py`` of a folder of tests says which of them run on
both engines; among those ``@pytest.mark.sqlite_only(reason)`` names a test of what PostgreSQL does not have: a file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.postgres import a_postgres_database, migrated_template, shared_server

ENGINES = ("sqlite", "postgresql")
REFUSALS = (sqlite3.DatabaseError, psycopg.DatabaseError)
"""What another program is told when the database refuses its statement."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite_only(reason): about what only SQLite has, so there is nothing to run elsewhere")
    config.addinivalue_line("markers", "postgresql_only(reason): the same, the other way round")
    config.addinivalue_line("markers", "both_engines: in a folder where not all tests run on both, these do")


def run_on_both(metafunc: pytest.Metafunc) -> None:
    """For ``pytest_generate_tests`` of a folder whose conftest has the fixture ``engine``: once on each engine."""
    metafunc.parametrize("engine", ENGINES, indirect=True)


def run_marked_on_both(metafunc: pytest.Metafunc) -> None:
    """As ``run_on_both`` where only those marked ``both_engines`` are, the others on SQLite."""
    if any(metafunc.definition.iter_markers("both_engines")):
        run_on_both(metafunc)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what there is nothing to run for; a skip would say that something is missing here."""
    items[:] = [item for item in items if not item.get_closest_marker(_ONLY.get(_engine(item), "neither"))]


def _engine(item: pytest.Item) -> str:
    return str(item.callspec.params.get("engine")) if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ""


_ONLY = {"postgresql": "sqlite_only", "sqlite": "postgresql_only"}


_MARK, _URL = ".postgresql", ".postgresql-url"


class Other:
    """A connection of another program's own. Parameters are written ``?``, on either engine."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection) -> None:
        self._connection: Any = connection
        self.engine = "sqlite" if isinstance(connection, sqlite3.Connection) else "postgresql"

    def execute(self, statement: str, values: Sequence[object] = ()) -> Any:
        """Run one statement. The cursor has fetchone, fetchall, and is a series of tuples."""
        if self.engine == "sqlite":
            return self._connection.execute(statement, values)
        return self._connection.execute(_spelled(statement) if values else statement, values or None)

    def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of values."""
        self._connection.cursor().executemany(statement if self.engine == "sqlite" else _spelled(statement), list(rows))

    def instant(self, at: datetime) -> object:
        """An instant as the columns of our own tables hold it; see ``instant_of``."""
        return at if self.engine == "postgresql" else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"

    def refuse(self, name: str, table: str, when: str = "true") -> None:
        """Let the database refuse each row that comes into a table, or those for which ``when`` holds; see ``allow``."""
        if self.engine == "sqlite":
            body = f"WHEN {when} BEGIN SELECT RAISE(ABORT, 'no room'); END"
            self.execute(f"CREATE TRIGGER {name} BEFORE INSERT ON {table} {body}")
            return
        body = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$"
        self.execute(f"CREATE FUNCTION {name}() {body}")
        occasion = f"BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when})"
        self.execute(f"CREATE TRIGGER {name} {occasion} EXECUTE FUNCTION {name}()")

    def drop_triggers(self, table: str) -> None:
        """Take away what guards a table, as somebody could who may."""
        found = "sqlite_schema WHERE type = 'trigger' AND tbl_name = ?"
        if self.engine == "postgresql":
            found = "(SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ?::regclass) AS named"
        for (name,) in self.execute(f"SELECT name FROM {found}", (table,)).fetchall():
            self.allow(name, table)

    def allow(self, name: str, table: str) -> None:
        """Take back what ``refuse`` did."""
        self.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if self.engine == "postgresql" else ""))


def instant_of(stored: object) -> datetime:
    """An instant that another program read in one of our own tables."""
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(str(stored)).replace(tzinfo=UTC)


@contextmanager
def on_engine(folder: Path, engine: str) -> Iterator[None]:
    """Databases below ``folder`` are of ``engine``; those of a server are gone after."""
    if engine == "postgresql":
        (folder / _MARK).touch()
    try:
        yield
    finally:
        for kept in folder.rglob(_URL):
            with shared_server().connect() as connection:
                for url in kept.read_text(encoding="utf-8").split():
                    name = url.partition("?")[0].rpartition("/")[2]
                    connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def engine_of(folder: Path) -> str:
    """The engine of the databases of a folder."""
    marked = any((place / _MARK).exists() for place in (folder, *folder.parents))
    return "postgresql" if marked else "sqlite"


def a_server_url(folder: Path) -> str:
    """The URL of a new, migrated, empty PostgreSQL database, from now on that of the folder."""
    url = a_postgres_database(like=migrated_template())
    with (folder / _URL).open("a", encoding="utf-8") as file:
        file.write(f"{url}\n")
    return url


def url_of(folder: Path, file: str) -> str:
    """The URL of the folder's database, as a configuration writes it: its newest on the server, or its SQLite ``file``."""
    if engine_of(folder) == "sqlite":
        return f"sqlite:///{folder / file}"
    return (folder / _URL).read_text(encoding="utf-8").split()[-1]


@contextmanager
def another_program(folder: Path, file: str, *, one_transaction: bool = False) -> Iterator[Other]:
    """A plain connection as an electronic-record interface would open it.

    Each statement commits by itself, or all at the end of the block in ``one_transaction``.
    """
    if engine_of(folder) == "postgresql":
        with psycopg.connect(url_of(folder, file), autocommit=not one_transaction) as connected:
            yield Other(connected)
        return
    isolation: Any = "DEFERRED" if one_transaction else None
    with closing(sqlite3.connect(folder / file, timeout=10, isolation_level=isolation)) as opened:
        if not one_transaction:
            yield Other(opened)
            return
        with opened:
            yield Other(opened)


def _spelled(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")
