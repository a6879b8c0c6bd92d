"""The only place that knows which database runs: all SQL that SQLite and PostgreSQL do not share, triggers aside.

Written for SQLite 3.37 (STRICT tables) and PostgreSQL 15; ``triggers.py`` holds the other half, ``problems.py`` the errors.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import BigInteger, Connection, Dialect, Double, Integer, Numeric, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import REAL, Text, TypeEngine

from monitor.errors import DatabaseError
from monitor.store import server

Chunk = TypeVar("Chunk")

WRITE = "bipn_write"
"""Execution option: the transactions of this connection write."""

_KEPT = "bipn_kept"
KEPT_OPTIONS: dict[str, dict[str, Any]] = {"sqlite": {_KEPT: True}, "postgresql": {"isolation_level": "AUTOCOMMIT"}}
"""Execution options of a connection that holds no transaction: each statement is one of its own."""

READ_OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
"""Execution options of a connection whose transaction sees one state."""

WRITERS, JOURNAL, FEEDS, PATIENT = 0x62697001, 0x62697002, 0x62697003, 0x62697004
"""PostgreSQL's advisory locks of this program, in the order in which they are taken. Those of PATIENT have a second number."""

Key: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
Words: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that compares and sorts by its code points, whatever the language of a server: on both engines alike."""

Real: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
Whole: TypeEngine[int] = Integer().with_variant(Numeric(asdecimal=False), "postgresql")
"""A whole number that another program writes. PostgreSQL would round 1.5 to store it as an integer; so a check refuses it."""

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "recursive_triggers=OFF")
_PLACEHOLDERS = {"qmark": "?", "format": "%s", "pyformat": "%s"}

NOW_TEXT = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
    "postgresql": """to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"')""",
}
"""The present instant as ISO 8601 text in UTC, by the database's own clock."""


class NowText(FunctionElement[str]):
    """The server default of ``stored_at``."""

    type = Text()
    inherit_cache = True


@compiles(NowText, "sqlite")
def _now_text_sqlite(element: NowText, compiler: Any, **_: Any) -> str:
    return f"({NOW_TEXT['sqlite']})"


@compiles(NowText, "postgresql")
def _now_text_postgresql(element: NowText, compiler: Any, **_: Any) -> str:
    return NOW_TEXT["postgresql"]


def placeholders(dialect: Dialect, count: int) -> str:
    """``count`` positional parameters, as the driver spells them, with commas between."""
    return ", ".join((_PLACEHOLDERS[dialect.paramstyle],) * count)


def among(spoken: Dialect, column: str, count: int) -> str:
    """Whether ``column`` is one of ``count`` values, which ``amongst`` hands over."""
    if spoken.name == "postgresql":
        return f"{column} = ANY({placeholders(spoken, 1)})"  # one array: to parse 500 marks takes longer than to find the rows
    return f"{column} IN ({placeholders(spoken, count)})"


def amongst(spoken: Dialect, values: Sequence[Any]) -> tuple[Any, ...]:
    """The parameters of ``among``."""
    return (list(values),) if spoken.name == "postgresql" else tuple(values)


def prepare_import(connection: Connection) -> None:
    """For the rest of this transaction: many rows come, each looked up before.

    PostgreSQL takes a table that grows within one transaction for as small as it was, and would read it from end to end
    for each look. ``bipn.import`` tells its triggers that whoever writes has told versions apart already.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT set_config('enable_seqscan', 'off', true), set_config('bipn.import', 'on', true)")


def all_rows(connection: Connection, statement: str, values: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
    """The rows of a query in the driver's own tuples.

    SQLite stores whatever bytes another program calls text. Those that are not UTF-8 come with U+FFFD in their place;
    the driver's own error would end the query for everyone, and quote them.
    """
    try:
        return _fetched(connection, statement, values)
    except sqlite3.OperationalError as error:
        if not str(error).startswith("Could not decode"):
            raise
    driver_connection: Any = connection.connection.dbapi_connection
    driver_connection.text_factory = _lenient
    try:
        return _fetched(connection, statement, values)
    finally:
        driver_connection.text_factory = str


def _fetched(connection: Connection, statement: str, values: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
    if connection.dialect.name == "sqlite":
        if not connection.in_transaction():
            connection.begin()
        # SQLAlchemy would describe all 57 columns of an assessment anew for each patient: as dear as reading the rows.
        driver_connection: Any = connection.connection.dbapi_connection
        with suppress(sqlite3.Error):
            found = driver_connection.execute(statement, values)
            return cast(Sequence[Sequence[Any]], found.fetchall())
    cursor = connection.exec_driver_sql(statement, values).cursor  # and here its own error where the driver refused
    return () if cursor is None else cursor.fetchall()


def read_ahead(connection: Connection, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks, the next one made while this one is stored: where another process stores it, so it takes no longer."""
    if connection.dialect.name != "postgresql":
        yield from chunks
        return
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = thread.submit(next, chunks, None)
            yield chunk


