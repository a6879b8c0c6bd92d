"""Which of several things that a feed says of one piece holds: retractions that come first, versions that are not counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.importers.imported import Rejected
from monitor.importers.items import DOSE_MG, GONE, MEDICATION, ORDER, SURFACE, Item
from monitor.service import record_rejects
from monitor.store import rejects
from monitor.store.database import Database
from tests.service.test_settling import (
    FEED,
    IN_MG,
    LEVEL,
    NOW,
    a_dose,
    a_measure,
    a_surface,
    an_order,
    levels,
    rows,
    said,
)
from tests.store.databases import a_database

GRADES = ("motor_grade", "voided")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(a_database(tmp_path)) as opened:
        yield opened


def mistaken(id_: str, version: str) -> Item:
    known = f"2026-11-0{version}T12:00:00+00:00"
    return Item(type="Observation", id=id_, version=version, kind=GONE, group=id_, voided=True, recorded_at=known)


def open_records(database: Database, *refused: Rejected, came: tuple[str, ...] = ()) -> set[str]:
    with database.write() as connection:
        record_rejects.record(connection, FEED, refused, came=came, now=NOW)
        return rejects.open_origins(connection, FEED)


def test_given_a_mistake_told_before_the_record_itself_when_that_comes_late_then_it_says_nothing(database: Database) -> None:
    said(database, mistaken("a", "3"))
    said(database, a_measure("a", "2", motor_grade="3"))
    assert rows(database, "assessments", *GRADES) == []


def test_given_a_mistake_when_a_newer_version_stands_again_then_it_counts(database: Database) -> None:
    said(database, mistaken("a", "2"))
    said(database, a_measure("a", "3", motor_grade="3"))
    assert rows(database, "assessments", *GRADES) == [(3, None)]


def test_given_versions_that_are_not_counted_when_a_record_changes_then_the_change_is_taken(database: Database) -> None:
    said(database, a_measure("a", motor_grade="1"))
    said(database, a_measure("a", motor_grade="3"))
    assert rows(database, "assessments", *GRADES) == [(3, None)]


def test_given_versions_that_are_not_counted_when_an_older_record_comes_late_then_nothing_changes(database: Database) -> None:
    said(database, a_measure("a", motor_grade="3"))
    said(database, replace(a_measure("a", motor_grade="1"), recorded_at="2026-10-31T12:00:00+00:00"))
    assert rows(database, "assessments", *GRADES) == [(3, None)]


def test_given_one_version_twice_that_says_two_things_when_taken_then_the_second_is_refused(database: Database) -> None:
    taken = said(database, a_measure("a", motor_grade="3"), a_measure("a", motor_grade="1"))
    assert [(each.record, "came twice" in each.problem) for each in taken.rejected] == [("Observation/a", True)]
    assert rows(database, "assessments", *GRADES) == [(3, None)]


@pytest.mark.parametrize("amount", ["nan", "2,2", "inf", "-1", "0", "1_3", ""])
def test_given_an_amount_that_is_none_when_taken_then_only_its_dose_is_refused(database: Database, amount: str) -> None:
    other = replace(a_dose(dose_mg_per_m2="1.3"), id="2", group="d2")
    taken = said(database, a_surface(), a_dose(**IN_MG | {DOSE_MG: amount}), other)
    assert taken.rejected
    assert levels(database) == [(1.3,)]


@pytest.mark.parametrize("piece", [an_order("nan"), a_surface("1,7"), a_surface("1.7", "2026-02-30")])
def test_given_a_level_or_surface_that_cannot_be_read_when_taken_then_it_is_refused(database: Database, piece: Item) -> None:
    taken = said(database, piece, a_dose(**IN_MG | {ORDER: "MedicationRequest/7"}))
    assert f"{piece.type}/{piece.id}" in {each.record for each in taken.rejected}
    assert levels(database) == []


def test_given_two_surfaces_of_one_time_that_differ_when_a_dose_needs_one_then_it_is_refused(database: Database) -> None:
    taken = said(database, a_surface("1.7"), a_surface("2.0", id_="t"), a_dose(**IN_MG))
    assert ["two body surfaces" in each.problem for each in taken.rejected] == [True]
    assert levels(database) == []


def test_given_the_order_of_another_patient_when_a_dose_names_it_then_the_dose_is_refused(database: Database) -> None:
    taken = said(database, replace(an_order(), patient_id="P-2"), a_dose(**IN_MG | {ORDER: "MedicationRequest/7"}))
    assert ["another patient" in each.problem for each in taken.rejected] == [True]
    assert levels(database) == []


def test_given_a_dose_that_fits_no_body_when_only_its_order_is_known_then_it_is_refused(database: Database) -> None:
    order = {ORDER: "MedicationRequest/7"}
    taken = said(database, an_order("1.3"), a_dose(**IN_MG | order | {DOSE_MG: "0.2"}))
    assert [each.column for each in taken.rejected] == list(LEVEL)
    assert levels(database) == []


def test_given_a_later_version_that_is_refused_when_others_of_its_examination_come_then_it_stays_open(database: Database) -> None:
    said(database, a_measure("a", motor_grade="3"))
    refused = said(database, a_measure("a", "2", motor_grade="9")).rejected
    assert open_records(database, *refused) == {"Observation/a"}
    said(database, a_measure("b", sensory_grade="1"))
    assert open_records(database) == {"Observation/a"}


def test_given_a_later_version_that_no_reader_could_map_when_it_is_read_again_then_it_stays_open(database: Database) -> None:
    said(database, a_measure("a", motor_grade="3"))
    unreadable = Rejected(line=None, column="motor_grade", problem="found no grade", record="Observation/a")
    open_records(database, unreadable)
    assert open_records(database) == {"Observation/a"}


def test_given_a_refused_version_when_a_better_one_is_taken_then_nothing_is_open(database: Database) -> None:
    said(database, a_measure("a", motor_grade="3"))
    refused = said(database, a_measure("a", "2", motor_grade="9")).rejected
    open_records(database, *refused)
    said(database, a_measure("a", "3", motor_grade="2"))
    assert open_records(database) == set()


def test_given_a_record_that_waits_when_what_it_waits_for_comes_then_nothing_is_open(database: Database) -> None:
    waits = a_dose(dose_mg_per_m2="1.3", **{MEDICATION: "Medication/1"})
    waits.cells.pop("drug")
    assert open_records(database, *said(database, waits).rejected) == {"MedicationAdministration/1"}
    said(database, Item(type="Medication", id="1", version="1", kind=MEDICATION, cells={"drug": "bortezomib"}))
    assert open_records(database) == set()


def test_given_a_patients_record_of_which_a_version_was_refused_when_a_better_one_comes_then_it_is_taken(
    database: Database,
) -> None:
    def a_patient(version: str, born: str) -> Item:
        said_of = {"birth_date": born, "sex": "F"}
        return Item(type="Patient", id="1", version=version, patient_id="P-1", kind="patients", cells=said_of)

    said(database, a_patient("1", "1960-01-01"))
    said(database, a_patient("2", "1960"))
    said(database, a_patient("3", "1961-01-01"))
    assert rows(database, "patients", "patient_id", "birth_date") == [("P-1", "1961-01-01")]


def test_given_a_surface_when_it_has_more_decimals_than_a_person_writes_then_it_is_used(database: Database) -> None:
    piece = replace(a_surface(), kind=SURFACE, cells={"m2": "1.7000000000000002", "on": "2026-11-01"})
    said(database, piece, a_dose(**IN_MG))
    assert levels(database) == [(1.29,)]


def test_given_a_patients_id_with_spaces_around_it_when_taken_then_it_is_the_one_without(database: Database) -> None:
    said(database, a_measure("a", patient=" P-1 ", motor_grade="1"))
    said(database, Item(type="Patient", id="1", version="1", patient_id="P-1 ", kind="patients", cells={"sex": "F"}))
    assert rows(database, "assessments", "patient_id") == rows(database, "patients", "patient_id") == [("P-1",)]
