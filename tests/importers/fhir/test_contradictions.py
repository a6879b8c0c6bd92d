"""Records that say two things, or something in another scale or unit than it looks: refused, and never guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.importers.items import GONE
from tests.importers.fhir.resources import (
    LOCAL,
    LOINC,
    NCIT,
    SNOMED,
    UCUM,
    Resource,
    a_quantity,
    an_administration,
    an_observation,
    coded,
    read,
    the_mapping,
)

MOTOR = coded(NCIT, "C143750")
G3 = coded(NCIT, "C41340")
PROTEIN = coded(LOINC, "2880-3")


def a_protein(value: float, code: str, text: str) -> Resource:
    return an_observation(PROTEIN, valueQuantity={"value": value, "unit": text, "system": UCUM, "code": code})


@pytest.mark.parametrize("text", ["mg/dL", "mg/dl", "mg / dl"])
def test_given_a_unit_whose_text_is_another_than_its_code_when_read_then_it_is_refused(text: str) -> None:
    assert "code says one thing" in read(a_protein(9, "g/L", text)).rejected.problem


def test_given_a_unit_in_words_of_its_own_beside_the_code_when_read_then_the_code_counts() -> None:
    assert read(a_protein(1.33, "g/L", "Gramm je Liter")).cells["unit"] == "g/L"


def test_given_cells_in_one_of_two_equal_units_when_read_then_they_are_taken() -> None:
    quantity = {"value": 2, "unit": "/µL", "system": UCUM, "code": "10*6/L"}
    assert read(an_observation(coded(LOINC, "26465-5"), valueQuantity=quantity)).cells["unit"] == "10*6/L"


def test_given_a_dose_per_square_metre_whose_unit_is_written_mg_when_read_then_it_is_refused() -> None:
    dose = a_quantity(1.9, "mg/m2") | {"unit": "mg"}
    assert read(an_administration(dosage={"dose": dose})).rejected.column == "dose_mg_per_m2"


def test_given_a_number_that_a_program_computed_when_read_then_it_has_nine_decimals() -> None:
    assert read(a_protein(1.3300000190734863, "g/L", "g/L")).cells["value"] == "1.330000019"


def test_given_two_values_when_read_then_none_is_taken() -> None:
    assert "two values" in read(an_observation(MOTOR, valueInteger=2, valueCodeableConcept=G3)).rejected.problem


@pytest.mark.parametrize("method", ["WHO toxicity grade", "NCI CTC v2.0", "NCI-CTC"])
def test_given_a_grade_of_another_scale_when_read_then_it_is_refused(method: str) -> None:
    assert read(an_observation(MOTOR, valueCodeableConcept=G3, method={"text": method})).rejected.column == "ctcae_version"


@pytest.mark.parametrize(
    "method", ["Common Terminology Criteria for Adverse Events v6.0", "NCI CTCAE, version 6.0", "CTCAE 2025 v6.0"]
)
def test_given_a_version_in_words_when_read_then_it_counts_before_the_one_of_the_code(method: str) -> None:
    assert read(an_observation(MOTOR, valueCodeableConcept=G3, method={"text": method})).cells["ctcae_version"] == "6.0"


def test_given_a_method_that_names_no_scale_when_read_then_the_code_says_the_version() -> None:
    found = an_observation(MOTOR, valueCodeableConcept=G3, method={"text": "by the nurse, who examined"})
    assert read(found).cells["ctcae_version"] == "5.0"


def test_given_the_code_of_a_watched_drug_under_the_name_of_another_when_read_then_it_is_refused() -> None:
    drug = coded(SNOMED, "407097007", text="omalizumab 150 mg")
    assert read(an_administration(medicationCodeableConcept=drug)).rejected.column == "drug"


def test_given_the_code_of_a_watched_drug_under_its_brand_when_read_then_it_is_taken() -> None:
    drug = coded(SNOMED, "407097007", text="Velcade 3.5 mg")
    assert read(an_administration(medicationCodeableConcept=drug)).cells["drug"] == "bortezomib"


def test_given_a_place_that_is_left_and_right_when_read_then_it_is_refused() -> None:
    place = {"coding": [{"system": LOCAL, "code": "mrc-deltoid-left"}, {"system": SNOMED, "code": "24028007"}]}
    found = an_observation(coded(LOCAL, "mrc-power"), valueString="4-", bodySite=place)
    assert read(found).rejected.column == "mrc_deltoid_left"


def test_given_a_panel_with_a_part_that_is_not_mapped_when_read_then_somebody_is_told() -> None:
    parts = [{"code": coded(LOCAL, f"mrc-{name}"), "valueInteger": 4} for name in ("deltoid-left", "neck")]
    done = read(an_observation(coded(LOCAL, "mrc-examination"), component=parts))
    assert done.cells == {"mrc_deltoid_left": "4"}
    assert list(done.file.warnings.values()) == [1]


@pytest.mark.parametrize("wrong", [{"valueInteger": "3"}, {"modifierExtension": [{"url": "x"}]}])
def test_given_a_mistake_that_has_mistakes_when_read_then_it_is_taken_back_all_the_same(wrong: Resource) -> None:
    done = read(an_observation(MOTOR, status="entered-in-error", meta={"versionId": "2"}) | wrong)
    assert done.file.rejected == []
    assert [(each.id, each.version, each.kind, each.voided) for each in done.items] == [("17", "2", GONE, True)]


def test_given_a_record_number_that_a_patient_had_before_when_read_then_the_present_one_counts() -> None:
    mapping = the_mapping()
    by = replace(mapping, patient=replace(mapping.patient, identifier_system="urn:mrn"))
    numbers = [{"system": "urn:mrn", "value": "P-1 "}, {"system": "urn:mrn", "value": "P-0", "use": "old"}]
    done = read({"resourceType": "Patient", "id": "1", "identifier": numbers, "gender": "female"}, mapping=by)
    assert done.item.patient_id == "P-1"
