"""Hot statements search an index on PostgreSQL as well: on tables with rows and statistics, by the planner's own choice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.dialects import postgresql

from monitor.store import changes, claims
from monitor.store.fact_statements import statements_of
from monitor.store.fact_tables import KINDS
from monitor.store.histories import rows_statement
from tests.engines import Other
from tests.store.databases import NOW, a_database, another_program
from tests.store.test_triggers import LEAST

pytestmark = pytest.mark.postgresql_only("as the planner of PostgreSQL explains them; test_plans.py has SQLite's")

ROWS = 5000
DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # has no types


def plan(connection: Connection, statement: str, values: tuple[Any, ...] = ()) -> str:
    return "\n".join(str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values))


def written(query: Select[Any]) -> str:
    return str(query.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


def fill(other: Other, table: str, columns: str, values: str) -> None:
    """Rows by the thousand, ``n`` their number, as far as the planner is concerned; triggers would take a minute."""
    other.execute("SET session_replication_role = replica")
    other.execute(f"INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, {ROWS}) AS n")
    other.execute(f"ANALYZE {table}")


@pytest.mark.parametrize("kind", KINDS)
def test_given_any_kind_when_its_rows_are_looked_up_then_an_index_is_searched(kind: str, tmp_path: Path) -> None:
    database = a_database(tmp_path)
    columns, _, values = LEAST[kind].partition(" VALUES ")
    with another_program(tmp_path) as other:
        names = f"{columns.strip('()')}, source_id, superseded_at, fingerprint"
        texts = values.strip("()").replace("'P-1'", "'P-' || n / 2")
        # Half of the rows are superseded; half have no name of the feed's, and of those half no fingerprint.
        known = "CASE WHEN n % 2 = 0 THEN 's' || n END, CASE WHEN n % 2 = 1 THEN '2026-01-01' END"
        fill(other, kind, names, f"{texts}, {known}, CASE WHEN n % 4 = 1 THEN 'f' || n END")
    dialect = database.engine.dialect
    found = statements_of(kind, dialect)
    nameless = [found.by_patient(2)] if found.natural else [found.by_fingerprint(2), found.foreign(2)]
    nameless = [] if kind == "patients" else nameless
    with database.read() as connection:
        assert "Seq Scan" not in plan(connection, rows_statement(kind, dialect, 2), ("P-7", "P-9"))
        for statement in (found.current(2), found.superseded(2), *nameless):
            told = plan(connection, statement, (["P-7", "P-9"],))
            assert "Seq Scan" not in told, f"{statement}\n{told}"
        assert "Seq Scan" not in plan(connection, found.values(2), ([7, 9],))
        assert "Seq Scan" not in plan(connection, found.supersede, (NOW.isoformat(), 7))


def test_given_the_idle_poll_when_planned_then_it_takes_one_step_into_each_of_two_indexes(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        fill(other, "changes", "patient_id", "'P-' || n")
        fill(other, "look_again", "patient_id, at", "'P-' || n, timestamptz '2026-03-02' + n * interval '1 minute'")
    with database.read() as connection:
        told = plan(connection, changes.idle_statement(database.engine.dialect), (NOW,))
    assert "Seq Scan on look_again" not in told
    assert "ix_look_again_at" in told


def test_given_many_messages_that_went_when_planned_then_those_that_are_due_are_searched(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        columns = "message_id, kind, priority, alert_ids, recipient_address, recipient_name, subject, text, headers, state"
        values = "'<' || n || '@x>', 'alert', 1, '[]', 'n@h', 'N', 's', 't', '{}', CASE WHEN n % 100 = 0 THEN 'pending'"
        fill(
            other,
            "messages",
            f"{columns}, next_attempt_at, fencing_token, attempts, maybe_repeat, created_at",
            f"{values} ELSE 'accepted' END, timestamptz '2026-02-01', 1, 1, false, timestamptz '2026-02-01'",
        )
    with database.read() as connection:
        assert "Seq Scan on messages " not in plan(connection, written(claims.expired_query(NOW - timedelta(days=90))))
        assert "Seq Scan on messages " not in plan(connection, written(claims.due_query(NOW, 5)))
