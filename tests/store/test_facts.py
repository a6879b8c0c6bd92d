"""Writing facts: new, corrected, unchanged; any order of arrival ends in the same versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import DatabaseError
from monitor.store import facts
from monitor.store.database import Database
from monitor.store.facts import FactRow
from monitor.store.versions import Value
from tests.store.databases import NOW, a_database, another_program

LATER = NOW + timedelta(days=1)


def a_dose(**values: Value) -> dict[str, Value]:
    return {
        "patient_id": "P-1",
        "given_at": "2026-01-05",
        "drug": "bortezomib",
        "dose_mg_per_m2": 1.3,
        "source_id": "d1",
        **values,
    }


def brought(database: Database, kind: str, *rows: FactRow, now: datetime = NOW, feed: str = "file-1") -> tuple[int, int, int]:
    with database.write() as connection:
        counts = facts.write(connection, kind, rows, now=now, feed=feed)
    return counts.inserted, counts.corrected, counts.unchanged


def stored(database: Database, kind: str, columns: str) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM {kind} ORDER BY id")]


def changed(database: Database) -> set[str]:
    with database.write() as connection:
        found = {row[0] for row in connection.exec_driver_sql("SELECT patient_id FROM changes")}
        connection.exec_driver_sql("DELETE FROM changes")
    return found


def test_given_a_file_when_imported_twice_then_the_second_time_changes_nothing(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    rows = [a_dose(), a_dose(source_id=None), a_dose(source_id="d2", recorded_at="2026-01-05T12:00:00+00:00")]
    assert brought(database, "doses", *rows) == (3, 0, 0)
    assert changed(database) == {"P-1"}
    assert brought(database, "doses", *rows, now=LATER) == (0, 0, 3)
    assert changed(database) == set()


def test_given_the_same_values_as_whole_numbers_and_without_the_drug_when_imported_then_it_is_the_same_fact(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose(dose_mg_per_m2=1.0))
    assert brought(database, "doses", a_dose(dose_mg_per_m2=1, drug=None), feed="file-2") == (0, 0, 1)


def test_given_a_correction_without_recorded_at_when_imported_then_it_is_known_from_the_import_on(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose())
    assert brought(database, "doses", a_dose(dose_mg_per_m2=1.0), now=LATER, feed="file-2") == (0, 1, 0)
    assert stored(database, "doses", "dose_mg_per_m2, recorded_at, superseded_at, stored_at") == [
        (1.3, None, LATER.isoformat(), NOW.isoformat()),
        (1.0, LATER.isoformat(), None, LATER.isoformat()),
    ]


def test_given_a_corrected_record_when_the_first_file_comes_again_then_the_correction_stands(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose())
    brought(database, "doses", a_dose(dose_mg_per_m2=1.0), now=LATER, feed="file-2")
    assert brought(database, "doses", a_dose(), now=LATER, feed="file-1") == (0, 0, 1)


def test_given_a_corrected_record_when_another_file_has_the_old_values_then_it_is_corrected_back(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose())
    brought(database, "doses", a_dose(dose_mg_per_m2=1.0), now=LATER, feed="file-2")
    assert brought(database, "doses", a_dose(), now=LATER + timedelta(days=1), feed="file-3") == (0, 1, 0)
    assert [row[0] for row in stored(database, "doses", "dose_mg_per_m2") if row] == [1.3, 1.0, 1.3]
    assert brought(database, "doses", a_dose(dose_mg_per_m2=1.0), now=LATER, feed="file-2") == (0, 0, 1)


def test_given_an_old_version_with_recorded_at_when_any_file_brings_it_again_then_nothing_changes(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    first = a_dose(recorded_at="2026-01-05T12:00:00+00:00")
    brought(database, "doses", first)
    brought(database, "doses", a_dose(dose_mg_per_m2=1.0, recorded_at="2026-01-06T12:00:00+00:00"), feed="file-2")
    assert brought(database, "doses", first, feed="file-3") == (0, 0, 1)


def test_given_a_record_that_moves_to_another_patient_when_imported_then_both_have_changed(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose())
    changed(database)
    assert brought(database, "doses", a_dose(patient_id="P-2"), now=LATER) == (0, 1, 0)
    assert changed(database) == {"P-1", "P-2"}


def test_given_a_version_recorded_earlier_when_it_arrives_later_then_it_is_history(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose(recorded_at="2026-01-09T12:00:00+00:00"))
    earlier = a_dose(dose_mg_per_m2=1.0, recorded_at="2026-01-07T12:00:00+01:00")
    assert brought(database, "doses", earlier, now=LATER) == (0, 1, 0)
    assert stored(database, "doses", "dose_mg_per_m2, superseded_at") == [(1.3, None), (1.0, "2026-01-09T12:00:00+00:00")]


def test_given_a_first_version_without_recorded_at_when_a_correction_is_dated_before_it_then_the_correction_stands(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose())
    brought(database, "doses", a_dose(dose_mg_per_m2=1.0, recorded_at="2026-01-05T06:00:00+00:00"), now=LATER)
    assert stored(database, "doses", "dose_mg_per_m2, superseded_at") == [(1.3, "2026-01-05T06:00:00+00:00"), (1.0, None)]


def test_given_a_correction_recorded_in_the_future_when_imported_then_it_is_known_now(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose())
    brought(database, "doses", a_dose(dose_mg_per_m2=1.0, recorded_at="2099-01-05T06:00:00+00:00"), now=LATER)
    assert stored(database, "doses", "superseded_at") == [(LATER.isoformat(),), (None,)]


def test_given_courses_without_source_id_when_the_stop_is_recorded_then_it_is_one_record(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    course = {"patient_id": "P-1", "drug": "bortezomib", "started_on": "2026-01-05"}
    stop = {**course, "discontinued_on": "2026-02-01"}
    assert brought(database, "courses", course) == (1, 0, 0)
    assert brought(database, "courses", stop, now=LATER) == (0, 1, 0)
    assert stored(database, "courses", "id, record, discontinued_on") == [(1, None, None), (2, 1, "2026-02-01")]


def test_given_two_versions_of_a_nameless_record_in_one_file_when_imported_then_they_share_a_record(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    treatment = {"patient_id": "P-1", "treatment": "ivig", "started_on": "2026-01-05"}
    assert brought(database, "treatments", treatment, {**treatment, "stopped_on": "2026-01-09"}) == (1, 1, 0)
    assert stored(database, "treatments", "id, record, superseded_at") == [(1, None, NOW.isoformat()), (2, 1, None)]


def test_given_a_patient_when_the_ward_changes_then_the_record_has_two_versions(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    assert brought(database, "patients", {"patient_id": "P-1", "site": "north"}) == (1, 0, 0)
    assert brought(database, "patients", {"patient_id": "P-1", "site": "south"}, now=LATER) == (0, 1, 0)


def test_given_facts_without_names_when_one_value_differs_then_it_is_another_fact(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    assert brought(database, "doses", a_dose(source_id=None), a_dose(source_id=None)) == (1, 0, 1)
    assert brought(database, "doses", a_dose(source_id=None, dose_mg_per_m2=1.0)) == (1, 0, 0)


def test_given_rows_of_another_program_when_a_file_brings_the_same_then_nothing_changes(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-1', '2026-01-05', 1.3)")
        other.execute(
            "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, source_id) VALUES ('P-1', '2026-01-05', 1.3, 'd1')"
        )
    assert brought(database, "doses", a_dose(), a_dose(source_id=None)) == (0, 0, 2)
    assert brought(database, "doses", a_dose(dose_mg_per_m2=0.7), now=LATER) == (0, 1, 0)


def test_given_a_record_that_another_program_deleted_when_the_file_comes_again_then_it_stays_deleted(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", a_dose())
    with another_program(tmp_path) as other:
        other.execute("DELETE FROM doses WHERE source_id = 'd1'")
    assert brought(database, "doses", a_dose(), now=LATER) == (0, 0, 1)
    assert brought(database, "doses", a_dose(dose_mg_per_m2=1.0), now=datetime(2099, 1, 1, tzinfo=UTC), feed="new") == (0, 1, 0)
    assert [end is None for (end,) in stored(database, "doses", "superseded_at")] == [False, True]


def test_given_an_unknown_column_when_written_then_it_is_a_defect_and_nothing_is_stored(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with pytest.raises(ValueError, match="doses have no column 'dosis'"):
        brought(database, "doses", a_dose(), a_dose(source_id="d2", dosis=1))
    assert stored(database, "doses", "id") == []


def test_given_a_value_that_a_check_refuses_when_written_then_the_error_names_the_check_and_no_value(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with pytest.raises(DatabaseError) as caught:
        brought(database, "doses", a_dose(source_id="secret-number"), a_dose(source_id="d3", route="secret-route"))
    assert "ck_doses_route" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__  # which quotes the row
    assert stored(database, "doses", "id") == []


days = st.integers(1, 28).map(lambda day: f"2026-01-{day:02}T12:00:00+00:00")
a_version = st.fixed_dictionaries(
    {"source_id": st.sampled_from(("d1", "d2", "d3")), "patient_id": st.sampled_from(("P-1", "P-2")), "recorded_at": days}
)


@pytest.fixture
def filled(tmp_path: Path) -> tuple[Database, Iterator[int]]:
    """One database for all examples, which have records of their own."""
    return a_database(tmp_path), count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.lists(a_version, max_size=9, unique_by=lambda version: (version["source_id"], version["recorded_at"])))
def test_given_versions_with_recorded_at_when_imported_in_any_order_and_parts_then_the_same_is_stored(
    filled: tuple[Database, Iterator[int]], data: st.DataObject, versions: list[dict[str, str]]
) -> None:
    # The dose follows from the day, so that versions of one record differ.
    rows = [a_dose(**version, dose_mg_per_m2=int(version["recorded_at"][8:10]) / 10) for version in versions]
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=2)))
    database, numbers = filled
    found = []
    for parts in ([rows], [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]):
        own = f"{next(numbers)} "
        for number, part in enumerate(parts):
            named = [{**row, "source_id": f"{own}{row['source_id']}"} for row in part]
            brought(database, "doses", *named, now=NOW + timedelta(hours=number), feed=f"file-{number}")
        columns = "source_id, patient_id, recorded_at, superseded_at, dose_mg_per_m2"
        ours = [row for row in stored(database, "doses", columns) if str(row[0]).startswith(own)]
        found.append(sorted(((str(row[0]).removeprefix(own), *row[1:]) for row in ours), key=str))
    assert found[0] == found[1]
