"""What is due: changed patients and those whose time has come; a change committed meanwhile stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.store import changes
from monitor.store.database import Database
from tests.store.databases import NOW, a_database, another_program

DAY = timedelta(days=1)


def change(folder: Path, *patient_ids: str) -> None:
    with another_program(folder) as other:
        other.executemany("INSERT INTO patients (patient_id) VALUES (?)", [(id_,) for id_ in patient_ids])


def due(database: Database, limit: int = 100, *, after: timedelta = timedelta()) -> changes.Due:
    with database.read() as connection:
        return changes.due(connection, NOW + after, limit)


def test_given_nothing_new_when_asked_then_nothing_is_due(tmp_path: Path) -> None:
    assert due(a_database(tmp_path)) == changes.NOTHING


def test_given_changed_patients_when_consumed_then_they_are_due_no_more(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    change(tmp_path, "P-2", "P-1", "P-2")
    found = due(database)
    assert found.patient_ids == ("P-2", "P-1")
    with database.write() as connection:
        assert changes.waiting(connection) == len(found.change_ids)
        changes.consume(connection, found.change_ids)
    assert due(database) == changes.NOTHING


def test_given_a_change_committed_after_the_look_when_the_look_is_consumed_then_it_is_due_again(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    change(tmp_path, "P-1")
    found = due(database)
    change(tmp_path, "P-1")
    with database.write() as connection:
        changes.consume(connection, found.change_ids)
    assert due(database).patient_ids == ("P-1",)


def test_given_more_patients_than_the_limit_when_taken_in_turns_then_all_come_once_with_all_their_changes(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    ids = [f"P-{number:03}" for number in range(50)]
    change(tmp_path, *ids)
    with another_program(tmp_path) as other:
        for day in range(1, 29):
            row = "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES (?, ?, 1.3)"
            other.executemany(row, [(id_, f"2026-01-{day:02}") for id_ in reversed(ids)])
    seen: list[str] = []
    while found := due(database, 7).patient_ids:
        seen += found
        with database.write() as connection:
            changes.consume(connection, changes.due(connection, NOW, 7).change_ids)
    assert seen == ids


def test_given_a_time_to_look_again_when_it_comes_then_the_patient_is_due_until_it_is_set_anew(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        changes.set_look_again(connection, "P-1", NOW + DAY)
        changes.set_look_again(connection, "P-1", NOW + 2 * DAY)
        assert changes.look_again_at(connection, "P-1") == NOW + 2 * DAY
    assert due(database, after=DAY) == changes.NOTHING
    assert due(database, after=2 * DAY) == changes.Due(("P-1",), ())
    with database.write() as connection:
        changes.set_look_again(connection, "P-1", None)
    assert due(database, after=2 * DAY) == changes.NOTHING


def test_given_changes_and_times_that_have_come_when_limited_then_changes_go_first_and_nobody_is_named_twice(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    change(tmp_path, "P-2")
    with database.write() as connection:
        for patient_id in ("P-1", "P-2", "P-3"):
            changes.set_look_again(connection, patient_id, NOW)
    assert due(database).patient_ids == ("P-2", "P-1", "P-3")
    assert due(database, 2).patient_ids == ("P-2", "P-1")
