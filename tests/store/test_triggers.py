"""What another program does to the tables of facts by plain SQL: it is noticed, and what was known stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.fact_tables import KINDS
from tests.engines import REFUSALS, Other
from tests.store.databases import a_database, another_program

DOSE = "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, source_id) VALUES ('P-1', '2026-01-05', 1.3, 'd1')"
LEAST = {
    "patients": "(patient_id) VALUES ('P-1')",
    "courses": "(patient_id, started_on) VALUES ('P-1', '2026-01-05')",
    "doses": "(patient_id, given_at, dose_mg_per_m2) VALUES ('P-1', '2026-01-05', 1.3)",
    "assessments": "(patient_id, assessed_at) VALUES ('P-1', '2026-01-05T09:00')",
    "labs": "(patient_id, collected_at, analyte, value, unit) VALUES ('P-1', '2026-01-05', 'csf_protein', 133, 'mg/dL')",
    "investigations": "(patient_id, performed_at, kind, findings) VALUES ('P-1', '2026-01-05', 'mri_spine', 'normal')",
    "treatments": "(patient_id, treatment, started_on) VALUES ('P-1', 'ivig', '2026-01-05')",
}


UPSERT = (
    " ON CONFLICT (source_id) WHERE superseded_at IS NULL AND source_id IS NOT NULL DO UPDATE SET"
    " dose_mg_per_m2 = excluded.dose_mg_per_m2, patient_id = excluded.patient_id"
)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    a_database(tmp_path).close()
    with another_program(tmp_path) as connection:
        yield connection


def changed(other: Other) -> set[str]:
    found = {row[0] for row in other.execute("SELECT patient_id FROM changes")}
    other.execute("DELETE FROM changes")
    return found


def rows(other: Other, columns: str, table: str = "doses") -> list[tuple[object, ...]]:
    return list(other.execute(f"SELECT {columns} FROM {table} ORDER BY id"))


@pytest.mark.parametrize("kind", KINDS)
def test_given_only_the_required_columns_when_inserted_then_the_patient_has_changed(kind: str, other: Other) -> None:
    other.execute(f"INSERT INTO {kind} {LEAST[kind]}")
    assert changed(other) == {"P-1"}
    ((stored_at, superseded_at),) = rows(other, "stored_at, superseded_at", kind)
    assert str(stored_at).endswith("+00:00")
    assert superseded_at is None


@pytest.mark.parametrize("kind", KINDS)
def test_given_a_row_when_deleted_then_it_stays_superseded_and_the_patient_has_changed(kind: str, other: Other) -> None:
    other.execute(f"INSERT INTO {kind} {LEAST[kind]}")
    changed(other)
    other.execute(f"DELETE FROM {kind}")
    assert changed(other) == {"P-1"}
    ((id_, superseded_at),) = rows(other, "id, superseded_at", kind)
    assert id_ == 1
    assert superseded_at is not None
    other.execute(f"DELETE FROM {kind}")
    assert rows(other, "id, superseded_at", kind) == [(1, superseded_at)]


@pytest.mark.parametrize("kind", KINDS)
def test_given_a_row_when_its_patient_is_changed_then_both_patients_have_changed(kind: str, other: Other) -> None:
    other.execute(f"INSERT INTO {kind} {LEAST[kind]}")
    changed(other)
    other.execute(f"UPDATE {kind} SET patient_id = 'P-2'")
    assert changed(other) == {"P-1", "P-2"}


def test_given_a_value_when_updated_then_the_old_row_is_kept_and_the_row_keeps_its_id(other: Other) -> None:
    other.execute(DOSE)
    other.execute("UPDATE doses SET fingerprint = 'f', feed = 'file', stored_at = '2026-01-05T12:00:00+00:00'")
    changed(other)
    other.execute("UPDATE doses SET dose_mg_per_m2 = 1.0 WHERE source_id = 'd1'")
    new, old = rows(other, "dose_mg_per_m2, id, record, version, fingerprint, feed, recorded_at, stored_at, superseded_at")
    assert new[:6] == (1.0, 1, None, 2, None, None)
    assert old[:8] == (1.3, 2, 1, 1, "f", "file", None, "2026-01-05T12:00:00+00:00")
    assert new[6] == new[7] == old[8]
    assert new[8] is None
    assert changed(other) == {"P-1"}


def test_given_two_updates_when_counted_then_each_version_has_its_own_number(other: Other) -> None:
    other.execute(DOSE)
    for dose in (1.0, 0.7):
        other.execute("UPDATE doses SET dose_mg_per_m2 = ? WHERE id = 1", (dose,))
    versions = rows(other, "dose_mg_per_m2, coalesce(version, id), coalesce(record, id), superseded_at IS NULL")
    assert versions == [(0.7, 3, 1, 1), (1.3, 1, 1, 0), (1.0, 2, 1, 0)]


def test_given_an_update_that_says_when_it_was_known_then_that_is_kept(other: Other) -> None:
    other.execute(DOSE)
    other.execute("UPDATE doses SET dose_mg_per_m2 = 1.0, recorded_at = '2026-01-06T08:00:00+00:00'")
    assert rows(other, "recorded_at, superseded_at") == [("2026-01-06T08:00:00+00:00", None), (None, "2026-01-06T08:00:00+00:00")]


def test_given_an_update_to_the_same_values_then_nothing_has_changed(other: Other) -> None:
    other.execute(DOSE)
    changed(other)
    other.execute("UPDATE doses SET dose_mg_per_m2 = 1.3, route = NULL")
    assert changed(other) == set()
    assert len(rows(other, "id")) == 1


def test_given_a_superseded_version_when_updated_then_it_is_not_edited_and_the_current_one_is(other: Other) -> None:
    other.execute(DOSE)
    other.execute("UPDATE doses SET dose_mg_per_m2 = 1.0")
    other.execute("UPDATE doses SET dose_mg_per_m2 = 0.7 WHERE source_id = 'd1'")
    assert rows(other, "dose_mg_per_m2, superseded_at IS NULL") == [(0.7, 1), (1.3, 0), (1.0, 0)]


def test_given_a_row_when_only_its_end_is_set_then_the_patient_has_changed_and_no_copy_is_made(other: Other) -> None:
    other.execute(DOSE)
    changed(other)
    other.execute("UPDATE doses SET superseded_at = '2026-02-01T08:00:00+00:00'")
    assert changed(other) == {"P-1"}
    assert len(rows(other, "id")) == 1


@pytest.mark.parametrize("end", ["", UPSERT])
def test_given_a_known_source_id_when_inserted_again_then_it_is_a_correction(end: str, other: Other) -> None:
    is_corrected(other, DOSE.replace("1.3", "1.0").replace("P-1", "P-2") + end)


@pytest.mark.sqlite_only("PostgreSQL has no INSERT OR REPLACE")
def test_given_a_known_source_id_when_replaced_then_it_is_a_correction(other: Other) -> None:
    is_corrected(other, DOSE.replace("1.3", "1.0").replace("P-1", "P-2").replace("INSERT", "INSERT OR REPLACE"))


def is_corrected(other: Other, again: str) -> None:
    other.execute(DOSE)
    changed(other)
    other.execute(again)
    old, new = rows(other, "dose_mg_per_m2, superseded_at, recorded_at")
    assert (old[0], new[0]) == (1.3, 1.0)
    assert old[1] == new[2] is not None
    assert changed(other) == {"P-1", "P-2"}


def test_given_a_power_that_is_none_when_inserted_then_it_is_refused(other: Other) -> None:
    insert = "INSERT INTO assessments (patient_id, assessed_at, mrc_deltoid_left) VALUES ('P', '2026-01-05', ?)"
    for refused in ("4-5", "6", "5/5", ""):
        with pytest.raises(REFUSALS, match="ck_assessments_mrc_deltoid_left"):
            other.execute(insert, (refused,))
    for power in ("0", "4-", "3+", "5", None):
        other.execute(insert, (power,))


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("assessments", "sensory_grade", 6),
        ("assessments", "sensory_grade", 1.5),
        ("assessments", "motor_grade", "severe"),
        ("assessments", "neuropathic_pain", "maybe"),
        ("assessments", "voided", 1),
        ("assessments", "assessed_at", "05.01.2026"),
        ("assessments", "vibration_toe_left", 9),
        ("doses", "route", "PO"),
        ("doses", "dose_mg_per_m2", -1),
        ("labs", "unit", "mmol/L"),
        ("labs", "value", 20000),
        ("courses", "schedule", "monthly"),
        ("investigations", "kind", "x-ray"),
    ],
)
def test_given_a_value_out_of_range_when_updated_then_it_is_refused(table: str, column: str, value: object, other: Other) -> None:
    other.execute(f"INSERT INTO {table} {LEAST[table]}")
    with pytest.raises(REFUSALS):
        other.execute(f"UPDATE {table} SET {column} = ?", (value,))
    assert len(rows(other, "id", table)) == 1


@pytest.mark.sqlite_only("PostgreSQL has no OR REPLACE")
@pytest.mark.parametrize(
    "statement",
    [
        DOSE.replace("INSERT", "INSERT OR REPLACE").replace("(patient_id", "(id, patient_id").replace("('P-1'", "(1, 'P-3'"),
        "UPDATE OR REPLACE doses SET source_id = 'd1' WHERE source_id = 'd2'",
        "UPDATE OR REPLACE doses SET id = 1 WHERE source_id = 'd2'",
        "UPDATE OR REPLACE doses SET superseded_at = NULL WHERE dose_mg_per_m2 = 1.3 AND source_id = 'd2'",
    ],
)
def test_given_another_row_in_its_place_when_replaced_then_it_is_refused_and_no_row_is_lost(statement: str, other: Other) -> None:
    other.execute(DOSE)
    other.execute(DOSE.replace("d1", "d2"))
    other.execute("UPDATE doses SET dose_mg_per_m2 = 1.0 WHERE source_id = 'd2'")
    before = rows(other, "*")
    with pytest.raises(REFUSALS, match=r"is there|another current row"):
        other.execute(statement)
    assert rows(other, "*") == before


def test_given_changes_that_were_consumed_when_more_come_then_ids_are_not_used_again(other: Other) -> None:
    other.execute(DOSE)
    changed(other)
    other.execute(DOSE.replace("d1", "d2"))
    assert other.execute("SELECT id FROM changes").fetchall() == [(2,)]


def test_given_many_rows_in_one_statement_when_inserted_then_patients_wait_in_the_order_of_their_rows(other: Other) -> None:
    patients = ("P-3", "P-1", "P-3", "P-2")
    values = ", ".join(f"('{patient}', '2026-01-05', 1.3)" for patient in patients)
    other.execute(f"INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES {values}")
    waiting = [row[0] for row in other.execute("SELECT patient_id FROM changes ORDER BY id").fetchall()]
    assert list(dict.fromkeys(waiting)) == ["P-3", "P-1", "P-2"]
