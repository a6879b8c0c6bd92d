"""The schema: migrations equal models, triggers are there, an unusable database says what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from monitor.errors import DatabaseError
from monitor.store.database import open_database
from monitor.store.fact_tables import FACTS, Stored, value_columns
from monitor.store.migrate import migrate, migration_config
from monitor.store.schema import REVISIONS, schema_problem
from monitor.store.triggers import append_only_statements, guard_statements, trigger_statements
from tests.engines import REFUSALS
from tests.store.databases import a_database, another_program


def statements(path: Path, kinds: tuple[str, ...]) -> dict[str, str]:
    """The text of every table, index or trigger, its white space made one."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    return {name: " ".join(sql.split()) for kind, name, sql in found if kind in kinds and not name.startswith("alembic")}


def test_given_a_migrated_database_when_compared_with_the_models_then_there_is_no_drift(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Stored.metadata) == []


@pytest.mark.postgresql_only("SQLite sorts text by its bytes unless told otherwise")
def test_given_a_server_of_any_language_when_migrated_then_every_text_sorts_by_its_code_points(tmp_path: Path) -> None:
    a_database(tmp_path)
    with another_program(tmp_path) as other:
        others = other.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
        ).fetchall()
    assert others == []


@pytest.mark.sqlite_only("the models make tables for SQLite alone")
def test_given_migrations_and_models_when_both_make_a_database_then_tables_checks_and_indexes_are_the_same_text(
    tmp_path: Path,
) -> None:
    a_database(tmp_path)
    engine = create_engine(f"sqlite:///{tmp_path / 'models.db'}")
    Stored.metadata.create_all(engine)
    engine.dispose()
    kinds = ("table", "index")
    assert statements(tmp_path / "bipn.db", kinds) == statements(tmp_path / "models.db", kinds)


@pytest.mark.sqlite_only("SQLite keeps the text of a trigger")
def test_given_a_migrated_database_when_its_triggers_are_read_then_they_are_those_of_todays_columns(tmp_path: Path) -> None:
    a_database(tmp_path)
    expected = {}
    for kind, table in FACTS.items():
        identity = "patient_id" if kind == "patients" else "source_id"
        for statement in trigger_statements("sqlite", kind, value_columns(table), identity):
            expected[statement.split()[2]] = " ".join(statement.split())
        for statement in guard_statements(kind, identity):
            expected[statement.split()[2]] = " ".join(statement.split())
    assert len(expected) == 7 * 9
    for name in ("alert_events", "attempts", "journal"):
        expected |= {statement.split()[2]: statement for statement in append_only_statements("sqlite", name)}
    assert statements(tmp_path / "bipn.db", ("trigger",)) == expected


@pytest.mark.sqlite_only("no PostgreSQL database has a schema before 0004")
def test_given_a_database_of_the_first_schema_when_migrated_then_its_messages_and_their_attempts_are_still_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "old.db"
    database = open_database(f"sqlite:///{path}", create=True)
    with database.write() as connection:
        command.upgrade(migration_config(connection), "0001")
    columns = "message_id, kind, priority, alert_ids, recipient_address, recipient_name, subject, text, headers, state"
    old = sqlite3.connect(path)
    with old:
        old.execute(
            f"INSERT INTO messages ({columns}, next_attempt_at, fencing_token, attempts, maybe_repeat, created_at)"
            " VALUES ('<a@b>', 'alert', 2, '[]', 'n@h', 'N', 's', 't', '{}', 'accepted', '2026-01-01', 1, 1, 0, '2026-01-01')"
        )
        old.execute("INSERT INTO attempts (message, at, outcome, reply) VALUES (1, '2026-01-01', 'accepted', 'ok')")
    old.close()
    assert migrate(database) == ("0001", REVISIONS[-1])
    new = sqlite3.connect(path)
    assert new.execute("SELECT message_id, state, reason FROM messages").fetchall() == [("<a@b>", "accepted", None)]
    assert new.execute("SELECT message, outcome, relay FROM attempts").fetchall() == [(1, "accepted", None)]
    assert new.execute("PRAGMA foreign_key_check").fetchall() == []
    new.close()


