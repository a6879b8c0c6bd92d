"""Cells: what each column takes, how it is stored, and what is refused with which remedy."""

from __future__ import annotations

import pytest

from tests.importers.reading import assessment, lab, read_text


@pytest.mark.parametrize(
    ("column", "cell", "stored"),
    [
        ("sensory_grade", "2", 2),
        ("sensory_grade", " 0 ", 0),
        ("pain_nrs", "10", 10),
        ("gbs_disability", "6", 6),
        ("neuropathic_pain", "Yes", "yes"),
        ("walking", "WHEELCHAIR", "wheelchair"),
        ("reflexes", "Absent", "absent"),
        ("red_flags", "syncope; back_pain;syncope", "back_pain;syncope"),
        ("voided", "no", None),
        ("voided", "yes", "yes"),
        ("systolic_lying", "120", 120),
        ("grip_kpa_left", "33.5", 33.5),
        ("vibration_toe_left", "7.5", 7.5),
        ("ctcae_version", "4", "4.03"),
        ("ctcae_version", "4.0", "4.03"),
        ("ctcae_version", "v4.03", "4.03"),
        ("ctcae_version", "CTCAE v5.0", "5.0"),
        ("ctcae_version", "5", "5.0"),
        ("ctcae_version", "6", "6.0"),
        ("mrc_deltoid_right", "4-", "4-"),
        ("mrc_deltoid_right", "4\u2212", "4-"),
        ("mrc_deltoid_right", "5/5", "5"),
        ("mrc_deltoid_right", "4-/5", "4-"),
        ("mrc_deltoid_right", "NT", None),
        ("recorded_at", "2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00+00:00"),
        ("recorded_at", "2026-11-02", "2026-11-02"),
    ],
)
def test_given_a_cell_as_feeds_write_it_when_read_then_it_is_stored_in_one_way(column: str, cell: str, stored: object) -> None:
    row, rejected = assessment(column, cell)
    assert rejected == []
    assert row is not None
    assert row[column] == stored


@pytest.mark.parametrize(
    ("column", "cell", "found"),
    [
        ("sensory_grade", "2.0", "found a decimal number; write a whole number from 0 to 5"),
        ("sensory_grade", "6", "found a number outside 0 to 5"),
        ("sensory_grade", "-1", "found a negative number"),
        ("sensory_grade", "2-3", "found a range"),
        ("sensory_grade", "severe", "found text"),
        ("sensory_grade", "\u0663", "found text"),
        ("pain_nrs", "11", "outside 0 to 10"),
        ("gbs_disability", "7", "outside 0 to 6"),
        ("neuropathic_pain", "1", "write yes or no"),
        ("walking", "stick", "unaided, cane, walker, wheelchair or bedbound"),
        ("red_flags", "back pain", "back_pain"),
        ("systolic_lying", "12", "outside 20 to 300"),
        ("grip_kpa_left", '"33,5"', "found a number with a decimal comma"),
        ("grip_kpa_left", "nan", "found text"),
        ("grip_kpa_left", "1e3", "found a number with a sign or unit beside it"),
        ("vibration_toe_left", "9", "outside 0 to 8"),
        ("ctcae_version", "3", "write 4.03, 5.0 or 6.0"),
        ("mrc_deltoid_right", "4-5", "found a range; a range cannot be compared; write MRC power"),
        ("mrc_deltoid_right", "IV", "found text; write MRC power"),
        ("recorded_at", "yesterday", "found text; write 2026-11-23"),
        ("notes", '"a\x07"', "control characters"),
    ],
)
def test_given_a_cell_that_cannot_be_taken_when_read_then_it_says_what_was_found_and_what_to_write(
    column: str, cell: str, found: str
) -> None:
    row, rejected = assessment(column, cell)
    assert row is None
    assert [(each.line, each.column) for each in rejected] == [(2, column)]
    assert found in rejected[0].problem


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01T09:30", "2026-11-01T08:30:00+00:00"),
        ("2026-11-01 09:30:15", "2026-11-01T08:30:15+00:00"),
        ("2026-07-01T09:30", "2026-07-01T07:30:00+00:00"),
        ("2026-11-01T09:30Z", "2026-11-01T09:30:00+00:00"),
        ("2026-11-01T09:30-05:00", "2026-11-01T14:30:00+00:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00"),
        ("2026-03-29T02:30", "2026-03-29T01:30:00+00:00"),
        ("2026-11-24T08:00Z", "2026-11-24T08:00:00+00:00"),
        ("2026-11-24", "2026-11-24"),
    ],
)
def test_given_a_clinical_time_when_read_then_a_day_stays_a_day_and_an_instant_becomes_utc(written: str, stored: str) -> None:
    file, rows = read_text("doses.csv", "patient_id,given_at,dose_mg_per_m2", f"P-1,{written},1.3")
    assert file.rejected == []
    assert rows[0]["given_at"] == stored


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-11-25", "found a day in the future"),
        ("2026-11-24T08:01Z", "found a time in the future"),
        ("01.11.2026", "found a day that is not written year-month-day"),
        ("11/01/2026", "found a day that is not written year-month-day"),
        ("2026-02-30", "not in the calendar"),
        ("2026-11-01T25:00", "found a time that cannot be read"),
        ("0026-11-01", "found a day before 1900"),
        ("46000", "found a whole number"),
        ("", "found nothing; this column is required"),
    ],
)
def test_given_a_time_that_cannot_be_when_read_then_it_is_refused(written: str, found: str) -> None:
    file, rows = read_text("doses.csv", "patient_id,given_at,dose_mg_per_m2", f"P-1,{written},1.3")
    assert rows == []
    assert found in file.rejected[0].problem


