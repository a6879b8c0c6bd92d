"""Walking aids and GBS disability on one scale."""

from __future__ import annotations

import pytest

from monitor.clinical.history import Walking
from monitor.clinical.scales.walking import AIDS, UNABLE_STEP, disability, mobility_step, mobility_text, walking_step


def test_given_the_aids_when_stepped_then_each_is_one_worse() -> None:
    assert [walking_step(aid) for aid in AIDS] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("walking", "gbs", "step"),
    [
        ("unaided", None, 0),
        (None, 2, 0),
        (None, 3, 1),
        ("walker", 3, 2),
        ("unaided", 4, 3),
        ("wheelchair", 3, 3),
        (None, 5, 4),
        ("cane", 6, 1),
        (None, 6, None),
        (None, None, None),
    ],
)
def test_given_aid_and_disability_when_they_disagree_then_the_worse_counts(
    walking: Walking | None, gbs: int | None, step: int | None
) -> None:
    assert mobility_step(walking, gbs) == step


def test_given_wheelchair_or_bed_when_stepped_then_the_patient_does_not_walk() -> None:
    assert [walking_step(aid) >= UNABLE_STEP for aid in AIDS] == [False, False, False, True, True]


def test_given_death_when_read_then_it_is_no_disability() -> None:
    assert disability(6) is None
    assert disability(5) == 5


def test_given_the_worse_disability_when_said_then_it_is_named() -> None:
    assert mobility_text("walker", 4) == "walker, GBS disability 4"
    assert mobility_text("wheelchair", 4) == "wheelchair"
    assert mobility_text(None, 4) == "GBS disability 4"
