"""Reading histories: every version, in the clinic's days, and one patient's unreadable row is that patient's alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clinical.history import ALWAYS, History
from monitor.clinical.scales.mrc import KLEYWEG_MUSCLES, TESTED_MUSCLES
from monitor.store import facts
from monitor.store.database import Database
from monitor.store.histories import load, patients_with_facts
from monitor.store.times import moment
from monitor.store.units import to_mg_dl, to_per_ul
from monitor.store.versions import Value
from tests.store.databases import NOW, a_database, another_program

BERLIN = ZoneInfo("Europe/Berlin")


def bring(database: Database, kind: str, *rows: Mapping[str, Value], now: datetime = NOW) -> None:
    with database.write() as connection:
        facts.write(connection, kind, rows, now=now, feed=f"{kind}-{now}", zone=BERLIN)


def history_of(database: Database, patient_id: str = "P-1") -> History:
    with database.read() as connection:
        loaded = load(connection, [patient_id], BERLIN)
    assert loaded.unreadable == {}
    return loaded.histories[patient_id]


def test_given_a_bare_day_when_read_then_it_is_the_clinics_noon(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    bring(database, "doses", {"patient_id": "P-1", "given_at": "2026-01-05", "dose_mg_per_m2": 1.3})
    (dose,) = history_of(database).doses
    assert (dose.at, dose.on, dose.day_only) == (datetime(2026, 1, 5, 11, tzinfo=UTC), date(2026, 1, 5), True)
    assert (dose.drug, dose.known_at, dose.fact_id, dose.version) == ("bortezomib", dose.at, "doses-1", 1)


def test_given_times_of_night_when_read_then_the_day_is_the_clinics(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    for given_at in ("2026-01-05T23:30:00+00:00", "2026-01-05T23:30"):
        bring(database, "doses", {"patient_id": "P-1", "given_at": given_at, "dose_mg_per_m2": 1.3})
    assert [dose.on for dose in history_of(database).doses] == [date(2026, 1, 5), date(2026, 1, 6)]


def test_given_when_facts_were_recorded_and_stored_when_read_then_the_earlier_is_when_they_were_known(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    dose: dict[str, Value] = {"patient_id": "P-1", "given_at": "2026-01-05", "dose_mg_per_m2": 1.3}
    bring(database, "doses", {**dose, "source_id": "a", "recorded_at": "2026-01-07T08:00:00+01:00"})
    bring(database, "doses", {**dose, "source_id": "b", "recorded_at": "2099-01-07T08:00:00+01:00"})
    bring(database, "doses", {**dose, "source_id": "c", "given_at": "2026-12-24"})
    known = {fact.fact_id: fact.known_at for fact in history_of(database).doses}
    assert known == {"a": datetime(2026, 1, 7, 7, tzinfo=UTC), "b": NOW, "c": NOW}


def test_given_an_assessment_with_all_it_can_hold_when_read_then_nothing_is_lost(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    muscles: dict[str, Value] = {f"mrc_{muscle}_{side}": "4-" for muscle in KLEYWEG_MUSCLES for side in ("right", "left")}
    row: dict[str, Value] = {
        "patient_id": "P-1",
        "assessed_at": "2026-01-05T09:00:00+01:00",
        "assessor": "AB",
        "ctcae_version": "5.0",
        "sensory_grade": 2,
        "motor_grade": 0,
        "autonomic_grade": None,
        "neuropathic_pain": "no",
        "pain_nrs": 0,
        "walking": "cane",
        "gbs_disability": 3,
        "reflexes": "absent",
        "red_flags": "back_pain; sphincter;",
        "systolic_lying": 130,
        "systolic_standing": 100,
        "diastolic_lying": 80,
        "diastolic_standing": 70,
        "grip_kpa_right": 60.5,
        "grip_kpa_left": 55,
        "vibration_toe_right": 5.5,
        "vibration_toe_left": 0,
        "notes": "x",
        **muscles,
    }
    bring(database, "assessments", row)
    (found,) = history_of(database).assessments
    assert found.at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert (found.sensory_grade, found.motor_grade, found.autonomic_grade) == (2, 0, None)
    assert (found.neuropathic_pain, found.pain_nrs, found.walking, found.gbs_disability) == (False, 0, "cane", 3)
    assert (found.reflexes, found.red_flags, found.voided) == ("absent", frozenset({"back_pain", "sphincter"}), False)
    assert (found.systolic_lying, found.systolic_standing) == (130, 100)
    assert (found.diastolic_lying, found.diastolic_standing) == (80, 70)
    assert (found.grip_kpa_right, found.grip_kpa_left) == (60.5, 55.0)
    assert (found.vibration_toe_right, found.vibration_toe_left) == (5.5, 0.0)
    assert (found.assessor, found.ctcae_version) == ("AB", "5.0")
    assert found.mrc_sum == 48
    assert {TESTED_MUSCLES[place] for place, rank in enumerate(found.mrc) if rank == 11} == {name[4:] for name in muscles}


def test_given_no_strength_and_no_pain_recorded_when_read_then_it_is_not_recorded(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    bring(database, "assessments", {"patient_id": "P-1", "assessed_at": "2026-01-05", "voided": "yes"})
    (found,) = history_of(database).assessments
    assert (set(found.mrc), found.mrc_sum, found.neuropathic_pain, found.voided) == ({None}, None, None, True)
    assert history_of(database).as_known_at(NOW).assessments == ()


def test_given_the_other_kinds_when_read_then_each_has_its_words(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    of_one: dict[str, Value] = {"patient_id": "P-1"}
    bring(database, "patients", {**of_one, "birth_date": "1945-01-01", "comorbidities": "diabetes; anaemia"})
    bring(database, "courses", {**of_one, "started_on": "2026-01-05", "schedule": "weekly", "cycle_days": 21})
    bring(database, "labs", {**of_one, "collected_at": "2026-02-01", "analyte": "csf_protein", "value": 0.133, "unit": "g/L"})
    bring(database, "labs", {**of_one, "collected_at": "2026-02-01", "analyte": "csf_white_cells", "value": 2, "unit": "10*6/L"})
    bring(database, "investigations", {**of_one, "performed_at": "2026-02-01", "kind": "mri_spine", "findings": "normal"})
    bring(database, "treatments", {**of_one, "treatment": "IVIG", "started_on": "2026-02-01", "stopped_on": "2026-02-05"})
    history = history_of(database)
    assert history.patient.birth_on == date(1945, 1, 1)
    assert history.patient.comorbidities == ("diabetes", "anaemia")
    assert history.patients[0].known_at == ALWAYS
    assert (history.courses[0].drug, history.courses[0].started_on) == ("bortezomib", date(2026, 1, 5))
    assert history.courses[0].known_at == datetime(2026, 1, 5, 11, tzinfo=UTC)
    assert [(lab.analyte, lab.value, lab.as_written) for lab in history.labs] == [
        ("csf_protein", 13.3, "0.133 g/L"),
        ("csf_white_cells", 2.0, "2 10*6/L"),
    ]
    assert history.investigations[0].findings == {"normal"}
    assert (history.treatments[0].treatment, history.treatments[0].stopped_on) == ("ivig", date(2026, 2, 5))


def test_given_a_correction_when_read_as_known_at_any_time_then_exactly_one_version_is_in_force(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    dose: dict[str, Value] = {"patient_id": "P-1", "given_at": "2026-01-05", "dose_mg_per_m2": 1.3, "source_id": "d"}
    bring(database, "doses", dose)
    bring(database, "doses", {**dose, "dose_mg_per_m2": 1.0}, now=NOW + timedelta(days=1))
    history = history_of(database)
    assert len(history.doses) == 2
    for at, seen in ((NOW, [1.3]), (NOW + timedelta(days=1), [1.0]), (datetime(2026, 1, 5, tzinfo=UTC), [])):
        assert [fact.dose_mg_per_m2 for fact in history.as_known_at(at).doses] == seen


def test_given_updates_of_another_program_when_read_then_the_record_has_one_name_and_new_version_numbers(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-1', '2026-01-05', 1.3)")
        other.execute("UPDATE doses SET dose_mg_per_m2 = 1.0")
        other.execute("UPDATE doses SET dose_mg_per_m2 = 0.7 WHERE id = 1")
    doses = sorted(history_of(database).doses, key=lambda dose: dose.version)  # both updates may fall into one millisecond
    assert {dose.fact_id for dose in doses} == {"doses-1"}
    assert [(d.dose_mg_per_m2, d.version) for d in doses] == [(1.3, 1), (1.0, 2), (0.7, 3)]
    assert [dose.superseded_at for dose in doses[:-1]] == [dose.known_at for dose in doses[1:]]


def test_given_a_deleted_row_when_read_then_it_is_known_no_more(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-1', '2026-01-05', 1.3)")
        other.execute("DELETE FROM doses")
    history = history_of(database)
    assert len(history.doses) == 1
    assert history.as_known_at(datetime(2099, 1, 1, tzinfo=UTC)).doses == ()


def test_given_a_row_that_cannot_be_read_when_loaded_then_it_is_its_patients_alone_and_no_value_is_shown(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-1', '2026-01-05', 1.3)")
        other.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-2', '2026-02-30 Monday', 1.3)")
    with database.read() as connection:
        loaded = load(connection, ["P-1", "P-2", "P-3"], BERLIN)
    assert set(loaded.histories) == {"P-1", "P-3"}
    assert loaded.unreadable == {"P-2": "table doses, row 2: column given_at cannot be read; correct it"}
    assert loaded.histories["P-3"] == History(patient_id="P-3")


def test_given_many_patients_when_loaded_then_chunks_do_not_matter(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    ids = [f"P-{number:04}" for number in range(1001)]
    doses: list[dict[str, Value]] = [{"patient_id": id_, "given_at": "2026-01-05", "dose_mg_per_m2": 1.3} for id_ in ids]
    bring(database, "doses", *doses)
    bring(database, "patients", {"patient_id": "Z"})
    with database.read() as connection:
        assert patients_with_facts(connection) == [*ids, "Z"]
        loaded = load(connection, ids, BERLIN)
    assert list(loaded.histories) == ids
    assert all(len(history.doses) == 1 for history in loaded.histories.values())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-1-5",
        "20260105",
        "2026-W02-1",
        "2026-02-30",
        "2026-01-05T25:00",
        "2026-01-05 Monday",
        "9999-12-31T23:59-09:00",
    ],
)
def test_given_text_that_is_no_time_when_read_then_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|day|month|hour|calendar|date"):
        moment(text, BERLIN)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_given_an_instant_when_written_in_any_spelling_then_it_is_read_as_the_same(at: datetime) -> None:
    for text in (at.isoformat(), at.isoformat(" "), at.isoformat().replace("+00:00", "Z"), at.astimezone(BERLIN).isoformat()):
        if at.astimezone(BERLIN).utcoffset() == timedelta(hours=1) or text.endswith(("Z", "+00:00")):
            assert moment(text, BERLIN).at == at


def test_given_units_when_converted_then_there_is_no_noise() -> None:
    assert [to_mg_dl(0.133, "g/L"), to_mg_dl(133, "mg/L"), to_mg_dl(13.3, "mg/dL")] == [13.3] * 3
    assert [to_per_ul(2, unit) for unit in ("/uL", "/mm3", "10*6/L")] == [2.0] * 3
