"""Observations: what they say as columns, and what of them is refused or left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from monitor.importers.items import GONE
from tests.importers.fhir.resources import (
    AT,
    LOCAL,
    LOINC,
    NCIT,
    SNOMED,
    Resource,
    a_quantity,
    an_observation,
    coded,
    read,
    the_mapping,
)

MOTOR, SENSORY = coded(NCIT, "C143750"), coded(NCIT, "C143752")
GRADE_3 = coded(NCIT, "C41340")
CTCAE = "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"
NRS = coded(LOINC, "72514-3")
PROTEIN, CELLS = coded(LOINC, "2880-3"), coded(LOINC, "26465-5")


@pytest.mark.parametrize(
    "value",
    [
        {"valueCodeableConcept": GRADE_3},
        {"valueCodeableConcept": coded(CTCAE, "3")},
        {"valueInteger": 3},
        {"valueQuantity": {"value": 3}},
        {"valueString": "Grade 3"},
    ],
)
def test_given_a_grade_in_any_of_its_codes_when_read_then_it_is_the_grade(value: Resource) -> None:
    assert read(an_observation(MOTOR, **value)).cells["motor_grade"] == "3"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ({"method": {"text": "CTCAE v4.03"}}, "4.03"),
        ({"code": MOTOR | {"text": "CTCAE version 6.0 peripheral motor neuropathy"}}, "6.0"),
        ({}, "5.0"),
    ],
)
def test_given_words_that_name_a_version_when_read_then_they_go_before_that_of_the_code(said: Resource, version: str) -> None:
    assert read(an_observation(MOTOR, valueInteger=2) | said).cells["ctcae_version"] == version


def test_given_two_versions_in_one_record_when_read_then_it_is_refused() -> None:
    found = an_observation(MOTOR | {"text": "CTCAE v5.0"}, valueInteger=2, method={"text": "CTCAE v4.03"})
    assert "two versions" in read(found).rejected.problem


def test_given_codes_that_mean_two_columns_when_read_then_it_is_refused() -> None:
    both = {"coding": [*MOTOR["coding"], *SENSORY["coding"]]}
    assert "at once" in read(an_observation(both, valueInteger=2)).rejected.problem


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "preliminary"])
def test_given_a_status_that_holds_when_read_then_it_counts(status: str) -> None:
    assert read(an_observation(NRS, valueQuantity=a_quantity(6, "{score}"), status=status)).cells == {"pain_nrs": "6"}


def test_given_a_mapping_that_waits_for_the_final_word_when_a_preliminary_one_comes_then_it_is_left_out() -> None:
    mapping = the_mapping()
    waiting = replace(mapping, records=replace(mapping.records, read_preliminary=False))
    found = an_observation(NRS, valueInteger=6, status="preliminary")
    assert "preliminary" in read(found, mapping=waiting).passed_over


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error"])
def test_given_a_status_that_does_not_hold_when_read_then_what_was_said_before_is_taken_back(status: str) -> None:
    done = read(an_observation(NRS, valueInteger=6, status=status))
    assert done.passed_over
    kind = GONE if status == "entered-in-error" else ""
    assert [(each.type, each.id, each.voided, each.kind) for each in done.items] == [("Observation", "17", True, kind)]


@pytest.mark.parametrize("status", ["unknown", "", "final "])
def test_given_an_unknown_status_when_read_then_it_is_refused(status: str) -> None:
    assert read(an_observation(NRS, valueInteger=6, status=status)).rejected.column == "status"


def test_given_another_observation_when_read_then_it_is_counted_and_never_said() -> None:
    done = read(an_observation(coded(LOINC, "718-7"), valueQuantity=a_quantity(12, "g/dL")))
    assert done.passed_over == "Observation: an observation that the mapping does not name"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026", "a year or a month"),
        ("2026-11", "a year or a month"),
        ("2026-11-01T09:00:00", "with an offset"),
        ("01.11.2026", "no FHIR dateTime"),
        ("", "does not say when"),
    ],
)
def test_given_a_time_that_is_none_when_read_then_it_is_refused(at: str, words: str) -> None:
    assert words in read(an_observation(NRS, valueInteger=6, effectiveDateTime=at)).rejected.problem


def test_given_a_day_alone_when_read_then_it_stays_a_day() -> None:
    assert read(an_observation(NRS, valueInteger=6, effectiveDateTime="2026-11-01")).item.cells["assessed_at"] == "2026-11-01"


def test_given_a_first_version_when_read_then_it_was_known_when_it_was_issued() -> None:
    found = an_observation(NRS, valueInteger=6, issued="2026-11-01T10:00:00+01:00")
    stored = {"versionId": "1", "lastUpdated": "2026-11-20T00:00:00Z"}
    assert read(found | {"meta": stored}).item.recorded_at == "2026-11-01T10:00:00+01:00"


@pytest.mark.parametrize("changed", [{"versionId": "2"}, {"versionId": "1", "status": "corrected"}])
def test_given_a_changed_record_when_read_then_it_was_known_when_that_was_stored(changed: Resource) -> None:
    stored = {"versionId": changed["versionId"], "lastUpdated": "2026-11-20T00:00:00Z"}
    found = an_observation(NRS, valueInteger=6, issued="2026-11-01T10:00:00+01:00", meta=stored)
    found["status"] = changed.get("status", "final")
    assert read(found).item.recorded_at == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize(
    ("code", "value", "unit", "stored"),
    [
        (PROTEIN, 133, "mg/dL", ("csf_protein", "133", "mg/dL")),
        (PROTEIN, 1.33, "g/L", ("csf_protein", "1.33", "g/L")),
        (PROTEIN, 1330, "mg/L", ("csf_protein", "1330", "mg/L")),
        (CELLS, 2, "/uL", ("csf_white_cells", "2", "/uL")),
        (CELLS, 2, "10*6/L", ("csf_white_cells", "2", "10*6/L")),
        (CELLS, 2, "/mm3", ("csf_white_cells", "2", "/mm3")),
    ],
)
def test_given_a_csf_value_with_its_unit_when_read_then_both_are_kept(
    code: Resource, value: float, unit: str, stored: tuple[str, str, str]
) -> None:
    cells = read(an_observation(code, valueQuantity=a_quantity(value, unit))).cells
    assert (cells["analyte"], cells["value"], cells["unit"]) == stored


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (PROTEIN, a_quantity(133, None)),
        (PROTEIN, a_quantity(133, "mg/dl")),
        (PROTEIN, {"value": 133, "unit": "mg%"}),
        (CELLS, a_quantity(0.002, "10*9/L")),
        (CELLS, a_quantity(2, "mg/dL")),
        (CELLS, a_quantity(5, "/uL") | {"comparator": "<"}),
        (CELLS, {"unit": "/uL"}),
    ],
)
def test_given_a_csf_value_whose_unit_or_value_is_not_certain_when_read_then_it_is_refused(
    code: Resource, value: Resource
) -> None:
    assert read(an_observation(code, valueQuantity=value)).rejected.column == "unit"


def test_given_a_bare_number_for_csf_when_read_then_it_is_refused() -> None:
    assert "without its unit" in read(an_observation(PROTEIN, valueInteger=133)).rejected.problem


def test_given_a_code_for_blood_when_the_specimen_is_csf_then_it_is_taken_with_a_warning() -> None:
    found = an_observation(coded(LOINC, "26464-8"), valueQuantity=a_quantity(2, "/uL"))
    inside = {"contained": [{"resourceType": "Specimen", "id": "s", "type": coded(SNOMED, "258450006")}]}
    done = read(found | inside | {"specimen": {"reference": "#s"}})
    assert done.cells["analyte"] == "csf_white_cells"
    assert done.file.warnings.total() == 1
    assert "blood" in read(found).passed_over


@pytest.mark.parametrize(
    ("code", "value", "cells"),
    [
        ("neuropathic-pain", {"valueBoolean": False}, {"neuropathic_pain": "no"}),
        ("neuropathic-pain", {"valueCodeableConcept": coded(SNOMED, "373066001")}, {"neuropathic_pain": "yes"}),
        ("walking-aid", {"valueCodeableConcept": coded(LOCAL, "stick")}, {"walking": "cane"}),
        ("walking-aid", {"valueString": "Wheelchair"}, {"walking": "wheelchair"}),
        ("ankle-reflexes", {"valueCodeableConcept": {"text": "absent"}}, {"reflexes": "absent"}),
        ("syncope", {"valueBoolean": True}, {"red_flags": "syncope"}),
        ("gbs-disability", {"valueInteger": 3}, {"gbs_disability": "3"}),
        ("grip-left", {"valueQuantity": a_quantity(62.5, "kPa")}, {"grip_kpa_left": "62.5"}),
        ("vibration-toe-right", {"valueQuantity": a_quantity(4.5, "{score}")}, {"vibration_toe_right": "4.5"}),
    ],
)
def test_given_a_measure_when_read_then_it_is_its_column(code: str, value: Resource, cells: dict[str, str]) -> None:
    assert read(an_observation(coded(LOCAL, code), **value)).cells == cells


@pytest.mark.parametrize("unit", ["kg", "[lb_av]", None])
def test_given_a_grip_in_another_unit_when_read_then_it_is_refused(unit: str | None) -> None:
    assert read(an_observation(coded(LOCAL, "grip-left"), valueQuantity=a_quantity(30, unit))).rejected.column == "grip_kpa_left"


def test_given_an_answer_that_is_not_in_the_vocabulary_when_read_then_it_is_refused() -> None:
    found = an_observation(coded(LOCAL, "walking-aid"), valueString="with a nurse")
    assert read(found).rejected.column == "walking"
    assert "nurse" not in read(found).rejected.problem


def test_given_a_red_flag_that_is_absent_when_read_then_an_earlier_yes_is_taken_back() -> None:
    done = read(an_observation(coded(LOCAL, "syncope"), valueBoolean=False))
    assert "absent" in done.passed_over
    assert [each.voided for each in done.items] == [True]


def pressures(*parts: tuple[str, float], **said: object) -> Resource:
    components = [{"code": coded(LOINC, code), "valueQuantity": a_quantity(value, "mm[Hg]")} for code, value in parts]
    return an_observation(coded(LOINC, "85354-9"), component=components, **said)


def test_given_a_pressure_with_its_position_when_read_then_it_is_lying_or_standing() -> None:
    standing = {"code": coded(LOINC, "8361-8"), "valueCodeableConcept": coded(SNOMED, "10904000")}
    found = pressures(("8480-6", 98), ("8462-4", 60))
    found["component"].append(standing)
    assert read(found).cells == {"systolic_standing": "98", "diastolic_standing": "60"}
    url = "http://hl7.org/fhir/StructureDefinition/observation-bodyPosition"
    lying = {"extension": [{"url": url, "valueCodeableConcept": coded(SNOMED, "102538003")}]}
    assert read(pressures(("8480-6", 128), **lying)).cells == {"systolic_lying": "128"}
    assert read(pressures(("8461-6", 128), ("8460-8", 98))).cells == {"systolic_lying": "128", "systolic_standing": "98"}


def test_given_a_pressure_without_a_position_when_read_then_it_says_nothing() -> None:
    assert "lying or standing" in read(pressures(("8480-6", 128), ("8462-4", 70))).passed_over


@pytest.mark.parametrize("code", ["89247-1", "89442-8"])
def test_given_what_is_left_out_on_purpose_when_read_then_the_reason_is_told(code: str) -> None:
    assert "does not name" not in read(an_observation(coded(LOINC, code), valueInteger=2)).passed_over


def test_given_measures_of_one_instant_when_read_then_they_are_one_examination_and_its_name_tells_nobody() -> None:
    found = read(
        an_observation(NRS, valueInteger=6),
        an_observation(MOTOR, valueInteger=2, id="18", effectiveDateTime="2026-11-01T08:00:00Z"),
        an_observation(MOTOR, valueInteger=2, id="19", effectiveDateTime="2026-11-01T08:00:01Z"),
        an_observation(MOTOR, valueInteger=2, id="20", subject={"reference": "Patient/2"}),
    )
    groups = [each.group for each in found.items]
    assert groups[0] == groups[1]
    assert len(set(groups)) == 3
    assert all(part != "1" and "Patient" not in part for part in groups)


@pytest.mark.parametrize(("examination", "rows"), [("same-time", 2), ("same-day", 1), ("encounter", 2), ("alone", 3)])
def test_given_a_way_to_tell_examinations_apart_when_read_then_measures_are_grouped_by_it(
    examination: Literal["same-time", "same-day", "encounter", "alone"], rows: int
) -> None:
    mapping = the_mapping()
    by = replace(mapping, records=replace(mapping.records, examination=examination))
    visits = ({"reference": "Encounter/1"}, {"reference": "Encounter/1"}, {"reference": "Encounter/2"})
    times = (AT, AT, "2026-11-01T20:00:00+01:00")
    each = zip(visits, times, strict=True)
    found = [an_observation(NRS, valueInteger=6, id=str(n), encounter=v, effectiveDateTime=t) for n, (v, t) in enumerate(each)]
    assert len({item.group for item in read(*found, mapping=by).items}) == rows


def test_given_an_identifier_of_records_when_read_then_it_names_the_row() -> None:
    named = {"identifier": [{"system": "https://example.org/bipn/source-id", "value": "visit-12"}]}
    assert read(an_observation(NRS, valueInteger=6) | named).item.group == "visit-12"
