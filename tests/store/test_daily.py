"""Once a day of the clinic: over nights of 23 and 25 hours, clocks set back, and days on which nobody ran."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.store import daily
from tests.store.databases import a_database

ZONE = ZoneInfo("Europe/Berlin")


def local(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize("at", [time(1, 30), time(2, 30), time(7, 30)])
def test_given_a_night_of_23_or_25_hours_when_asked_every_minute_then_each_day_is_due_once(
    tmp_path: Path, night: date, at: time
) -> None:
    database = a_database(tmp_path)
    done_on = []
    with database.write() as connection:
        daily.done(connection, "digest", at=at, now=local(night - timedelta(days=1), 12), zone=ZONE)
        for minute in range(0, 2 * 24 * 60, 10):
            now = local(night - timedelta(days=1), 13) + timedelta(minutes=minute)
            if daily.is_due(connection, "digest", at=at, now=now, zone=ZONE):
                daily.done(connection, "digest", at=at, now=now, zone=ZONE)
                done_on.append(now.astimezone(ZONE).date())
    assert done_on == [night, night + timedelta(days=1)]


def test_given_a_clock_that_is_set_back_over_midnight_when_asked_then_it_is_not_due_again(tmp_path: Path) -> None:
    database, at, day = a_database(tmp_path), time(0, 10), date(2026, 6, 2)
    with database.write() as connection:
        daily.done(connection, "digest", at=at, now=local(day, 0, 15), zone=ZONE)
        assert not daily.is_due(connection, "digest", at=at, now=local(day - timedelta(days=1), 23, 15), zone=ZONE)
        assert not daily.is_due(connection, "digest", at=at, now=local(day, 0, 20), zone=ZONE)


def test_given_a_clock_that_was_years_ahead_when_it_is_right_again_then_nothing_waits_for_those_years(tmp_path: Path) -> None:
    database, at = a_database(tmp_path), time(7, 30)
    with database.write() as connection:
        daily.done(connection, "digest", at=at, now=local(date(2040, 1, 1), 8), zone=ZONE)
        assert daily.is_due(connection, "digest", at=at, now=local(date(2026, 6, 2), 8), zone=ZONE)


def test_given_a_day_on_which_nobody_ran_when_asked_at_night_then_it_is_caught_up_and_the_morning_is_due_as_ever(
    tmp_path: Path,
) -> None:
    database, at, day = a_database(tmp_path), time(7, 30), date(2026, 6, 2)
    with database.write() as connection:
        assert daily.is_due(connection, "digest", at=at, now=local(day, 3), zone=ZONE)
        daily.done(connection, "digest", at=at, now=local(day, 8), zone=ZONE)
        assert not daily.is_due(connection, "digest", at=at, now=local(day + timedelta(days=1), 7, 29), zone=ZONE)
        night = local(day + timedelta(days=2), 3)
        assert daily.is_due(connection, "digest", at=at, now=night, zone=ZONE)
        daily.done(connection, "digest", at=at, now=night, zone=ZONE)
        assert not daily.is_due(connection, "digest", at=at, now=night, zone=ZONE)
        assert daily.is_due(connection, "digest", at=at, now=local(day + timedelta(days=2), 7, 30), zone=ZONE)
    assert daily.next_at(at, night, ZONE) == local(day + timedelta(days=2), 7, 30)
