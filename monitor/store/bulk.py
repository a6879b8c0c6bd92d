"""What moving a whole database needs, and SQLite and PostgreSQL do not share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlmodel import UTCDateTime

from monitor.store.dialect import highest_id_given

_PIECE = 1000


def read_only_options(url: URL, options: dict[str, Any]) -> dict[str, Any]:
    """The options of an engine, changed so that nothing can be written by it: not even what SQLite does when it closes."""
    if url.get_backend_name() == "sqlite":
        file = f"file:{quote(str(url.database))}?mode=ro"
        return options | {"creator": partial(sqlite3.connect, file, uri=True, timeout=10, check_same_thread=False)}
    arguments = options["connect_args"]
    stated = f"{arguments['options']} -c default_transaction_read_only=on -c idle_in_transaction_session_timeout=0"
    return options | {"connect_args": arguments | {"options": stated}}


def pieces_of(connection: Connection, table: str, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """All rows of a table in the driver's own values, some at a time: no more are in memory."""
    statement = f"SELECT {', '.join(columns)} FROM {table}"
    driver_connection: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        cursor = driver_connection.cursor()
        driver_connection.text_factory = _lenient
    else:
        cursor = driver_connection.cursor(name="moving")
    try:
        cursor.execute(statement)
        while piece := cursor.fetchmany(_PIECE):
            yield piece
    finally:
        cursor.close()
        if connection.dialect.name == "sqlite":
            driver_connection.text_factory = str


def _lenient(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def take_as_long_as_it_takes(connection: Connection) -> None:
    """The server must not end this transaction while we read elsewhere."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def needs_offset(connection: Connection, type_: object) -> bool:
    """Whether an instant of this type is handed over with its offset: a server would take it for its own time without."""
    return connection.dialect.name == "postgresql" and isinstance(type_, UTCDateTime)


@contextmanager
def triggers_asleep(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """No trigger of ``tables`` fires within the block, nor, until this transaction ends, for anybody else."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return
    marks = ", ".join("?" * len(tables))
    query = f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({marks})"
    triggers = connection.exec_driver_sql(query, tuple(tables)).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        connection.exec_driver_sql(sql)


def last_id_given(connection: Connection, table: str) -> int:
    """The highest id that a table ever gave, as far as the database knows."""
    given = highest_id_given(connection, table)
    if given is None:
        sequence = _sequence(connection, table)
        given = connection.exec_driver_sql(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}").scalar_one()
    return int(given)


def give_ids_after(connection: Connection, table: str, last: int) -> None:
    """The next row of a table gets an id larger than ``last``: no id is ever given twice."""
    if connection.dialect.name == "postgresql":
        sequence = _sequence(connection, table)
        connection.exec_driver_sql(f"SELECT setval('{sequence}', {max(last, 1)}, {'true' if last else 'false'})")
        return
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))


def look_at_what_came(connection: Connection) -> None:
    """Let a server count what its tables hold now: until it has, it plans for empty ones."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE")


def _sequence(connection: Connection, table: str) -> str:
    return str(connection.exec_driver_sql(f"SELECT pg_get_serial_sequence('{table}', 'id')").scalar_one())
