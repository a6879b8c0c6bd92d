"""What feeds say piece by piece: the rows that come of it, version by version, in any order, on both engines."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.importers.imported import Clinic
from monitor.importers.items import DOSE_MG, MEDICATION, MERGE, ORDER, SURFACE, SURFACE_DAYS, Item, Merge
from monitor.service.settled_groups import MOST_PIECES
from monitor.service.settling import Taken, take
from monitor.store.database import Database
from tests.store.databases import a_database

pytestmark = pytest.mark.both_engines

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
FEED = "hospital"
AT = "2026-11-01T09:00:00+01:00"


@pytest.fixture
def database(tmp_path: Path, engine: str) -> Iterator[Database]:
    with closing(a_database(tmp_path)) as opened:
        yield opened


def said(database: Database, *pieces: Item | Merge, now: datetime = NOW) -> Taken:
    with database.write() as connection:
        return take(connection, FEED, pieces, Clinic(zone=ZONE, now=now))


def rows(database: Database, kind: str, *columns: str, current: bool = True) -> list[tuple[Any, ...]]:
    where = " WHERE superseded_at IS NULL" if current else ""
    with database.read() as connection:
        found = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {kind}{where} ORDER BY id")
        return [tuple(row) for row in found]


def a_measure(id_: str, version: str = "1", *, group: str = "visit", patient: str = "P-1", **cells: str) -> Item:
    known = f"2026-11-0{version}T12:00:00+00:00"
    said_of = {"patient_id": patient, "kind": "assessments", "group": group, "cells": {"assessed_at": AT} | cells}
    return Item(type="Observation", id=id_, version=version, recorded_at=known, **said_of)  # type: ignore[arg-type]


def gone(id_: str, version: str, at: str | None = None) -> Item:
    return Item(type="Observation", id=id_, version=version, voided=True, recorded_at=at)


def a_dose(**cells: str) -> Item:
    dose = {"given_at": "2026-11-03", "drug": "bortezomib"} | cells
    return Item(type="MedicationAdministration", id="1", version="1", patient_id="P-1", kind="doses", group="d1", cells=dose)


def a_surface(m2: str = "1.7", on: str = "2026-11-01", id_: str = "s") -> Item:
    return Item(type="Observation", id=id_, version="1", patient_id="P-1", kind=SURFACE, cells={"m2": m2, "on": on})


def an_order(level: str = "1.3", version: str = "1") -> Item:
    return Item(type="MedicationRequest", id="7", version=version, patient_id="P-1", kind=ORDER, cells={"mg_per_m2": level})


IN_MG = {DOSE_MG: "2.2", SURFACE_DAYS: "30"}
LEVEL = ("dose_mg_per_m2",)


def levels(database: Database) -> list[tuple[Any, ...]]:
    return rows(database, "doses", *LEVEL)


def test_given_pieces_of_one_group_when_taken_then_they_make_one_row_known_when_the_last_was(database: Database) -> None:
    taken = said(database, a_measure("a", sensory_grade="2"), a_measure("b", "2", motor_grade="1"))
    assert taken.counts["assessments"].inserted == 1
    assert rows(database, "assessments", "source_id", "sensory_grade", "motor_grade", "recorded_at") == [
        ("visit", 2, 1, "2026-11-02T12:00:00+00:00")
    ]


def test_given_the_same_again_when_taken_then_nothing_changes(database: Database) -> None:
    pieces = [a_measure("a", sensory_grade="2"), a_measure("b", motor_grade="1")]
    said(database, *pieces)
    before = rows(database, "assessments", "id", "recorded_at", "superseded_at", current=False)
    again = said(database, *pieces, now=NOW + timedelta(days=1))
    assert (again.counts["assessments"].corrected, again.counts["assessments"].unchanged) == (0, 1)
    assert rows(database, "assessments", "id", "recorded_at", "superseded_at", current=False) == before


def test_given_versions_in_one_feed_when_taken_then_each_is_a_version_of_the_row(database: Database) -> None:
    said(
        database,
        a_measure("a", "1", sensory_grade="1"),
        a_measure("b", "1", motor_grade="1"),
        a_measure("a", "2", sensory_grade="2"),
        a_measure("a", "3", sensory_grade="3"),
    )
    found = rows(database, "assessments", "sensory_grade", "motor_grade", "recorded_at", current=False)
    assert [(sensory, motor, at[:10]) for sensory, motor, at in found] == [
        (1, 1, "2026-11-01"),
        (2, 1, "2026-11-02"),
        (3, 1, "2026-11-03"),
    ]


def test_given_an_older_version_when_it_comes_late_then_nothing_changes(database: Database) -> None:
    said(database, a_measure("a", "3", sensory_grade="3"))
    said(database, a_measure("a", "2", sensory_grade="2"))
    assert rows(database, "assessments", "sensory_grade") == [(3,)]


def test_given_versions_that_are_no_numbers_when_they_come_then_the_later_recorded_holds(database: Database) -> None:
    first, second = (Item(**_fields(a_measure("a", v, sensory_grade=v)) | {"version": f"W/{v}"}) for v in ("1", "2"))
    said(database, second)
    said(database, first)
    assert rows(database, "assessments", "sensory_grade") == [(2,)]


def _fields(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Item.__slots__}


def test_given_a_value_set_back_when_nobody_says_when_then_it_is_set_back(database: Database) -> None:
    for version, grade in (("1", "1"), ("2", "2"), ("3", "1")):
        piece = Item(**_fields(a_measure("a", version, sensory_grade=grade)) | {"recorded_at": None})
        said(database, piece, now=NOW + timedelta(hours=int(version)))
    assert rows(database, "assessments", "sensory_grade") == [(1,)]
    assert len(rows(database, "assessments", "id", current=False)) == 3


def test_given_all_pieces_taken_back_when_taken_then_the_examination_is_voided_and_stays(database: Database) -> None:
    said(database, a_measure("a", sensory_grade="2"), a_measure("b", motor_grade="1"))
    said(database, gone("a", "2", "2026-11-05"), gone("b", "2", "2026-11-05"))
    found = rows(database, "assessments", "sensory_grade", "voided", "recorded_at", current=False)
    assert found == [(2, None, "2026-11-01T12:00:00+00:00"), (2, "yes", "2026-11-05")]


def test_given_one_piece_taken_back_when_taken_then_the_others_stand(database: Database) -> None:
    said(database, a_measure("a", sensory_grade="2"), a_measure("b", motor_grade="1"))
    said(database, gone("a", "2"))
    assert rows(database, "assessments", "sensory_grade", "motor_grade", "voided") == [(None, 1, None)]


def test_given_a_piece_taken_back_without_a_time_when_taken_then_it_was_not_known_before(database: Database) -> None:
    said(database, a_measure("a", sensory_grade="2"))
    said(database, gone("a", "2"))
    assert rows(database, "assessments", "recorded_at") == [(NOW.isoformat(),)]


def test_given_a_dose_taken_back_when_taken_then_its_record_ends_and_can_come_again(database: Database) -> None:
    dose = a_dose(dose_mg_per_m2="1.3")
    said(database, dose)
    said(database, Item(type=dose.type, id=dose.id, version="2", voided=True))
    assert levels(database) == []
    said(database, Item(**_fields(dose) | {"version": "3"}), now=NOW + timedelta(hours=1))
    assert levels(database) == [(1.3,)]


@pytest.mark.parametrize("what", ["dose", "measure"])
def test_given_a_deletion_without_a_time_when_a_newer_version_recorded_before_it_came_follows_then_that_holds(
    database: Database, what: str
) -> None:
    first = a_dose(dose_mg_per_m2="1.3") if what == "dose" else a_measure("a", motor_grade="2")
    kind = first.kind
    said(database, replace(first, version="1", recorded_at="2026-03-10T12:00:00+00:00"))
    said(database, replace(first, version="2", voided=True, cells={}, recorded_at=None))
    said(database, replace(first, version="3", recorded_at="2026-03-12T12:00:00+00:00"), now=NOW + timedelta(minutes=1))
    ((voided, known),) = rows(database, kind, "voided" if kind == "assessments" else "NULL", "recorded_at")
    assert voided is None
    assert str(known) > "2026-11"


def test_given_something_never_said_when_it_is_taken_back_then_there_is_nothing(database: Database) -> None:
    taken = said(database, gone("never", "2"))
    assert (taken.counts, taken.rejected) == ({}, [])


def test_given_two_pieces_that_contradict_when_taken_then_both_are_rows_until_one_is_taken_back(database: Database) -> None:
    said(database, a_measure("a", sensory_grade="1"), a_measure("b", sensory_grade="3"))
    assert rows(database, "assessments", "source_id", "sensory_grade") == [("visit", 1), ("visit#2", 3)]
    said(database, gone("b", "2"))
    assert rows(database, "assessments", "source_id", "sensory_grade") == [("visit", 1)]


def test_given_measures_of_two_assessors_when_taken_then_they_are_one_examination_of_whoever_tested_the_power(
    database: Database,
) -> None:
    said(database, a_measure("a", assessor="N", neuropathic_pain="yes"), a_measure("b", assessor="D", mrc_deltoid_left="4"))
    found = ("sensory_grade", "neuropathic_pain", "mrc_deltoid_left", "assessor")
    said(database, a_measure("c", assessor="G", sensory_grade="2"))
    assert rows(database, "assessments", *found) == [(2, "yes", "4", "D")]
    said(database, a_measure("d", assessor="G", mrc_deltoid_right="4"))
    assert rows(database, "assessments", "assessor") == [(None,)]


def test_given_two_examinations_under_one_name_when_taken_then_each_keeps_what_its_assessor_said(database: Database) -> None:
    said(database, a_measure("a", assessor="N", sensory_grade="1"), a_measure("b", assessor="D", sensory_grade="3"))
    said(database, a_measure("c", assessor="D", neuropathic_pain="yes"))
    found = ("sensory_grade", "neuropathic_pain", "assessor")
    assert rows(database, "assessments", *found) == [(1, None, "N"), (3, "yes", "D")]


def test_given_red_flags_one_by_one_when_taken_then_they_stand_together(database: Database) -> None:
    said(database, a_measure("a", red_flags="syncope"), a_measure("b", red_flags="bulbar"))
    assert rows(database, "assessments", "red_flags") == [("bulbar;syncope",)]


def test_given_measures_minutes_apart_in_one_group_when_taken_then_they_are_one_examination(database: Database) -> None:
    later = a_measure("b", systolic_standing="98")
    later.cells["assessed_at"] = "2026-11-01T09:03:00+01:00"
    said(database, later, a_measure("a", systolic_lying="128"))
    assert rows(database, "assessments", "assessed_at", "systolic_lying", "systolic_standing") == [
        ("2026-11-01T08:00:00+00:00", 128, 98)
    ]


def test_given_a_piece_that_moves_to_another_group_when_taken_then_both_rows_follow(database: Database) -> None:
    said(database, a_measure("a", sensory_grade="2"), a_measure("b", motor_grade="1"))
    said(database, a_measure("a", "2", group="other", sensory_grade="2"))
    found = rows(database, "assessments", "source_id", "sensory_grade", "motor_grade")
    assert sorted(found) == [("other", 2, None), ("visit", None, 1)]


def test_given_pieces_of_two_patients_in_one_group_when_taken_then_none_is_taken(database: Database) -> None:
    taken = said(database, a_measure("a", sensory_grade="2"), a_measure("b", motor_grade="1", patient="P-2"))
    assert "different patients" in taken.rejected[0].problem
    assert rows(database, "assessments", "id") == []


def test_given_a_value_out_of_range_when_taken_then_it_alone_is_refused_and_the_old_one_stands(database: Database) -> None:
    said(database, a_measure("a", sensory_grade="2"))
    taken = said(database, a_measure("a", "2", sensory_grade="7"), a_measure("b", motor_grade="1"))
    assert [(each.record, each.column) for each in taken.rejected] == [("Observation/a", "sensory_grade")]
    assert rows(database, "assessments", "sensory_grade", "motor_grade") == [(2, 1)]


def test_given_a_reference_to_a_patient_when_that_record_comes_later_then_the_row_is_made_then(database: Database) -> None:
    waiting = a_measure("a", patient="@Patient/9", sensory_grade="2")
    assert "has not come" in said(database, waiting).rejected[0].problem
    assert "has not come" in said(database, waiting).rejected[0].problem  # the same again still waits, and says so
    person = Item(type="Patient", id="9", version="1", patient_id="P-9", kind="patients", cells={"sex": "F"})
    taken = said(database, person)
    assert taken.rejected == []
    assert rows(database, "assessments", "patient_id", "sensory_grade") == [("P-9", 2)]


def test_given_a_patient_of_another_feed_when_this_one_says_less_then_the_rest_stays(database: Database) -> None:
    with database.write() as connection:
        other = Item(type="Patient", id="1", version="1", patient_id="P-1", kind="patients", cells={"team": "north", "sex": "F"})
        take(connection, "another", [other], Clinic(zone=ZONE, now=NOW))
    person = Item(type="Patient", id="9", version="1", patient_id="P-1", kind="patients", cells={"sex": "M", "site": "North"})
    said(database, person)
    assert rows(database, "patients", "team", "sex", "site") == [("north", "M", "North")]
    said(database, Item(**_fields(person) | {"version": "2", "cells": {"sex": "M"}}))
    assert rows(database, "patients", "team", "sex", "site") == [("north", "M", None)]


def test_given_a_dose_in_mg_when_only_its_order_is_known_then_the_level_is_the_orders(database: Database) -> None:
    dose = a_dose(**IN_MG, **{ORDER: "MedicationRequest/7"})
    assert "in mg" in said(database, dose).rejected[0].problem
    assert levels(database) == []
    said(database, an_order())
    assert levels(database) == [(1.3,)]


def test_given_a_dose_in_mg_when_a_recent_body_surface_is_known_then_it_is_divided_by_it(database: Database) -> None:
    said(
        database, a_dose(**IN_MG), a_surface("1.6", "2026-10-20", "old"), a_surface("1.7"), a_surface("2.0", "2026-11-04", "new")
    )
    assert levels(database) == [(round(2.2 / 1.7, 2),)]


@pytest.mark.parametrize("surface", [a_surface(on="2026-10-03"), a_surface(on="2026-11-04"), a_surface("17")])
def test_given_a_body_surface_that_is_old_or_later_or_impossible_when_taken_then_it_is_not_used(
    database: Database, surface: Item
) -> None:
    assert "in mg" in said(database, a_dose(**IN_MG), surface).rejected[0].problem


@pytest.mark.parametrize(("level", "stored"), [("1.3", [(1.3,)]), ("1.0", [])])
def test_given_an_order_and_a_body_surface_when_they_disagree_then_the_dose_is_refused(
    database: Database, level: str, stored: list[tuple[float]]
) -> None:
    taken = said(database, a_dose(**IN_MG, **{ORDER: "MedicationRequest/7"}), a_surface(), an_order(level))
    assert levels(database) == stored
    assert bool(taken.rejected) is not bool(stored)


def test_given_an_order_that_is_corrected_when_taken_then_its_dose_is_too(database: Database) -> None:
    said(database, a_dose(**IN_MG, **{ORDER: "MedicationRequest/7"}), an_order("1.3"))
    said(database, an_order("1.0", "2"))
    assert levels(database) == [(1.0,)]


@pytest.mark.parametrize(("cells", "stored"), [({"drug": "bortezomib"}, [("bortezomib",)]), ({}, [])])
def test_given_a_dose_of_a_medication_elsewhere_when_that_comes_then_it_says_which_drug(
    database: Database, cells: dict[str, str], stored: list[tuple[str]]
) -> None:
    dose = a_dose(dose_mg_per_m2="1.3", **{MEDICATION: "Medication/4"})
    assert "Medication/4" in said(database, dose).rejected[0].problem
    taken = said(database, Item(type="Medication", id="4", version="1", kind=MEDICATION, cells=cells))
    assert rows(database, "doses", "drug") == stored
    assert taken.passed_over.total() == (0 if stored else 1)


def test_given_a_merge_when_taken_then_what_was_and_what_comes_is_the_surviving_patients(database: Database) -> None:
    said(
        database,
        a_measure("a", sensory_grade="2"),
        Merge(patient_id="P-1", into_id="P-2"),
        a_measure("b", group="v2", motor_grade="1"),
    )
    assert rows(database, "assessments", "patient_id") == [("P-2",), ("P-2",)]


def test_given_a_merge_by_reference_when_the_other_record_comes_later_then_it_is_done_then(database: Database) -> None:
    link = Item(
        type="Patient", id="1#replaced-by", version="1", patient_id="P-1", kind=MERGE, group="m", cells={"into": "@Patient/2"}
    )
    assert "has not come" in said(database, a_measure("a", sensory_grade="2"), link).rejected[0].problem
    said(database, Item(type="Patient", id="2", version="1", patient_id="P-2", kind="patients", cells={"sex": "F"}))
    assert rows(database, "assessments", "patient_id") == [("P-2",)]


def test_given_everything_under_one_name_when_taken_then_it_is_refused(database: Database) -> None:
    taken = said(database, *(a_measure(f"o{number}", pain_nrs="1") for number in range(MOST_PIECES + 1)))
    assert "one record" in taken.rejected[0].problem
    assert rows(database, "assessments", "id") == []


def test_given_any_order_and_any_portions_when_taken_then_the_last_versions_make_the_same_rows(database: Database) -> None:
    pieces = [
        a_measure(f"{group}-{name}", version, group=group, **{name: version})
        for group in ("g1", "g2", "g3")
        for name in ("sensory_grade", "motor_grade", "pain_nrs")
        for version in ("1", "2", "3")
    ]
    dice = random.Random(5)  # noqa: S311  # no secret
    dice.shuffle(pieces)
    for portion in _portions(pieces, 4):
        said(database, *portion)
    expected = [(group, 3, 3, 3) for group in ("g1", "g2", "g3")]
    assert sorted(rows(database, "assessments", "source_id", "sensory_grade", "motor_grade", "pain_nrs")) == expected


def _portions(pieces: list[Item], size: int) -> Iterable[list[Item]]:
    return (pieces[start : start + size] for start in range(0, len(pieces), size))
