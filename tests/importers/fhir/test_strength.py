"""MRC power: a muscle and a side, or it is not read."""

from __future__ import annotations

import pytest

from tests.importers.fhir.resources import LOCAL, LOINC, SNOMED, Resource, a_quantity, an_observation, coded, read

RIGHT = {"system": SNOMED, "code": "24028007"}
POWER = coded(LOCAL, "mrc-power")


def a_site(*codings: Resource) -> Resource:
    return {"coding": [{"system": LOCAL, "code": "tibialis-anterior"}, *codings]}


@pytest.mark.parametrize(
    ("value", "power"),
    [
        ({"valueInteger": 4}, "4"),
        ({"valueString": "4-"}, "4-"),
        ({"valueString": "NT"}, "NT"),
        ({"valueQuantity": a_quantity(3, "{score}")}, "3"),
    ],
)
def test_given_a_muscle_with_its_side_when_read_then_it_is_its_column(value: Resource, power: str) -> None:
    assert read(an_observation(POWER, bodySite=a_site(RIGHT), **value)).cells == {"mrc_tibialis_anterior_right": power}


def test_given_a_code_that_names_muscle_and_side_when_read_then_it_needs_no_site() -> None:
    found = an_observation(coded(LOCAL, "mrc-ankle-dorsiflexion-left"), valueInteger=1)
    assert read(found).cells == {"mrc_tibialis_anterior_left": "1"}


def test_given_a_code_that_names_a_side_when_the_site_is_the_other_then_it_is_refused() -> None:
    found = an_observation(coded(LOCAL, "mrc-ankle-dorsiflexion-left"), valueInteger=1)
    assert "another" in read(found | {"bodySite": a_site(RIGHT)}).rejected.problem
    assert "another" in read(found | {"bodySite": coded(LOCAL, "deltoid")}).rejected.problem
    assert read(found | {"bodySite": a_site()}).cells == {"mrc_tibialis_anterior_left": "1"}


def test_given_no_side_when_read_then_it_is_refused_and_not_taken_for_both() -> None:
    assert "not both" in read(an_observation(POWER, bodySite=a_site(), valueInteger=4)).rejected.problem


def test_given_both_sides_in_one_when_read_then_it_is_refused() -> None:
    left = {"system": SNOMED, "code": "7771000"}
    assert "at once" in read(an_observation(POWER, bodySite=a_site(RIGHT, left), valueInteger=4)).rejected.problem


@pytest.mark.parametrize("site", [None, coded(SNOMED, "0")])
def test_given_no_muscle_that_is_known_when_read_then_it_is_refused(site: Resource | None) -> None:
    said = {} if site is None else {"bodySite": site}
    assert "no muscle" in read(an_observation(POWER, valueInteger=4, **said)).rejected.problem


def test_given_a_panel_when_read_then_each_component_is_a_muscle_and_its_sum_is_left_alone() -> None:
    parts = [
        {"code": coded(LOCAL, "mrc-hip-flexion-right"), "valueInteger": 4},
        {"code": coded(LOCAL, "mrc-hip-flexion-left"), "valueString": "4-"},
        {"code": coded(LOCAL, "mrc-something-else"), "valueInteger": 5},
        {"code": coded(LOCAL, "mrc-knee-extension-left"), "dataAbsentReason": {"text": "plaster"}},
    ]
    found = an_observation(coded(LOCAL, "mrc-sum-score"), valueInteger=60, component=parts)
    assert read(found).cells == {"mrc_iliopsoas_right": "4", "mrc_iliopsoas_left": "4-"}


def test_given_one_muscle_twice_in_a_panel_when_read_then_it_is_refused() -> None:
    part = {"code": coded(LOCAL, "mrc-hip-flexion-right"), "valueInteger": 4}
    found = an_observation(coded(LOCAL, "mrc-examination"), component=[part, part | {"valueInteger": 2}])
    assert "one muscle" in read(found).rejected.problem


def test_given_a_sum_alone_when_read_then_it_is_left_out_with_its_reason() -> None:
    assert "without its muscles" in read(an_observation(coded(LOCAL, "mrc-sum-score"), valueInteger=53)).passed_over


def test_given_the_breathlessness_scale_when_read_then_it_is_no_power() -> None:
    assert "breathlessness" in read(an_observation(coded(LOINC, "89442-8"), valueInteger=4)).passed_over


def test_given_a_list_called_power_when_the_mapping_does_not_name_it_then_it_is_not_mrc() -> None:
    found = an_observation({"coding": [{"system": "urn:other", "code": "arm-power"}], "text": "Power 0-5"}, valueInteger=4)
    assert "does not name" in read(found).passed_over


def test_given_power_with_a_unit_when_read_then_it_is_refused() -> None:
    assert "unit" in read(an_observation(POWER, bodySite=a_site(RIGHT), valueQuantity=a_quantity(4, "kg"))).rejected.problem
