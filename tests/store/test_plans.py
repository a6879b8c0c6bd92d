"""Hot statements search an index; none walks through a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import Dialect

from monitor.store import changes, claims
from monitor.store.fact_statements import statements_of
from monitor.store.fact_tables import KINDS
from monitor.store.histories import patients_statement, rows_statement
from tests.store.databases import NOW, a_database, another_program

pytestmark = pytest.mark.sqlite_only("as SQLite explains its plans; test_plans_postgresql.py has the other engine's")


def plan(connection: Connection, statement: str, *values: object) -> str:
    return "\n".join(str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(values)))


def filled(folder: Path) -> None:
    """Enough rows for the planner's statistics to matter."""
    with another_program(folder) as other:
        other.execute("BEGIN")
        row = "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, source_id) VALUES (?, '2026-01-05', 1.3, ?)"
        other.executemany(row, [(f"P-{number % 20}", f"d{number}") for number in range(2000)])
        other.execute("COMMIT")
        other.execute("ANALYZE")


@pytest.mark.parametrize("kind", KINDS)
def test_given_any_kind_when_its_rows_are_looked_up_then_an_index_is_searched(kind: str, tmp_path: Path) -> None:
    database = a_database(tmp_path)
    filled(tmp_path)
    dialect: Dialect = database.engine.dialect
    found = statements_of(kind, dialect)
    nameless = [found.by_patient(2)] if found.natural else [found.by_fingerprint(2), found.foreign(2)]
    if kind == "patients":
        nameless = []
    with database.read() as connection:
        for statement in (rows_statement(kind, dialect, 2), found.current(2), found.superseded(2), found.values(2), *nameless):
            told = plan(connection, statement, "a", "b")
            assert "SEARCH" in told, statement
            assert "SCAN" not in told, statement
        told = plan(connection, found.supersede, "a", 1)
        assert told.startswith("SEARCH")
        assert f"SCAN {kind}" not in plan(connection, patients_statement(kind))


def test_given_the_idle_poll_when_planned_then_it_searches_and_reads_no_table(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    filled(tmp_path)
    statement = changes.idle_statement(database.engine.dialect)
    with database.read() as connection:
        told = plan(connection, statement, NOW.isoformat())
    assert [line for line in told.splitlines() if "SEARCH" in line or ("SCAN" in line and line != "SCAN CONSTANT ROW")] == [
        "SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)",
        "SEARCH look_again USING COVERING INDEX ix_look_again_at (at<?)",
    ]


def test_given_the_outbox_when_planned_then_due_messages_are_searched(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    for query in (claims.due_query(NOW, 5), claims.expired_query(NOW)):
        text = str(query.compile(dialect=database.engine.dialect, compile_kwargs={"literal_binds": True}))
        with database.read() as connection:
            assert "SEARCH messages USING INDEX" in plan(connection, text) or "COVERING" in plan(connection, text)
