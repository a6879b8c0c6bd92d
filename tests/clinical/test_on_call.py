"""Who is reachable at an instant, and until when a mail waits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clinical.on_call import Absence, OnCall, Person, QuietHours, Recipient, Rota, Shift, quiet_until, who

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [BERLIN, *map(ZoneInfo, ("America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Atlantic/Azores"))]
)
MONDAY = date(2026, 11, 23)
WEEKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))


def a_person(key: str, *away: Absence, address: str | None = None) -> Person:
    return Person(key=key, recipient=Recipient(name=key.title(), address=address or f"{key}@hospital.example"), away=away)


def a_shift(days: frozenset[int], from_minute: int, until_minute: int, *people: str) -> Shift:
    return Shift(days=days, from_minute=from_minute, until_minute=until_minute, people=people)


def away(from_on: date, until_on: date, *instead: str) -> Absence:
    return Absence(from_on=from_on, until_on=until_on, instead=instead)


def a_directory(*people: Person, **rotas: tuple[Shift, ...]) -> OnCall:
    return OnCall(
        people={person.key: person for person in people},
        rotas={name: Rota(name=name, shifts=shifts) for name, shifts in rotas.items()},
    )


def wall(day: date, hour: int, minute: int = 0, *, fold: int = 0, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)


def _keys(directory: OnCall, names: list[str], at: datetime, zone: ZoneInfo = BERLIN) -> list[str]:
    return [recipient.name.lower() for recipient in who(directory, names, at, zone)]


NIGHTS = a_directory(
    a_person("day"),
    a_person("night"),
    ward=(a_shift(WEEKDAYS, 420, 1140, "day"), a_shift(WEEKDAYS, 1140, 420, "night")),
)


@pytest.mark.parametrize(
    ("days_on", "hour", "minute", "keys"),
    [
        (0, 7, 0, ["day"]),
        (0, 18, 59, ["day"]),
        (0, 19, 0, ["night"]),
        (1, 6, 59, ["night"]),
        (0, 6, 59, []),  # Sunday has no night shift
        (5, 6, 59, ["night"]),  # Saturday morning belongs to Friday's night
        (5, 7, 0, []),
        (6, 19, 0, []),
    ],
)
def test_given_a_week_with_nights_when_asked_then_a_shift_belongs_to_the_day_it_begins(
    days_on: int, hour: int, minute: int, keys: list[str]
) -> None:
    assert _keys(NIGHTS, ["ward"], wall(MONDAY + timedelta(days=days_on), hour, minute)) == keys


@pytest.mark.parametrize(
    ("instant", "keys"),
    [
        (wall(date(2026, 3, 29), 1, 59), ["early"]),
        (wall(date(2026, 3, 29), 3, 0), ["late"]),  # 02:00 to 03:00 is missing: "between" is never on call
        (wall(date(2026, 10, 25), 2, 30), ["between"]),
        (wall(date(2026, 10, 25), 2, 30, fold=1), ["between"]),
        (wall(date(2026, 10, 25), 3, 0), ["late"]),
    ],
)
def test_given_a_night_of_a_clock_change_when_asked_then_the_clock_on_the_wall_decides(
    instant: datetime, keys: list[str]
) -> None:
    directory = a_directory(
        *map(a_person, ("early", "between", "late")),
        ward=(
            a_shift(EVERY_DAY, 0, 120, "early"),
            a_shift(EVERY_DAY, 120, 180, "between"),
            a_shift(EVERY_DAY, 180, 1440, "late"),
        ),
    )
    assert _keys(directory, ["ward"], instant) == keys


def test_given_a_shift_until_24_when_asked_then_it_ends_at_midnight() -> None:
    directory = a_directory(a_person("a"), ward=(a_shift(frozenset({0}), 0, 1440, "a"),))
    assert _keys(directory, ["ward"], wall(MONDAY, 23, 59)) == ["a"]
    assert _keys(directory, ["ward"], wall(MONDAY + timedelta(days=1), 0)) == []


def test_given_a_shift_that_ends_when_it_began_when_asked_then_it_lasts_a_day() -> None:
    directory = a_directory(a_person("a"), ward=(a_shift(frozenset({0}), 480, 480, "a"),))
    asked = [wall(MONDAY, 7, 59), wall(MONDAY, 8), wall(MONDAY + timedelta(days=1), 7, 59), wall(MONDAY + timedelta(days=1), 8)]
    assert [_keys(directory, ["ward"], at) for at in asked] == [[], ["a"], ["a"], []]


@pytest.mark.parametrize(("days_on", "keys"), [(-1, ["a"]), (0, ["b"]), (4, ["b"]), (5, ["a"])])
def test_given_an_absence_when_asked_then_both_its_days_are_included(days_on: int, keys: list[str]) -> None:
    directory = a_directory(a_person("a", away(MONDAY, MONDAY + timedelta(days=4), "b")), a_person("b"))
    assert _keys(directory, ["a"], wall(MONDAY + timedelta(days=days_on), 12)) == keys


def test_given_a_stand_in_who_is_away_too_when_asked_then_the_next_is_told() -> None:
    directory = a_directory(
        a_person("a", away(MONDAY, MONDAY, "b")), a_person("b", away(MONDAY, MONDAY, "c", "d")), *map(a_person, "cd")
    )
    assert _keys(directory, ["a"], wall(MONDAY, 12)) == ["c", "d"]


def test_given_two_who_stand_in_for_each_other_when_both_are_away_then_nobody_is_there() -> None:
    directory = a_directory(a_person("a", away(MONDAY, MONDAY, "b")), a_person("b", away(MONDAY, MONDAY, "a")))
    assert _keys(directory, ["a", "b"], wall(MONDAY, 12)) == []


def test_given_nobody_instead_when_away_then_nobody_is_there() -> None:
    assert _keys(a_directory(a_person("a", away(MONDAY, MONDAY))), ["a"], wall(MONDAY, 12)) == []


def test_given_one_mailbox_of_two_people_when_asked_then_it_is_told_once() -> None:
    directory = a_directory(a_person("a", address="Ward@hospital.example"), a_person("b", address="ward@hospital.example"))
    assert [each.address for each in who(directory, ["a", "b", "a"], wall(MONDAY, 12), BERLIN)] == ["Ward@hospital.example"]


def test_given_a_name_that_nobody_has_when_asked_then_that_is_a_defect() -> None:
    with pytest.raises(KeyError):
        who(a_directory(), ["nobody"], wall(MONDAY, 12), BERLIN)


KEYS = st.sampled_from("abcd")
ABSENCES = st.builds(
    lambda start, days, instead: away(MONDAY + timedelta(days=start), MONDAY + timedelta(days=start + days), *instead),
    st.integers(-3, 9),
    st.integers(0, 9),
    st.lists(KEYS, max_size=3),
)
MINUTES = st.integers(0, 1440)


@st.composite
def directories(draw: st.DrawFn) -> OnCall:
    people = [a_person(key, *draw(st.lists(ABSENCES, max_size=2))) for key in "abcd"]
    shifts = st.builds(a_shift, st.frozensets(st.integers(0, 6), min_size=1), MINUTES, MINUTES, KEYS)
    return a_directory(*people, one=tuple(draw(st.lists(shifts, max_size=4))), two=tuple(draw(st.lists(shifts, max_size=4))))


@settings(max_examples=200, deadline=None)
@given(
    directory=directories(),
    names=st.lists(st.sampled_from(["a", "b", "c", "d", "one", "two"]), max_size=4),
    minutes=st.integers(0, 14 * 1440),
    zone=ZONES,
)
def test_given_any_calendar_and_absences_when_asked_then_nobody_who_is_away_is_told_and_nobody_twice(
    directory: OnCall, names: list[str], minutes: int, zone: ZoneInfo
) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=minutes)
    today = at.astimezone(zone).date()
    keys = _keys(directory, names, at, zone)
    assert len(keys) == len(set(keys))
    for key in keys:
        assert not [each for each in directory.people[key].away if each.from_on <= today <= each.until_on]
    there = [name for name in names if name in directory.people and not directory.people[name].away]
    assert set(there) <= set(keys)


@pytest.mark.parametrize(
    ("asked", "ends"),
    [
        (wall(MONDAY, 19, 59), None),
        (wall(MONDAY, 20), wall(MONDAY + timedelta(days=1), 7)),
        (wall(MONDAY, 6, 59), wall(MONDAY, 7)),
        (wall(MONDAY, 7), None),
        (wall(date(2026, 3, 28), 23), wall(date(2026, 3, 29), 7)),  # one hour shorter than others
        (wall(date(2026, 10, 24), 23), wall(date(2026, 10, 25), 7)),  # one hour longer
    ],
)
def test_given_quiet_hours_over_midnight_when_asked_then_they_end_in_the_morning(asked: datetime, ends: datetime | None) -> None:
    assert quiet_until(QuietHours(from_minute=1200, until_minute=420), asked, BERLIN) == ends


def test_given_quiet_hours_that_end_in_the_missing_hour_when_asked_then_they_end_with_the_jump() -> None:
    quiet = QuietHours(from_minute=1320, until_minute=150)
    assert quiet_until(quiet, wall(date(2026, 3, 29), 1), BERLIN) == wall(date(2026, 3, 29), 3)


def test_given_quiet_hours_that_end_in_the_hour_that_comes_twice_when_asked_then_each_time_has_its_own_end() -> None:
    quiet = QuietHours(from_minute=1320, until_minute=150)
    night = date(2026, 10, 25)
    assert quiet_until(quiet, wall(night, 1), BERLIN) == wall(night, 2, 30)
    assert quiet_until(quiet, wall(night, 2, 45), BERLIN) is None
    assert quiet_until(quiet, wall(night, 2, 15, fold=1), BERLIN) == wall(night, 2, 30, fold=1)


def test_given_quiet_hours_around_the_clock_when_asked_then_nothing_is_held_back_for_ever() -> None:
    assert quiet_until(QuietHours(from_minute=480, until_minute=480), wall(MONDAY, 12), BERLIN) is None


def test_given_no_quiet_hours_when_asked_then_nothing_waits() -> None:
    assert quiet_until(None, wall(MONDAY, 3), BERLIN) is None


@settings(max_examples=300, deadline=None)
@given(
    from_minute=MINUTES,
    until_minute=MINUTES,
    # around the clock changes of 2026 in every zone, and any other time
    minutes=st.integers(0, 365 * 1440) | st.integers(86 * 1440, 89 * 1440) | st.integers(296 * 1440, 299 * 1440),
    zone=ZONES,
)
def test_given_any_quiet_hours_when_asked_then_their_end_is_near_and_outside_of_them(
    from_minute: int, until_minute: int, minutes: int, zone: ZoneInfo
) -> None:
    quiet = QuietHours(from_minute=from_minute, until_minute=until_minute)
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ends = quiet_until(quiet, at, zone)
    local = at.astimezone(zone)
    now = local.hour * 60 + local.minute
    length = (until_minute - from_minute) % 1440
    if length == 0 or (now - from_minute) % 1440 >= length:
        assert ends is None
    else:
        assert ends is not None
        assert at < ends <= at + timedelta(hours=49)  # two days, where a jump of the clock passes over the end
        assert quiet_until(quiet, ends, zone) is None
