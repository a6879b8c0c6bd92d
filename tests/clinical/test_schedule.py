"""How often bortezomib is given, read from the days of the doses and, where they are too few, from the course's label."""

from __future__ import annotations

import pytest

from monitor.clinical.history import Schedule
from monitor.clinical.situation import schedule_from
from tests.builders import a_course, a_dose


@pytest.mark.parametrize(
    ("days", "schedule"),
    [
        ((0, 3, 7, 10), "twice-weekly"),
        ((0, 3, 7, 10, 21), "twice-weekly"),  # the rest of a cycle is no change
        ((0, 3, 7, 10, 21, 24), "twice-weekly"),
        ((0, 3, 7, 10, 21, 28), "weekly"),
        ((0, 7, 21, 28), "weekly"),
        ((0, 7, 14, 17), "twice-weekly"),
    ],
)
def test_given_doses_when_the_schedule_changes_then_the_last_two_intervals_tell(
    days: tuple[int, ...], schedule: Schedule
) -> None:
    doses = tuple(a_dose(day) for day in days)
    assert schedule_from(doses, None) == schedule
    assert schedule_from(doses, a_course(0, schedule="twice-weekly" if schedule == "weekly" else "weekly")) == schedule


def test_given_a_new_course_when_its_doses_are_few_then_its_label_tells_and_not_the_doses_before_it() -> None:
    doses = tuple(a_dose(day) for day in (0, 3, 7, 10, 21))
    assert schedule_from(doses, a_course(21, schedule="weekly")) == "weekly"
    assert schedule_from(doses[:4], a_course(21, schedule="weekly")) == "twice-weekly"  # it has not begun
