"""Change from the best value within a window."""

from __future__ import annotations

from datetime import date, timedelta
from operator import attrgetter

import pytest

from monitor.clinical.comparison import Change, Reading, best_before, change, readings, since, with_baseline
from tests.clinical.builders_motor import assessments

FIRST_ON = date(2024, 1, 1)


def motor(table: str, *, reach_days: int = 400) -> list[Reading]:
    return readings(assessments(table), attrgetter("motor_grade"), first_on=FIRST_ON, reach_days=reach_days, burden_of=float)


def rise(table: str, amount: int = 1, within_days: int = 28) -> Change | None:
    return change(motor(table), lambda now, best: now - best >= amount, within_days=within_days, first_on=FIRST_ON)


@pytest.mark.parametrize(("second", "held"), [("2024-03-28", True), ("2024-03-29", True), ("2024-03-30", False)])
def test_given_a_window_of_28_days_when_the_comparison_is_at_its_edge_then_both_ends_count(second: str, held: bool) -> None:
    assert (rise(f"on motor_grade\n2024-03-01 0\n{second} 2") is not None) is held


@pytest.mark.parametrize(
    ("first", "second", "held"),
    [
        ("2024-03-03T23:59", "2024-03-31T00:01", True),
        ("2024-03-03T00:01", "2024-03-31T23:59", True),
        ("2024-03-02T23:59", "2024-03-31T00:01", False),
        ("2024-09-29T00:01", "2024-10-27T23:59", True),
        ("2024-09-28T23:59", "2024-10-27T00:01", False),
    ],
)
def test_given_the_night_of_a_clock_change_when_days_are_counted_then_they_are_the_clinics(
    first: str, second: str, held: bool
) -> None:
    assert (rise(f"on motor_grade\n{first} 0\n{second} 2") is not None) is held


def test_given_a_slow_leak_when_compared_then_it_is_with_the_best_and_not_the_previous_one() -> None:
    found = rise("on motor_grade\n2024-03-01 0\n2024-03-08 1\n2024-03-15 2", amount=2)
    assert found is not None
    assert (found.best.on, found.seen.on, found.days) == (date(2024, 3, 1), date(2024, 3, 15), 14)


def test_given_two_records_at_one_instant_when_read_then_the_worst_counts_and_they_are_not_compared() -> None:
    found = motor("on motor_grade\n2024-03-01 0\n2024-03-01 3")
    assert [reading.burden for reading in found] == [3]


def test_given_only_a_record_before_the_first_dose_when_read_then_nothing_is_current() -> None:
    assert motor("on motor_grade\n2023-12-31 2") == []


def test_given_a_record_before_the_first_dose_when_compared_then_it_serves() -> None:
    assert rise("on motor_grade\n2023-12-20 0\n2024-01-05 1") is not None


def test_given_a_visit_that_confirms_a_loss_when_its_window_no_longer_reaches_the_best_then_the_loss_stays_found() -> None:
    found = rise("on motor_grade\n2024-03-01 0\n2024-03-29 2\n2024-03-30 2")
    assert found is not None
    assert (found.seen.on, found.newest.on) == (date(2024, 3, 29), date(2024, 3, 30))


def test_given_a_loss_confirmed_for_longer_than_the_window_when_compared_then_it_is_no_longer_rapid() -> None:
    table = "on motor_grade\n2024-03-01 0\n2024-03-29 2\n2024-04-26 2"
    assert rise(table) is not None
    assert rise(table + "\n2024-04-27 2") is None


def test_given_a_loss_when_the_newest_value_is_better_again_then_only_what_remains_counts() -> None:
    table = "on motor_grade\n2024-03-01 0\n2024-03-20 3\n2024-03-27 1"
    assert rise(table, amount=2) is None
    remaining = rise(table, amount=1)
    assert remaining is not None
    assert remaining.level == 1


def test_given_the_same_state_told_again_when_compared_then_it_is_the_same_event() -> None:
    table = "on motor_grade\n2024-03-01 0\n2024-03-10 2\n2024-03-12 2"
    began = [found.seen.on for text in (table, table + "\n2024-03-20 2") if (found := rise(text))]
    assert began == [date(2024, 3, 10)] * 2


def test_given_two_assessors_when_one_saw_the_change_alone_then_that_comparison_is_taken() -> None:
    found = rise("on assessor motor_grade\n2024-03-01 B 0\n2024-03-02 A 1\n2024-03-10 A 2")
    assert found is not None
    assert not found.other_assessor
    assert found.best.on == date(2024, 3, 2)


def test_given_two_assessors_when_only_they_together_show_it_then_it_is_said() -> None:
    found = rise("on assessor motor_grade\n2024-03-01 B 0\n2024-03-10 A 1")
    assert found is not None
    assert found.other_assessor


def test_given_an_assessor_not_recorded_when_compared_then_nobody_differs() -> None:
    found = rise("on assessor motor_grade\n2024-03-01 . 0\n2024-03-10 A 1")
    assert found is not None
    assert not found.other_assessor


def test_given_a_baseline_when_added_then_it_is_dated_at_the_first_dose_among_the_readings() -> None:
    found = with_baseline(motor("on motor_grade\n2023-12-01 2\n2024-01-01 1\n2024-01-20 2"), 0, FIRST_ON, 400)
    assert [(reading.burden, reading.record is None) for reading in found] == [(2, False), (1, False), (0, True), (2, False)]
    assert change(found, lambda now, best: now - best >= 2, within_days=28, first_on=FIRST_ON) is not None


def test_given_a_baseline_out_of_reach_when_added_then_it_is_left_out() -> None:
    found = motor("on motor_grade\n2024-06-01 1")
    assert with_baseline(found, 0, FIRST_ON, 28) == found


def test_given_a_day_when_only_what_came_since_counts_then_the_value_in_force_on_it_stays() -> None:
    found = motor("on motor_grade\n2024-03-01 0\n2024-03-08 1\n2024-03-15 2")
    assert [reading.burden for reading in since(found, date(2024, 3, 10))] == [2, 1]
    assert since(found, None) == found


def test_given_no_change_when_the_best_before_is_asked_then_it_is_the_newer_of_equals() -> None:
    found = motor("on motor_grade\n2024-03-01 0\n2024-03-08 0\n2024-03-15 0")
    best = best_before(found, within_days=28)
    assert best is not None
    assert best.on == date(2024, 3, 8)
    assert best_before(found[:1], within_days=28) is None


def test_given_a_reach_when_read_then_older_records_are_not() -> None:
    days = [FIRST_ON + timedelta(days=7 * week) for week in range(10)]
    table = "on motor_grade\n" + "\n".join(f"{day} 0" for day in days)
    assert [reading.on for reading in motor(table, reach_days=14)] == [days[9], days[8], days[7]]
