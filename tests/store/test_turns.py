"""Several processes look at patients of one PostgreSQL database: never two at one, none left out, no change lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from monitor.store import changes, dialect, journal, turns
from monitor.store.database import Database
from tests import engines
from tests.store.databases import FILE, NOW, a_database, another_program, the_database

pytestmark = pytest.mark.postgresql_only("a writer of SQLite is alone")


@pytest.fixture
def other_program(tmp_path: Path) -> Iterator[psycopg.Connection]:
    """One whose transaction is still open."""
    a_database(tmp_path)
    with psycopg.connect(engines.url_of(tmp_path, FILE)) as connection:
        yield connection


def changed(folder: Path, *patients: str) -> None:
    with another_program(folder) as other:
        for patient in patients:
            other.execute("INSERT INTO changes (patient_id) VALUES (?)", (patient,))


def two(folder: Path) -> tuple[Database, Database]:
    """The database as two processes have it open."""
    return a_database(folder), the_database(folder)


def test_given_patients_whom_another_has_taken_when_asked_then_the_next_ones_are_due_and_they_are_counted(tmp_path: Path) -> None:
    one, other = two(tmp_path)
    changed(tmp_path, "P-1", "P-2", "P-1", "P-3", "P-4")
    with one.write(beside_others=True) as first, other.write(beside_others=True) as second:
        assert changes.due(first, NOW, 2).patient_ids == ("P-1", "P-2")
        assert changes.due(second, NOW, 2) == changes.Due(("P-3", "P-4"), (4, 5), 2)
    with other.write(beside_others=True) as second:
        assert changes.due(second, NOW, 9).patient_ids == ("P-1", "P-2", "P-3", "P-4")


def test_given_nobody_but_those_taken_when_asked_then_nobody_is_due_and_nobody_is_waited_for(tmp_path: Path) -> None:
    one, other = two(tmp_path)
    changed(tmp_path, "P-1")
    with one.write() as connection:
        changes.set_look_again(connection, "P-2", NOW)
    with one.write(beside_others=True) as first, other.write(beside_others=True) as second:
        assert changes.due(first, NOW, 9).patient_ids == ("P-1", "P-2")
        assert changes.due(second, NOW, 9) == changes.Due((), (), 2)


def test_given_a_change_with_a_smaller_number_when_committed_after_a_larger_was_consumed_then_it_is_due(
    tmp_path: Path, other_program: psycopg.Connection
) -> None:
    database = the_database(tmp_path)
    other_program.execute("INSERT INTO changes (patient_id) VALUES ('P-1')")
    changed(tmp_path, "P-1", "P-2")
    with database.write(beside_others=True) as connection:
        due = changes.due(connection, NOW, 9)
        assert due.change_ids == (2, 3)
        changes.consume(connection, due.change_ids)
    other_program.commit()
    with database.write(beside_others=True) as connection:
        assert changes.due(connection, NOW, 9) == changes.Due(("P-1",), (1,))


def test_given_a_patient_who_was_taken_when_that_transaction_is_broken_off_then_another_may_have_him(tmp_path: Path) -> None:
    one, other = two(tmp_path)
    with one.write(beside_others=True) as first, other.write(beside_others=True) as second:
        assert turns.take(first, ["P-1"]) == ["P-1"]
        assert turns.take(second, ["P-1", "P-2"]) == ["P-2"]
        first.rollback()
        assert turns.take(second, ["P-1"]) == ["P-1"]


def test_given_several_who_append_at_once_when_verified_then_the_journal_is_one_chain(tmp_path: Path) -> None:
    databases = [a_database(tmp_path), *(the_database(tmp_path) for _ in range(3))]

    def append(database: Database) -> None:
        for number in range(10):
            with database.write(beside_others=True) as connection:
                journal.append(connection, NOW, journal.Entry("act", f"A-{number}", {}), journal.Entry("act", "A-0", {}))

    threads = [threading.Thread(target=append, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with databases[0].read() as connection:
        verdict = journal.verify(connection)
    assert (verdict.intact, verdict.entries) == (True, 80)


def test_given_a_writer_who_must_be_alone_when_others_write_beside_each_other_then_it_waits_for_all_of_them(
    tmp_path: Path,
) -> None:
    one, other = two(tmp_path)
    alone, begun = threading.Event(), threading.Event()

    def write() -> None:
        begun.set()
        with other.write():
            alone.set()

    with one.write(beside_others=True) as connection:
        dialect.one_at_a_time(connection, dialect.JOURNAL)
        thread = threading.Thread(target=write)
        thread.start()
        assert begun.wait(5)
        assert not alone.wait(0.3)
    assert alone.wait(5)
    thread.join()


def test_given_an_import_that_goes_on_when_somebody_acts_or_is_told_then_neither_waits_for_it(tmp_path: Path) -> None:
    one, other = two(tmp_path)
    with one.write_facts() as long:
        long.exec_driver_sql("INSERT INTO patients (patient_id) VALUES ('P-1')")
        with other.write() as connection:
            journal.append(connection, NOW, journal.Entry("act", "A-1", {}))
        with other.write(beside_others=True) as connection:
            assert changes.due(connection, NOW, 9) == changes.NOTHING
    with other.write(beside_others=True) as connection:
        assert changes.due(connection, NOW, 9).patient_ids == ("P-1",)
