"""What is wrong now, and whether that is news."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.store.troubles import Trouble, all_troubles, clear_trouble, set_trouble
from tests.store.databases import NOW, a_database

LATER = NOW + timedelta(hours=1)


def test_given_a_trouble_when_told_again_then_it_is_no_news_and_keeps_its_beginning(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        assert set_trouble(connection, "feed-quiet", "no fact for 7 days", NOW) is True
        assert set_trouble(connection, "feed-quiet", "no fact for 8 days", LATER) is False
        assert all_troubles(connection) == [Trouble("feed-quiet", NOW, "no fact for 8 days")]


def test_given_two_troubles_when_one_is_over_then_the_other_stays(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        set_trouble(connection, "feed-quiet", "no fact for 7 days", LATER)
        set_trouble(connection, "clock-step", "the clock went back", NOW)
        assert [trouble.name for trouble in all_troubles(connection)] == ["clock-step", "feed-quiet"]
        assert clear_trouble(connection, "clock-step") is True
        assert clear_trouble(connection, "clock-step") is False
        assert [trouble.name for trouble in all_troubles(connection)] == ["feed-quiet"]


def test_given_a_trouble_that_was_over_when_it_comes_back_then_it_is_news(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        set_trouble(connection, "feed-quiet", "no fact for 7 days", NOW)
        clear_trouble(connection, "feed-quiet")
        assert set_trouble(connection, "feed-quiet", "no fact for 7 days", LATER) is True
        assert all_troubles(connection)[0].since == LATER
