"""All of a database in another one: what arrives is what was there, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Table
from sqlmodel import UTCDateTime

from monitor.errors import DatabaseError
from monitor.store import journal, moving
from monitor.store.canonical import content_of
from monitor.store.database import Database
from monitor.store.fact_tables import KINDS
from monitor.store.journal import Entry
from tests.engines import on_engine
from tests.store.databases import NOW, a_database, another_program
from tests.store.test_triggers import LEAST

pytestmark = pytest.mark.sqlite_only("each test opens one database of either")
WORDS = {"state": "open", "urgency": "review", "outcome": "accepted"}
ODD = "Müller; \\N \t \"'\n\u2013"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of an SQLite database with rows in every table, some of them gone, some corrected."""
    folder = tmp_path / "old"
    folder.mkdir()
    with closing(a_database(folder)) as database, database.write() as connection:
        for table in moving.TABLES:
            if table.name not in KINDS and table.name != "journal":
                connection.execute(table.insert(), [a_row(table)])
        journal.append(connection, NOW, *(Entry("event", f"A-{number}", {"odd": ODD}) for number in range(5)))
    with another_program(folder) as other:
        for kind, values in LEAST.items():
            for _ in range(3):
                other.execute(f"INSERT INTO {kind} {values}")
            other.execute(f"UPDATE {kind} SET patient_id = 'P-2', recorded_at = '2026-01-06' WHERE id = 1")
        other.execute("UPDATE assessments SET notes = ?, sensory_grade = 2, grip_kpa_left = 0.1 WHERE id = 1", (ODD,))
        other.execute("DELETE FROM doses WHERE id = 2")
        other.execute("DELETE FROM changes WHERE id > 3")
    return folder


def a_row(table: Table) -> dict[str, Any]:
    """Something in every column."""
    found: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "id" or isinstance(column.type, Boolean):
            found[column.name] = 1 if column.type.python_type is not str else "id"
        elif isinstance(column.type, UTCDateTime):
            found[column.name] = datetime(2026, 1, 5, 8, 30, 0, 5, tzinfo=UTC)
        elif column.type.python_type is str:
            found[column.name] = WORDS.get(column.name, ODD)
        else:
            found[column.name] = 1
    if table.name == "messages":
        found["state"] = "pending"
    return found


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Path]:
    """The folder of an empty database on a server."""
    folder = tmp_path / "new"
    folder.mkdir()
    with on_engine(folder, "postgresql"):
        yield folder


def opened(folder: Path) -> Database:
    return moving.open_source(f"sqlite:///{folder / 'bipn.db'}")


def contents(database: Database) -> list[tuple[str, int, str]]:
    with database.read() as connection:
        return [(each.table, each.rows, each.sha256) for each in (content_of(connection, table) for table in moving.TABLES)]


def test_given_rows_in_every_table_when_moved_to_a_server_and_back_then_all_three_hold_the_same(
    old: Path, new: Path, tmp_path: Path
) -> None:
    with closing(a_database(new)) as target, closing(opened(old)) as source:
        before = contents(source)
        assert [table for table, rows, _ in before if rows == 0] == []
        moved = moving.move(source, target)
        assert [(each.table, each.rows, each.sha256) for each in moved.tables] == before == contents(target)
        assert moved.journal.intact
        (tmp_path / "back").mkdir()
        with closing(a_database(tmp_path / "back")) as back:
            moving.move(target, back)
            assert contents(back) == before


def test_given_a_source_when_moved_then_its_file_stays_as_it_was(old: Path, new: Path) -> None:
    before = (old / "bipn.db").read_bytes()
    with closing(a_database(new)) as target, closing(opened(old)) as source:
        moving.move(source, target)
        with pytest.raises(DatabaseError), source.write() as connection:
            connection.exec_driver_sql("DELETE FROM changes")
    assert (old / "bipn.db").read_bytes() == before


def test_given_a_source_that_was_left_without_being_closed_when_moved_then_its_last_commits_arrive(old: Path, new: Path) -> None:
    with another_program(old) as other:
        other.execute(f"INSERT INTO labs {LEAST['labs'].replace('P-1', 'P-last')}")
        for name in ("bipn.db", "bipn.db-wal"):  # as a process that was killed leaves them
            (old.parent / name).write_bytes((old / name).read_bytes())
    assert b"P-last" not in (old.parent / "bipn.db").read_bytes()
    with closing(a_database(new)) as target, closing(opened(old.parent)) as source:
        moving.move(source, target)
    with another_program(new) as other:
        assert other.execute("SELECT count(*) FROM labs WHERE patient_id = 'P-last'").fetchone() == (1,)


