"""Cerebrospinal fluid against the limits for age."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.clinical.scales.csf import age_on, csf_text, read_csf, written_protein
from monitor.clinical.scales.pain import neuropathic_nrs
from tests.clinical.builders_motor import policy

LIMITS = policy().thresholds.immune.csf


@pytest.mark.parametrize(
    ("protein", "age", "raised"),
    [(50, 49, False), (50.1, 49, True), (60, 50, False), (60.1, 50, True), (55, None, False), (61, None, True), (None, 60, None)],
)
def test_given_protein_and_age_when_read_then_the_limit_is_that_of_the_age(
    protein: float | None, age: int | None, raised: bool | None
) -> None:
    assert read_csf(protein_mg_dl=protein, cells_per_ul=2, age=age, limits=LIMITS).raised is raised


@pytest.mark.parametrize(
    ("protein", "cells", "dissociation", "against"),
    [
        (133, 2, "present", False),
        (133, 10, "present", False),
        (133, 11, "absent", False),
        (133, 51, "absent", True),
        (133, None, "unknown", False),
        (40, 2, "absent", False),
        (None, 2, "unknown", False),
    ],
)
def test_given_protein_and_cells_when_read_then_dissociation_needs_both(
    protein: float | None, cells: float | None, dissociation: str, against: bool
) -> None:
    reading = read_csf(protein_mg_dl=protein, cells_per_ul=cells, age=66, limits=LIMITS)
    assert (reading.dissociation, reading.argues_against) == (dissociation, against)


def test_given_a_tap_when_said_then_both_units_the_limit_and_the_confounders_are_there() -> None:
    reading = read_csf(protein_mg_dl=133, cells_per_ul=2, age=66, limits=LIMITS)
    text = csf_text(reading, date(2011, 3, 17))
    assert written_protein(133) == "133 mg/dL (1.33 g/L)"
    assert "133 mg/dL (1.33 g/L)" in text
    assert "clearly raised" in text
    assert "2 cells/µL" in text
    assert "60 mg/dL" in text
    assert "diabetes" in text


def test_given_normal_protein_when_said_then_it_excludes_nothing_in_the_first_week() -> None:
    assert "does not exclude" in csf_text(read_csf(protein_mg_dl=40, cells_per_ul=2, age=66, limits=LIMITS), date(2024, 5, 1))


def test_given_many_cells_when_said_then_the_text_names_what_to_look_for() -> None:
    assert "infection" in csf_text(read_csf(protein_mg_dl=133, cells_per_ul=80, age=66, limits=LIMITS), date(2024, 5, 1))


@pytest.mark.parametrize(
    ("protein", "cells", "said"), [(133, 10, False), (133, 11, True), (133, 50, True), (133, 51, False), (40, 30, False)]
)
def test_given_raised_protein_beside_some_cells_when_said_then_it_is_compatible_and_something_else_is_looked_for(
    protein: float, cells: float, said: bool
) -> None:
    text = csf_text(read_csf(protein_mg_dl=protein, cells_per_ul=cells, age=66, limits=LIMITS), date(2024, 5, 1))
    words = "compatible with Guillain-Barré syndrome, but look for infection and leptomeningeal disease"
    assert (words in text) is said


@pytest.mark.parametrize(("day", "age"), [(date(2024, 5, 1), 50), (date(2024, 4, 30), 49), (date(2024, 12, 31), 50)])
def test_given_a_birth_date_when_asked_then_the_age_is_in_whole_years(day: date, age: int) -> None:
    assert age_on(date(1974, 5, 1), day) == age
    assert age_on(None, day) is None


def test_given_a_pain_number_when_its_kind_is_not_known_then_it_does_not_count() -> None:
    assert neuropathic_nrs(None, 7) is None
    assert neuropathic_nrs(False, 7) == 0
    assert neuropathic_nrs(True, 7) == 7
    assert neuropathic_nrs(True, None) is None