def test_given_an_instant_where_a_day_belongs_when_read_then_it_is_the_clinics_day() -> None:
    _, rows = read_text("courses.csv", "patient_id,started_on", "P-1,2026-10-31T23:30Z")
    assert rows[0]["started_on"] == "2026-11-01"


def test_given_a_birth_in_the_future_when_read_then_it_is_refused() -> None:
    file, rows = read_text("patients.csv", "patient_id,birth_date", "P-1,2050-01-01")
    assert rows == []
    assert file.rejected[0].column == "birth_date"


@pytest.mark.parametrize(("identifier", "found"), [("", "required"), ("x" * 65, "more than 64"), ('"a\tb"', "cannot be printed")])
def test_given_an_identifier_that_is_none_when_read_then_the_row_is_refused(identifier: str, found: str) -> None:
    file, rows = read_text("patients.csv", "patient_id,sex", f"{identifier},F")
    assert rows == []
    assert found in file.rejected[0].problem


@pytest.mark.parametrize(
    ("drug", "mg", "found"),
    [
        ("bortezomib", "2.4", "looks like a dose in mg"),
        ("", "2.4", "looks like a dose in mg"),
        ("bortezomib", "0", "found zero"),
        ("carfilzomib", "10001", "outside 0 to 10000"),
        ("bortezomib", "-1.3", "found a negative number"),
        ("bortezomib", "1.3 mg/m2", "found a number with a sign or unit beside it"),
    ],
)
def test_given_a_dose_that_cannot_be_when_read_then_it_is_refused(drug: str, mg: str, found: str) -> None:
    file, rows = read_text("doses.csv", "patient_id,given_at,drug,dose_mg_per_m2", f"P-1,2026-11-01,{drug},{mg}")
    assert rows == []
    assert file.rejected[0].column == "dose_mg_per_m2"
    assert found in file.rejected[0].problem


def test_given_a_dose_of_another_drug_when_read_then_its_own_size_is_fine() -> None:
    _, rows = read_text("doses.csv", "patient_id,given_at,drug,dose_mg_per_m2", "P-1,2026-11-01,Carfilzomib,56")
    assert (rows[0]["drug"], rows[0]["dose_mg_per_m2"]) == ("carfilzomib", 56.0)


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "stored"),
    [
        ("csf_protein", "133", "mg/dl", "mg/dL"),
        ("CSF_PROTEIN", "1.33", "g/L", "g/L"),
        ("csf_protein", "1330", "mg/L", "mg/L"),
        ("csf_protein", "0.05", "g/L", "g/L"),
        ("csf_white_cells", "2", "/\u00b5L", "/uL"),
        ("csf_white_cells", "2", "/\u03bcl", "/uL"),
        ("csf_white_cells", "2", "10^6/L", "10*6/L"),
        ("csf_white_cells", "2", "10\u2076/L", "10*6/L"),
        ("csf_white_cells", "2", "x 10*6/L", "10*6/L"),
        ("csf_white_cells", "0", "/mm\u00b3", "/mm3"),
    ],
)
def test_given_a_unit_as_laboratories_write_it_when_read_then_it_is_stored_in_one_way(
    analyte: str, value: str, unit: str, stored: str
) -> None:
    row, rejected = lab(analyte, value, unit)
    assert rejected == []
    assert row is not None
    assert (row["value"], row["unit"]) == (float(value), stored)


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "column", "found"),
    [
        ("csf_protein", "133", "", "unit", "required"),
        ("csf_protein", "133", "g/L", "value", "outside 0.05 to 10 g/L"),
        ("csf_protein", "1.33", "mg/dL", "value", "outside 0.05 to 10 g/L"),
        ("csf_protein", "2", "/uL", "unit", "another analyte"),
        ("csf_white_cells", "2", "106/L", "unit", "lost its superscript"),
        ("csf_white_cells", "2", "10*9/L", "unit", "unit we do not know"),
        ("csf_white_cells", "100001", "/uL", "value", "100000 cells"),
        ("csf_glucose", "60", "mg/dL", "analyte", "csf_protein or csf_white_cells"),
    ],
)
def test_given_a_laboratory_value_that_cannot_be_when_read_then_it_is_refused(
    analyte: str, value: str, unit: str, column: str, found: str
) -> None:
    row, rejected = lab(analyte, value, unit)
    assert row is None
    assert rejected[0].column == column
    assert found in rejected[0].problem


def test_given_an_end_before_the_start_when_read_then_it_is_refused() -> None:
    courses, _ = read_text("courses.csv", "patient_id,started_on,discontinued_on", "P-1,2026-11-02,2026-11-01")
    treatments, _ = read_text("treatments.csv", "patient_id,treatment,started_on,stopped_on", "P-1,ivig,2026-11-02,2026-11-01")
    assert [each.column for each in courses.rejected + treatments.rejected] == ["discontinued_on", "stopped_on"]


def test_given_treatments_and_findings_when_read_then_spelling_and_order_are_made_one() -> None:
    _, rows = read_text(
        "treatments.csv", "patient_id,treatment,started_on", "P-1,IVIG,2026-11-02", "P-1,Plasma exchange,2026-11-02"
    )
    _, found = read_text(
        "investigations.csv",
        "patient_id,performed_at,kind,findings",
        "P-1,2026-11-02,nerve_conduction,demyelinating; Axonal",
    )
    assert [row["treatment"] for row in rows] == ["ivig", "plasma_exchange"]
    assert found[0]["findings"] == "axonal;demyelinating"
    assert read_text("investigations.csv", "patient_id,performed_at,kind,findings", "P-1,2026-11-02,csf_report,;")[1] == []