def test_given_a_moved_database_when_more_comes_then_triggers_fire_again_and_no_number_is_given_twice(
    old: Path, new: Path
) -> None:
    with another_program(old) as other:
        given = dict(other.execute("SELECT name, seq FROM sqlite_sequence"))
    with closing(a_database(new)) as target, closing(opened(old)) as source:
        moving.move(source, target)
    with another_program(new) as other:
        other.execute("DELETE FROM changes")
        for kind, values in LEAST.items():
            (number,) = other.execute(f"INSERT INTO {kind} {values.replace('P-1', kind)} RETURNING id").fetchone()
            assert number == given[kind] + 1
        noted = other.execute("SELECT id, patient_id FROM changes ORDER BY id").fetchall()
        assert [patient for _, patient in noted] == list(LEAST)
        assert noted[0][0] == given["changes"] + 1


@pytest.mark.parametrize("table", ["doses", "leases", "keys"])
def test_given_a_target_that_holds_anything_when_moved_to_then_it_is_refused(table: str, old: Path, new: Path) -> None:
    with closing(a_database(new)) as target, closing(opened(old)) as source:
        with another_program(new) as other:
            other.execute(
                {
                    "doses": f"INSERT INTO doses {LEAST['doses']}",
                    "leases": "INSERT INTO leases (name, holder, token, until) VALUES ('daemon', 'h', 1, now())",
                    "keys": "INSERT INTO keys (name, secret) VALUES ('n', 's')",
                }[table]
            )
        before = contents(target)
        with pytest.raises(DatabaseError, match="is not empty"):
            moving.move(source, target)
        assert contents(target) == before


def test_given_a_target_that_changes_what_arrives_when_moved_to_then_the_table_is_named_and_nothing_is_stored(
    old: Path, new: Path
) -> None:
    with closing(a_database(new)) as target, closing(opened(old)) as source:
        with another_program(new) as other:
            body = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.headline := ''; RETURN NEW; END $$"
            other.execute(f"CREATE FUNCTION twist() {body}")
            other.execute("CREATE TRIGGER twist BEFORE INSERT ON alerts FOR EACH ROW EXECUTE FUNCTION twist()")
        with pytest.raises(DatabaseError, match=r"differs from what was sent \(alerts\)"):
            moving.move(source, target)
        assert {rows for _, rows, _ in contents(target)} == {0}


@pytest.mark.parametrize("statement", [f"INSERT INTO doses {LEAST['doses']}", "UPDATE alerts SET headline = ''"])
def test_given_somebody_who_writes_meanwhile_when_moved_then_nothing_is_stored(statement: str, old: Path, new: Path) -> None:
    with closing(a_database(new)) as target, closing(opened(old)) as source, another_program(old) as other:
        with pytest.raises(DatabaseError, match="written to meanwhile"):
            moving.move(source, target, told=lambda content: other.execute(statement) if content.table == "keys" else None)
        assert {rows for _, rows, _ in contents(target)} == {0}


def test_given_bytes_that_are_no_text_when_moved_then_a_sign_stands_for_them_and_they_are_counted(old: Path, new: Path) -> None:
    with another_program(old) as other:
        other.execute("UPDATE assessments SET notes = CAST(x'4dfc61' AS TEXT), assessor = 'a' || char(0) || 'b' WHERE id = 3")
    with closing(a_database(new)) as target, closing(opened(old)) as source:
        moved = moving.move(source, target)
    assert {each.table: each.mended for each in moved.tables if each.mended} == {"assessments": 1}
    with another_program(new) as other:
        assert other.execute("SELECT notes, assessor FROM assessments WHERE id = 3").fetchall() == [("M\ufffda", "a\ufffdb")]


def test_given_a_source_of_another_version_or_with_tables_of_others_when_moved_then_it_is_refused(old: Path, new: Path) -> None:
    with another_program(old) as other:
        other.execute("CREATE TABLE theirs (a)")
    with (
        closing(a_database(new)) as target,
        closing(opened(old)) as source,
        pytest.raises(DatabaseError, match="another program: theirs"),
    ):
        moving.move(source, target)
    with another_program(old) as other:
        other.execute("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(DatabaseError, match="older version"):
        opened(old)
