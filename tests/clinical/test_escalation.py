"""Who hears next and when, and the hours at which a step would reach nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clinical.escalation import due_after, hearers, held_until, next_hearers
from monitor.clinical.findings import Urgency
from monitor.clinical.nobody_home import nobody_home
from monitor.clinical.on_call import Absence, OnCall, Person, QuietHours, Recipient, Rota, Shift, Step, Team

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 1, tzinfo=UTC)  # 02:00 on a Monday
WEEKDAYS, EVERY_DAY = frozenset(range(5)), frozenset(range(7))
HOUR = timedelta(hours=1)
IMMEDIATE, SAME_DAY, REVIEW = Urgency.IMMEDIATE, Urgency.SAME_DAY, Urgency.REVIEW


def a_mailbox(key: str) -> Recipient:
    return Recipient(name=key.title(), address=f"{key}@hospital.example")


def a_person(key: str, *away: Absence) -> Person:
    return Person(key=key, recipient=a_mailbox(key), away=away)


def a_rota(name: str, *shifts: tuple[frozenset[int], int, int, str]) -> Rota:
    made = (Shift(days=days, from_minute=start, until_minute=end, people=(key,)) for days, start, end, key in shifts)
    return Rota(name=name, shifts=tuple(made))


def a_directory(*entries: Person | Rota) -> OnCall:
    people = {entry.key: entry for entry in entries if isinstance(entry, Person)}
    return OnCall(people=people, rotas={entry.name: entry for entry in entries if isinstance(entry, Rota)})


def away(days_on: int, days: int, *instead: str) -> Absence:
    first = MONDAY + timedelta(days=days_on)
    return Absence(from_on=first, until_on=first + timedelta(days=days - 1), instead=instead)


DAYTIME = a_rota("daytime", (WEEKDAYS, 420, 1140, "nurse"))
DIRECTORY = a_directory(*map(a_person, ("nurse", "doctor", "chief")), DAYTIME)
TEAM = Team(
    name="day-clinic",
    sites=("*",),
    recipients=(a_mailbox("desk"), a_mailbox("nurse")),
    on_call=("daytime",),
    escalation={
        IMMEDIATE: (Step(to=("daytime",), after=timedelta(minutes=30)), Step(to=("doctor", "chief"))),
        SAME_DAY: (Step(to=("doctor",)),),
    },
)


def _told(team: Team, urgency: Urgency, step: int, at: datetime) -> list[str]:
    return [each.name.lower() for each in hearers(team, urgency, step, directory=DIRECTORY, at=at, zone=BERLIN)]


@pytest.mark.parametrize(
    ("urgency", "step", "at", "told"),
    [
        (IMMEDIATE, 0, NOON, ["desk", "nurse"]),
        (REVIEW, 0, NIGHT, ["desk", "nurse"]),
        (IMMEDIATE, 1, NOON, ["nurse"]),
        (IMMEDIATE, 1, NIGHT, []),
        (IMMEDIATE, 2, NIGHT, ["doctor", "chief"]),
        (IMMEDIATE, 3, NOON, []),
        (SAME_DAY, 1, NOON, ["doctor"]),
        (REVIEW, 1, NOON, []),
    ],
)
def test_given_a_chain_when_a_step_is_told_then_those_reachable_hear_it_once(
    urgency: Urgency, step: int, at: datetime, told: list[str]
) -> None:
    assert _told(TEAM, urgency, step, at) == told


def test_given_a_team_with_only_a_calendar_when_an_alert_is_raised_then_who_is_on_duty_hears_it() -> None:
    team = Team(name="night", sites=("*",), on_call=("daytime", "chief"))
    assert _told(team, REVIEW, 0, NOON) == ["nurse", "chief"]
    assert _told(team, REVIEW, 0, NIGHT) == ["chief"]


def test_given_a_step_that_reaches_nobody_now_when_the_next_is_asked_for_then_it_is_passed_over() -> None:
    found = next_hearers(TEAM, IMMEDIATE, 0, directory=DIRECTORY, at=NIGHT, zone=BERLIN)
    assert found is not None
    assert (found[0], [each.name for each in found[1]]) == (2, ["Doctor", "Chief"])


def test_given_a_new_alert_when_its_first_hearers_are_asked_for_then_it_is_step_0() -> None:
    found = next_hearers(TEAM, REVIEW, -1, directory=DIRECTORY, at=NIGHT, zone=BERLIN)
    assert found is not None
    assert found[0] == 0


def test_given_the_last_step_when_the_next_is_asked_for_then_there_is_none() -> None:
    assert next_hearers(TEAM, SAME_DAY, 1, directory=DIRECTORY, at=NOON, zone=BERLIN) is None


@pytest.mark.parametrize(
    ("urgency", "told_step", "wait"),
    [
        (IMMEDIATE, 0, timedelta(minutes=30)),
        (IMMEDIATE, 1, HOUR),  # the step says nothing: the time in which it has to be acknowledged
        (IMMEDIATE, 2, None),
        (SAME_DAY, 0, HOUR),
        (REVIEW, 0, None),
    ],
)
def test_given_a_step_was_told_when_asked_how_long_to_wait_then_the_next_step_says_so(
    urgency: Urgency, told_step: int, wait: timedelta | None
) -> None:
    assert due_after(TEAM, urgency, told_step, acknowledge_within=HOUR) == wait


@settings(deadline=None)
@given(from_minute=st.integers(0, 1440), until_minute=st.integers(0, 1440), minutes=st.integers(0, 525_600))
def test_given_any_quiet_hours_when_it_is_immediate_then_it_never_waits(
    from_minute: int, until_minute: int, minutes: int
) -> None:
    quiet = QuietHours(from_minute=from_minute, until_minute=until_minute)
    assert held_until(IMMEDIATE, quiet, NOON + timedelta(minutes=minutes), BERLIN) is None


def test_given_quiet_hours_when_it_is_not_immediate_then_it_waits_for_their_end() -> None:
    quiet = QuietHours(from_minute=1200, until_minute=420)
    assert held_until(SAME_DAY, quiet, NIGHT, BERLIN) == NIGHT + 5 * HOUR
    assert held_until(REVIEW, quiet, NOON, BERLIN) is None


def _gaps(team: Team, *entries: Person | Rota, today: date | None = MONDAY) -> list[str]:
    return [str(gap) for gap in nobody_home([team], a_directory(*entries), today)]


ON_CALL = Team(name="ward", sites=("*",), on_call=("rota",))
ESCALATING = Team(name="ward", sites=("a", "b"), recipients=(a_mailbox("desk"),), escalation={IMMEDIATE: (Step(to=("rota",)),)})
ALL = "team 'ward' (every site), immediate, same-day, review: nobody would be told at once"
A, B = a_person("a"), a_person("b")


def test_given_plain_recipients_when_checked_then_step_0_has_no_gap() -> None:
    assert _gaps(Team(name="t", sites=("*",), recipients=(a_mailbox("desk"),))) == []


@pytest.mark.parametrize(
    ("shifts", "gaps"),
    [
        ([(EVERY_DAY, 0, 1440)], []),
        ([(EVERY_DAY, 420, 420)], []),
        ([(EVERY_DAY, 420, 1140), (EVERY_DAY, 1140, 420)], []),
        ([(EVERY_DAY, 420, 1140)], ["every day 19:00 - 07:00 of the day after"]),
        ([(WEEKDAYS, 0, 1440)], ["Saturday 00:00 - Sunday 24:00"]),
        ([(WEEKDAYS, 420, 1140), (WEEKDAYS, 1140, 420)], ["Saturday 07:00 - Monday 07:00"]),
        ([(EVERY_DAY, 420, 420), (EVERY_DAY, 0, 60)], []),
        ([(frozenset({0, 1, 2, 3, 4, 5}), 0, 1440), (frozenset({6}), 0, 780)], ["Sunday 13:00 - 24:00"]),
        (
            [(frozenset({1, 2, 3, 4, 5}), 0, 1440), (frozenset({6}), 0, 780), (frozenset({0}), 420, 1440)],
            ["Sunday 13:00 - Monday 07:00"],
        ),
        ([(EVERY_DAY, 0, 720), (EVERY_DAY, 721, 1440)], ["every day 12:00 - 12:01"]),
        ([(EVERY_DAY, 0, 720), (frozenset({5, 6}), 720, 1440)], ["Monday to Friday 12:00 - 24:00"]),
        ([(EVERY_DAY, 0, 720), (frozenset({1, 2, 3, 5, 6}), 720, 1440)], ["Monday and Friday 12:00 - 24:00"]),
        ([], ["at any hour"]),
    ],
)
def test_given_a_calendar_when_checked_then_its_holes_are_told_in_words(
    shifts: list[tuple[frozenset[int], int, int]], gaps: list[str]
) -> None:
    rota = a_rota("rota", *((*shift, "a") for shift in shifts))
    assert _gaps(ON_CALL, A, rota) == [f"{ALL} {gap}" for gap in gaps]


def test_given_a_hole_in_an_escalation_step_when_checked_then_team_sites_urgency_and_step_are_told() -> None:
    rota = a_rota("rota", (WEEKDAYS, 0, 1440, "a"))
    words = "team 'ward' (sites a, b), immediate: escalation step 1 would reach nobody Saturday 00:00 - Sunday 24:00"
    assert _gaps(ESCALATING, A, rota) == [words]


def test_given_a_step_that_names_a_person_too_when_checked_then_a_hole_in_the_calendar_is_none() -> None:
    team = Team(name="ward", sites=("*",), on_call=("rota", "b"))
    assert _gaps(team, A, B, a_rota("rota", (WEEKDAYS, 0, 1440, "a"))) == []


def test_given_an_absence_without_a_stand_in_when_checked_then_its_hours_and_days_are_told() -> None:
    person = a_person("a", away(2, 12))  # a Wednesday to the Sunday after the next
    rota = a_rota(
        "rota",
        (WEEKDAYS, 420, 1140, "a"),
        (WEEKDAYS, 1140, 420, "b"),
        (frozenset({5, 6}), 0, 1440, "b"),
        (frozenset({0}), 0, 420, "b"),
    )
    assert _gaps(ON_CALL, person, B, rota) == [f"{ALL} Monday to Friday 07:00 - 19:00, 2026-11-25 to 2026-12-04: a away"]


def test_given_two_absences_far_apart_when_checked_then_each_has_its_days() -> None:
    person = a_person("a", away(0, 1), away(70, 1))
    assert _gaps(ON_CALL, person, a_rota("rota", (EVERY_DAY, 0, 1440, "a"))) == [
        f"{ALL} Monday 00:00 - 24:00, 2026-11-23: a away",
        f"{ALL} Monday 00:00 - 24:00, 2027-02-01: a away",
    ]


def test_given_a_long_absence_when_checked_then_it_is_at_any_hour() -> None:
    person = a_person("a", away(0, 30))
    words = f"{ALL} at any hour, 2026-11-23 to 2026-12-22: a away"
    assert _gaps(ON_CALL, person, a_rota("rota", (EVERY_DAY, 0, 1440, "a"))) == [words]


def test_given_a_stand_in_when_checked_then_there_is_a_gap_only_while_both_are_away() -> None:
    people = a_person("a", away(0, 3, "b")), a_person("b", away(2, 3, "a"))
    words = f"{ALL} Wednesday 00:00 - 24:00, 2026-11-25: a away"
    assert _gaps(ON_CALL, *people, a_rota("rota", (EVERY_DAY, 0, 1440, "a"))) == [words]


@pytest.mark.parametrize("today", [MONDAY + timedelta(days=1), None])
def test_given_an_absence_that_is_over_or_not_asked_for_when_checked_then_it_makes_no_gap(today: date | None) -> None:
    person = a_person("a", away(0, 1))
    assert _gaps(ON_CALL, person, a_rota("rota", (EVERY_DAY, 0, 1440, "a")), today=today) == []


@pytest.mark.parametrize(("days_on", "found"), [(366, 1), (367, 0)])
def test_given_an_absence_far_away_when_checked_then_a_year_is_looked_at(days_on: int, found: int) -> None:
    person = a_person("a", away(days_on, 1))
    assert len(_gaps(ON_CALL, person, a_rota("rota", (EVERY_DAY, 0, 1440, "a")))) == found


def test_given_an_absence_in_a_hole_of_the_calendar_when_checked_then_the_hole_is_told_once() -> None:
    rota = a_rota("rota", (WEEKDAYS, 0, 1440, "a"))
    assert _gaps(ON_CALL, a_person("a", away(5, 2)), rota) == [f"{ALL} Saturday 00:00 - Sunday 24:00"]


SHIFTS = st.tuples(
    st.frozensets(st.integers(0, 6), min_size=1),
    st.sampled_from(range(0, 1441, 60)),
    st.sampled_from(range(0, 1441, 60)),
    st.sampled_from("ab"),
)


@settings(max_examples=60, deadline=None)
@given(
    shifts=st.lists(SHIFTS, max_size=5),
    absences=st.lists(st.builds(away, st.integers(-3, 12), st.integers(1, 12), st.sampled_from("ab")), max_size=3),
)
def test_given_any_calendar_when_it_has_no_gap_then_somebody_is_told_at_every_hour_and_else_not(
    shifts: list[tuple[frozenset[int], int, int, str]], absences: list[Absence]
) -> None:
    directory = a_directory(a_person("a", *absences), B, a_rota("rota", *shifts))
    team = ON_CALL
    hours = (datetime(2026, 11, 23, tzinfo=BERLIN) + timedelta(hours=hour) for hour in range(28 * 24))  # no clock change in them
    alone = [at for at in hours if not hearers(team, IMMEDIATE, 0, directory=directory, at=at, zone=BERLIN)]
    gaps = nobody_home([team], directory, MONDAY)
    assert bool(gaps) == bool(alone)
    if not any(gap.from_on is None for gap in gaps):
        days = {at.date() for at in alone}
        assert all(any(gap.from_on <= day <= gap.until_on for gap in gaps if gap.from_on and gap.until_on) for day in days)