@pytest.mark.sqlite_only("no PostgreSQL database has a schema before 0004")
def test_given_open_alerts_of_the_first_schema_when_migrated_then_those_that_were_told_wait_for_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    database = open_database(f"sqlite:///{path}", create=True)
    with database.write() as connection:
        command.upgrade(migration_config(connection), "0001")
    old = sqlite3.connect(path)
    columns = "id, rule, state, holds, patient_id, urgency, clinical_at, headline, criteria, evidence, missing, weight, occasion"
    with old:
        for number, state, holds in ((1, "open", 1), (2, "acknowledged", 1), (3, "open", 0), (4, "open", 1)):
            old.execute(
                f"INSERT INTO alerts ({columns}, opened_at, raised_at) VALUES (?, ?, ?, ?, 'P-1', 'same-day', '2026-01-01', 'h',"
                " '[]', '[]', '[]', 0, '', '2026-01-01', '2026-01-02')",
                (number, f"rule-{number}", state, holds),
            )
        old.execute("INSERT INTO digest_entries (alert_id, since) VALUES (4, '2026-01-02')")
    old.close()
    migrate(database)
    new = sqlite3.connect(path)
    waiting = new.execute("SELECT alert_id, raised_at, step, due_at, done_at FROM escalations").fetchall()
    new.close()
    assert waiting == [(1, "2026-01-02", 1, "2026-01-02", None)]


@pytest.mark.parametrize("table", ["alert_events", "attempts", "journal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
def test_given_a_record_that_is_only_added_to_when_a_row_is_changed_or_deleted_then_it_is_refused(
    tmp_path: Path, table: str, statement: str
) -> None:
    a_database(tmp_path)
    values = {
        "alert_events": "(alert_id, at, reason, urgency) VALUES (1, '2026-01-01', 'new', 'review')",
        "attempts": "(message, at, outcome, reply) VALUES (1, '2026-01-01', 'accepted', 'ok')",
        "journal": "(at, event, subject, body, previous_sha256, sha256) VALUES ('2026-01-01', 'e', 's', '{}', '', '')",
    }[table]
    with another_program(tmp_path) as other:
        if other.engine == "postgresql" and table != "journal":  # SQLite checks references for those alone who ask for it
            (reference,) = other.execute(
                f"SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = '{table}'::regclass"
            ).fetchone()
            other.execute(f"ALTER TABLE {table} DROP CONSTRAINT {reference}")
        other.execute(f"INSERT INTO {table} {values}")
        with pytest.raises(REFUSALS, match="append-only"):
            other.execute(statement.format(table))


def test_given_the_revisions_in_the_package_when_listed_then_the_program_knows_them_all(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.read() as connection:
        script = ScriptDirectory.from_config(migration_config(connection))
    assert tuple(reversed([step.revision for step in script.walk_revisions()])) == REVISIONS


def test_given_an_empty_database_when_migrated_then_it_is_usable_and_migrating_again_changes_nothing(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'bipn.db'}", create=True)
    assert "migrate" in (schema_problem(database) or "")
    assert migrate(database) == (None, REVISIONS[-1])
    assert schema_problem(database) is None
    assert migrate(database) == (REVISIONS[-1], REVISIONS[-1])


def test_given_a_database_of_a_newer_version_when_opened_then_it_is_refused(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "newer" in (schema_problem(database) or "")
    with pytest.raises(DatabaseError, match="newer"):
        migrate(database)


def test_given_another_dialect_when_triggers_are_asked_for_then_it_is_a_defect() -> None:
    with pytest.raises(ValueError, match="oracle"):
        trigger_statements("oracle", "doses", ("patient_id",), "source_id")
