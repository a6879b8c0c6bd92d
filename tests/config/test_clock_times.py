"""Clock times, days of the week and dates as they are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from monitor.config.clock_times import DAYS, parse_date, parse_days, parse_minute, parse_time


def _refused(parse: Callable[[object], object], written: object) -> tuple[str, str | None]:
    with pytest.raises(PydanticCustomError) as refused:
        parse(written)
    return refused.value.type, (refused.value.context or {}).get("suggestion")


@pytest.mark.parametrize(("written", "minute"), [("07:00", 420), ("7:00", 420), (" 00:00 ", 0), ("23:59", 1439), ("24:00", 1440)])
def test_given_a_clock_time_when_parsed_then_it_is_minutes_since_midnight(written: str, minute: int) -> None:
    assert parse_minute(written) == minute


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        (7, "07:00"),
        (19.30, "19:30"),
        ("7.30", "07:30"),
        ("7 am", "07:00"),
        ("19h30", "19:30"),
        ("0730", "07:30"),
        ("7 Uhr", "07:00"),
        ("24:01", None),
        ("25:00", None),
        ("12:60", None),
        ("noon", None),
        ("", None),
        (None, None),
        (True, None),
        ([7], None),
    ],
)
def test_given_anything_else_when_parsed_then_it_is_refused_with_the_nearest_spelling(
    written: object, suggestion: str | None
) -> None:
    assert _refused(parse_minute, written) == ("bad-clock-time", suggestion)


def test_given_the_end_of_a_day_when_a_time_is_asked_for_then_it_is_refused() -> None:
    assert parse_time("06:30") == time(6, 30)
    assert _refused(parse_time, "24:00") == ("bad-clock-time", "00:00")


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("sat", {5}),
        ("Saturday", {5}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("Monday - Friday", {0, 1, 2, 3, 4}),
        ("fri-mon", {4, 5, 6, 0}),
        ("mon,wed", {0, 2}),
        ("mon-tue, sat", {0, 1, 5}),
        (["sat", "sun"], {5, 6}),
        ("mon-sun", set(range(7))),
        ("mon-mon", {0}),
    ],
)
def test_given_days_when_parsed_then_they_are_numbers_from_monday(written: object, days: set[int]) -> None:
    assert parse_days(written) == days


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("mon-fry", "mon-fri"),
        ("wednesay", "wed"),
        (["mon", "tus"], "tue"),
        ("xyz", None),
        ("", None),
        ("mon-", None),
        ("mon,,wed", None),
        ([], None),
        ([1], None),
        (1, None),
        (None, None),
        ({"mon": 1}, None),
    ],
)
def test_given_other_days_when_parsed_then_they_are_refused_with_the_nearest(written: object, suggestion: str | None) -> None:
    assert _refused(parse_days, written) == ("bad-days", suggestion)


@given(first=st.integers(0, 6), last=st.integers(0, 6))
def test_given_a_range_of_days_when_parsed_then_it_begins_and_ends_there(first: int, last: int) -> None:
    days = parse_days(f"{DAYS[first]}-{DAYS[last]}")
    assert {first, last} <= days
    assert len(days) == (last - first) % 7 + 1


def test_given_a_date_when_parsed_then_it_is_that_day() -> None:
    assert parse_date(" 2026-12-24 ") == date(2026, 12, 24)


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("24.12.2026", "2026-12-24"),
        ("2026-02-30", None),
        ("20261224", None),
        ("2026-12-24T10:00", None),
        (20261224, None),
        (None, None),
    ],
)
def test_given_another_date_when_parsed_then_it_is_refused(written: object, suggestion: str | None) -> None:
    assert _refused(parse_date, written) == ("bad-date", suggestion)