def insert_all(connection: Connection, statement: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows: by ``statement``, or, where the server has something faster, by that."""
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql(statement, list(map(tuple, rows)))
        return
    driver_connection: Any = connection.connection.dbapi_connection
    try:
        with (
            driver_connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
    except driver_connection.Error as error:
        raise DBAPIError.instance(statement, None, error, driver_connection.Error, hide_parameters=True) from error


def _lenient(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def prepare_file(url: URL, *, create: bool) -> None:
    """Make sure that the file of an SQLite database is there, readable by nobody else. Raises DatabaseError.

    SQLite gives ``-wal`` and ``-shm`` the mode of the database file.
    """
    if url.get_backend_name() != "sqlite":
        return
    if not url.database or url.database == ":memory:":
        raise DatabaseError("an SQLite database needs a file: write it as sqlite:///path/to/bipn-monitor.db")
    path = Path(url.database)
    if not path.parent.is_dir():
        raise DatabaseError(f"the folder of the database, {path.parent}, does not exist: create it, or correct `database:`")
    if path.exists():
        return
    if not create:
        raise DatabaseError(f"there is no database at {path}: run `bipn-monitor migrate` to create it")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseError(f"cannot create the database {path}: {error.strerror}; check the folder's owner") from error


def wait_for_turn(connection: Connection, *, beside_others: bool) -> None:
    """Let nobody else of this program write, or, ``beside_others``, nobody who must be alone. Until the end of the transaction.

    SQLite knows no other way: its BEGIN IMMEDIATE has done it.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock{'_shared' if beside_others else ''}({WRITERS})")


def one_at_a_time(connection: Connection, lock: int) -> None:
    """Among writers that run beside each other: wait until no other one holds ``lock``, and hold it to the end."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")


def file_identity(url: URL) -> tuple[int, int] | None:
    """What tells the file of an SQLite database from another one at the same path; None where there is no file."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    try:
        found = Path(url.database).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def prepare_engine(engine: Engine) -> None:
    """Set what every connection of an SQLite engine needs, and let transactions begin as reads or as writes."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", server.on_connect)
        event.listen(engine, "checkin", server.on_return)


def _on_connect(driver_connection: Any, _: Any) -> None:
    driver_connection.isolation_level = None  # the driver must not begin transactions by itself; _on_begin does
    try:
        for pragma in _PRAGMAS:
            driver_connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        driver_connection.close()
        raise


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(_KEPT):
        return  # each statement is its own transaction and sees what others committed
    # IMMEDIATE: a deferred transaction that reads, then writes, fails at once when another one wrote meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITE) else "BEGIN")


@contextmanager
def references_checked_at_the_end(connection: Connection) -> Iterator[None]:
    """SQLite drops no table that another one refers to, unless its checks are off; they can be only outside a transaction."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver_connection: Any = connection.connection.dbapi_connection
    driver_connection.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver_connection.execute("PRAGMA foreign_keys=ON")


def refuse_other_encodings(connection: Connection) -> None:
    """Raises DatabaseError for a database of a server that could not hold every text that is sent."""
    if connection.dialect.name == "postgresql":
        found = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if found != "UTF8":
            raise DatabaseError(
                f"the database is encoded in {found}, which has not every letter: make one with"
                " CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
            )


def refuse_broken_references(connection: Connection) -> None:
    """Raises DatabaseError, and so takes the transaction back, where a row refers to one that is not there."""
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise DatabaseError("rows of the database refer to rows that are not there: restore the newest backup, then repeat")


def highest_id_given(connection: Connection, table: str) -> int | None:
    """The highest id that a table with AUTOINCREMENT ever gave, also to rows that are gone; None where nothing keeps it."""
    if connection.dialect.name != "sqlite":
        return None
    query = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?"
    return int(connection.exec_driver_sql(query, (table,)).scalar_one())


def data_version(connection: Connection) -> int | None:
    """A number that moves with every commit of another connection, or None where the database has none."""
    if connection.dialect.name != "sqlite":
        return None
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
