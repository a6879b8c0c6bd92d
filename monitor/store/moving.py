"""Moving everything that one database holds into another, empty one, and making sure that it arrived.

One transaction of the target: whatever goes wrong, and however it ends, the target is as empty as before and the source
is untouched. No trigger fires meanwhile: what arrives are the versions and the changes of the source, and no others.
Leases stay behind: nobody watches what has just been moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Table, inspect

import monitor.store.feed_tables
import monitor.store.watch_tables  # noqa: F401  # both fill the metadata
from monitor.crash_points import reached
from monitor.errors import DatabaseError
from monitor.store import bulk, dialect, journal
from monitor.store.canonical import Content, Row, content_of, rows
from monitor.store.database import Database, open_database
from monitor.store.fact_tables import KINDS, Stored
from monitor.store.schema import schema_problem
from monitor.store.tables import LEASES

TABLES: tuple[Table, ...] = tuple(table for table in Stored.metadata.sorted_tables if table is not LEASES)
"""Every table that is moved; one that another refers to comes before it."""

_NOT_OURS = {"alembic_version", LEASES.name}


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: each table's content, and what the journal was found to be, on both sides the same."""

    tables: tuple[Content, ...]
    journal: journal.Verdict


def open_source(url: str, *, password: str | None = None) -> Database:
    """The database at a URL, in which nothing can be changed by what is returned. Raises DatabaseError if it cannot be used."""
    source = open_database(url, read_only=True, password=password)
    problem = schema_problem(source)
    if problem is not None:
        source.close()
        raise DatabaseError(f"the database to move from: {problem}")
    return source


def move(source: Database, target: Database, *, told: Callable[[Content], None] = lambda content: None) -> Moved:
    """Copy everything, compare both sides, and store it; ``told`` hears of each table that has been copied.

    The schema of both is this version's. Raises DatabaseError, with nothing stored, where the target holds anything, or
    where it does not hold in the end what the source does.
    """
    _refuse_unknown_tables(source)
    before = _mark(source)
    with source.read() as reading, target.write("move") as writing:
        bulk.take_as_long_as_it_takes(writing)
        _refuse_unless_empty(writing)
        with bulk.triggers_asleep(writing, KINDS):
            sent = []
            for table in TABLES:
                sent.append(_copied(reading, writing, table))
                reached("copied a table")
                told(sent[-1])
        for table in filter(_counts_its_ids, TABLES):
            bulk.give_ids_after(writing, table.name, bulk.last_id_given(reading, table.name))
        bulk.look_at_what_came(writing)
        verdict = _compared(reading, writing, sent)
        if _mark(source) != before:
            raise DatabaseError("the database to move from was written to meanwhile: stop the daemon and all feeds, then repeat")
    return Moved(tuple(sent), verdict)


def _counts_its_ids(table: Table) -> bool:
    return bool(table.dialect_kwargs.get("sqlite_autoincrement"))


def _refuse_unknown_tables(source: Database) -> None:
    with source.read() as connection:
        there = set(inspect(connection).get_table_names())
    unknown = there - _NOT_OURS - {table.name for table in TABLES}
    if unknown:
        raise DatabaseError(f"the database to move from holds tables of another program: {', '.join(sorted(unknown))}")


def _refuse_unless_empty(target: Connection) -> None:
    for table in (*TABLES, LEASES):
        if target.exec_driver_sql(f"SELECT 1 FROM {table.name} LIMIT 1").first() is not None:
            raise DatabaseError(f"the database to move to is not empty (table {table.name}): move into a new one")


def _copied(source: Connection, target: Connection, table: Table) -> Content:
    content = Content(table.name)
    names = [column.name for column in table.columns]
    marks = dialect.placeholders(target.dialect, len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"
    for piece in rows(source, table, content):
        dialect.insert_all(target, statement, table.name, names, _taken(target, table, piece))
    return content


def _taken(target: Connection, table: Table, piece: list[Row]) -> list[Row]:
    """The rows as the target takes them: a server knows instants, and would take one without offset for its own time."""
    at = [place for place, column in enumerate(table.columns) if bulk.needs_offset(target, column.type)]
    if not at:
        return piece
    found = []
    for row in piece:
        values = list(row)
        for place in at:
            if values[place] is not None:
                values[place] = f"{values[place]}+00"
        found.append(tuple(values))
    return found


def _compared(source: Connection, target: Connection, sent: list[Content]) -> journal.Verdict:
    """What is in the target, read anew, against what was sent; and the chain of its journal."""
    differ = [content.table for content, table in zip(sent, TABLES, strict=True) if not content.agrees(content_of(target, table))]
    if differ:
        raise DatabaseError(
            f"what arrived differs from what was sent ({', '.join(differ)}): nothing was stored; please report this"
        )
    before, after = journal.verify(source), journal.verify(target)
    if (before.entries, before.last_sha256, before.broken_at) != (after.entries, after.last_sha256, after.broken_at):
        raise DatabaseError("the journal's chain does not hold where it was moved to: nothing was stored; please report this")
    return after


def _mark(source: Database) -> object:
    """What is another value after somebody wrote."""
    version = source.data_version()
    if version is not None:
        return version
    with source.read() as connection:
        return [bulk.last_id_given(connection, table.name) for table in TABLES if _counts_its_ids(table)]
