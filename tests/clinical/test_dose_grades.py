"""CTCAE grades as a dose table takes them."""

from __future__ import annotations

import pytest

from monitor.clinical.scales.ctcae import comparable, edition, neuropathic_pain, worst_grade


@pytest.mark.parametrize(
    ("sensory", "motor", "worst"), [(1, 3, 3), (3, 1, 3), (None, 2, 2), (2, None, 2), (0, None, 0), (None, None, None)]
)
def test_given_two_grades_when_a_table_is_entered_then_by_the_worse_one_recorded(
    sensory: int | None, motor: int | None, worst: int | None
) -> None:
    assert worst_grade(sensory, motor) == worst


@pytest.mark.parametrize(
    ("recorded", "score", "pain"),
    [(True, 0, True), (False, 7, False), (None, 0, False), (None, 7, None), (None, None, None)],
)
def test_given_a_pain_score_when_neuropathic_pain_was_not_recorded_then_only_zero_answers(
    recorded: bool | None, score: int | None, pain: bool | None
) -> None:
    assert neuropathic_pain(recorded, score) is pain


@pytest.mark.parametrize(
    ("version", "number"), [("4.03", 4), ("v5.0", 5), (" 6 ", 6), ("V4", 4), (None, None), ("", None), ("local", None)]
)
def test_given_a_version_as_written_when_its_edition_is_asked_then_the_number_before_the_dot(
    version: str | None, number: int | None
) -> None:
    assert edition(version) == number


@pytest.mark.parametrize(
    ("one", "other", "compare"),
    [
        ("4.03", "4.03", True),
        ("4.0", "v4.03", True),
        ("4.03", "5.0", False),
        (None, None, True),
        (None, "5.0", False),
        ("5.0", None, False),
        ("local", "local", True),
        ("local", "other", False),
        (None, "local", False),
    ],
)
def test_given_two_versions_when_their_grades_are_compared_then_only_within_one_edition(
    one: str | None, other: str | None, compare: bool
) -> None:
    assert comparable(one, other) is compare
    assert comparable(other, one) is compare
