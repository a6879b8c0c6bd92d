"""Durations as they are written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from monitor.config.durations import parse_duration


@pytest.mark.parametrize(
    ("written", "duration"),
    [
        ("60 s", timedelta(seconds=60)),
        ("60s", timedelta(seconds=60)),
        ("30 min", timedelta(minutes=30)),
        ("8 h", timedelta(hours=8)),
        ("28 d", timedelta(days=28)),
        (" 1 d ", timedelta(days=1)),
    ],
)
def test_given_a_duration_when_parsed_then_it_has_its_length(written: str, duration: timedelta) -> None:
    assert parse_duration(written) == duration


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        (60, "60 s"),
        (1.5, "1.5 s"),
        ("60", None),
        ("4 hours", "4 h"),
        ("5 Minutes", "5 min"),
        ("1 week", None),
        ("1.5 h", None),
        ("-1 h", None),
        ("PT1H", None),
        ("", None),
        (None, None),
        (True, None),
        (["1 h"], None),
    ],
)
def test_given_anything_else_when_parsed_then_it_is_refused_with_the_nearest_spelling(
    written: object, suggestion: str | None
) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        parse_duration(written)
    assert refused.value.type == "bad-duration"
    assert (refused.value.context or {}).get("suggestion") == suggestion


@pytest.mark.parametrize("written", ["0 s", "0 d", "3651 d", "999999999 d", "999999999 h"])
def test_given_nothing_or_more_than_ten_years_when_parsed_then_it_is_refused(written: str) -> None:
    with pytest.raises(PydanticCustomError, match="more than nothing and at most 3650 d"):
        parse_duration(written)


@given(seconds=st.integers(1, 86400))
def test_given_seconds_when_written_and_parsed_then_they_come_back(seconds: int) -> None:
    assert parse_duration(f"{seconds} s") == timedelta(seconds=seconds)
