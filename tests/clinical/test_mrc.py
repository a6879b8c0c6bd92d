"""Muscle power: the strict grammar, the ranks and the sum."""

from __future__ import annotations

import pytest

from monitor.clinical.scales.mrc import (
    KLEYWEG_PLACES,
    TESTED_MUSCLES,
    grade_of,
    kleyweg_tested,
    limb_of,
    mrc_sum,
    muscle_of,
    parse_mrc,
    written,
)
from tests.clinical.builders_motor import exam


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("0", 0),
        ("5", 15),
        ("5/5", 15),
        ("4-", 11),
        ("4 -", 11),
        ("4-/5", 11),
        ("4\u2212", 11),
        ("4\u2013", 11),
        ("3+", 10),
        ("5+", 15),
        ("0-", 0),
        (" 4 ", 12),
    ],
)
def test_given_a_written_power_when_parsed_then_it_has_a_rank(text: str, rank: int) -> None:
    assert parse_mrc(text) == rank


@pytest.mark.parametrize("text", ["NT", "nt", "n/t", "not tested"])
def test_given_not_tested_when_parsed_then_it_is_none_and_not_zero(text: str) -> None:
    assert parse_mrc(text) is None


@pytest.mark.parametrize("text", ["", "4-5", "6", "IV", "full", "4.5", "+4", "4/4", "5/5 throughout", "MRC 4"])
def test_given_anything_else_when_parsed_then_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="MRC power is written"):
        parse_mrc(text)


@pytest.mark.parametrize(
    ("rank", "grade", "text"), [(11, 4, "4-"), (12, 4, "4"), (13, 4, "4+"), (10, 3, "3+"), (14, 5, "5-"), (0, 0, "0")]
)
def test_given_a_rank_when_counted_then_half_steps_keep_the_whole_grade(rank: int, grade: int, text: str) -> None:
    assert grade_of(rank) == grade
    assert written(rank) == text


def test_given_every_rank_when_written_and_parsed_then_it_is_the_same() -> None:
    assert [parse_mrc(written(rank)) for rank in range(16)] == list(range(16))


def test_given_the_published_examination_when_summed_then_it_is_53() -> None:
    published = exam("all=5;iliopsoas_right=4;iliopsoas_left=4-;tibialis_anterior_right=4-;tibialis_anterior_left=1")
    assert mrc_sum(published) == 53


def test_given_one_muscle_not_tested_when_summed_then_there_is_no_sum() -> None:
    partial = exam("all=5;deltoid_left=NT")
    assert mrc_sum(partial) is None
    assert kleyweg_tested(partial) == 11


def test_given_muscles_outside_the_sum_when_weak_then_the_sum_does_not_see_them() -> None:
    assert mrc_sum(exam("all=5;first_dorsal_interosseous_left=2")) == 60


def test_given_the_places_when_named_then_each_has_its_muscle_side_and_limb() -> None:
    place = TESTED_MUSCLES.index("tibialis_anterior_left")
    assert muscle_of(place) == ("tibialis_anterior", "left")
    assert limb_of(place) == "left leg"
    assert limb_of(TESTED_MUSCLES.index("deltoid_right")) == "right arm"
    assert len(TESTED_MUSCLES) == 28
    assert len(set(KLEYWEG_PLACES)) == 12
