"""The hours at which a step of a team's chain would reach nobody, before an alert finds out.

Two causes, told apart: a hole in the weekly calendars, which comes back every week, and absences without a stand-in, which
have dates. Everything here is by the clock on the wall, so a night on which it is changed needs no care.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from monitor.clinical.escalation import steps_of
from monitor.clinical.findings import Urgency
from monitor.clinical.on_call import DAY_MINUTES, OnCall, Team, on_wall, scheduled
from monitor.clinical.words import URGENCIES
from monitor.said import Said, joined, say

LOOKED_AHEAD = timedelta(days=366)  # an absence further away is found when its time comes nearer
_WEEK = 7 * DAY_MINUTES
_MONDAY = date(2001, 1, 1)  # any Monday: a week without absences
_DAYS = (
    say("Monday"),
    say("Tuesday"),
    say("Wednesday"),
    say("Thursday"),
    say("Friday"),
    say("Saturday"),
    say("Sunday"),
)
_URGENT_FIRST = tuple(sorted(Urgency, key=lambda urgency: -urgency.rank))
Span = tuple[int, int]
"""From and until, in minutes of the clock since the Monday of the first week of the calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Hours at which ``step`` reaches nobody. ``away`` and the days, both included, are set where absences are the cause."""

    team: str
    sites: tuple[str, ...]
    urgencies: tuple[Urgency, ...]  # most urgent first
    step: int
    when: str  # "Sunday 13:00 - Monday 07:00"
    away: tuple[str, ...] = ()  # keys of people
    from_on: date | None = None
    until_on: date | None = None

    def __str__(self) -> str:
        return str(self.words)

    @property
    def words(self) -> Said:
        """The gap in a sentence, which begins with the team."""
        sites = say("every site") if "*" in self.sites else say("sites {sites}", sites=", ".join(self.sites))
        step = (
            say("nobody would be told at once")
            if self.step == 0
            else say("escalation step {step} would reach nobody", step=self.step)
        )
        gap = say(
            "team '{team}' ({sites}), {urgencies}: {step} {when}",
            team=self.team,
            sites=sites,
            urgencies=joined(", ", [URGENCIES[urgency] for urgency in self.urgencies]),
            step=step,
            when=self.when,
        )
        if not self.away or self.from_on is None or self.until_on is None:
            return gap
        away = ", ".join(self.away)
        if self.from_on == self.until_on:
            return say("{gap}, {day}: {people} away", gap=gap, day=self.from_on, people=away)
        return say("{gap}, {first} to {last}: {people} away", gap=gap, first=self.from_on, last=self.until_on, people=away)


def nobody_home(teams: Iterable[Team], directory: OnCall, today: date | None) -> tuple[Gap, ...]:
    """Every gap of every team, urgency and step: the calendars' own, and those of absences from ``today`` on (None: left out).

    A step that goes to plain recipients has none. Raises KeyError for a name the directory lacks.
    """
    return tuple(gap for team in teams for gap in _of_team(team, directory, today))


def _of_team(team: Team, directory: OnCall, today: date | None) -> Iterator[Gap]:
    for (step, names), urgencies in _steps(team).items():
        minutes = sorted({0, *_boundaries(directory, names)})
        for when, _ in _grouped(_round_the_week(_holes(directory, names, minutes))):
            yield Gap(team=team.name, sites=team.sites, urgencies=urgencies, step=step, when=when)
        for away, spans in _left_alone(directory, names, minutes, _days_away(directory, today)).items():
            for when, group in _grouped(spans):
                yield Gap(
                    team=team.name,
                    sites=team.sites,
                    urgencies=urgencies,
                    step=step,
                    when=when,
                    away=away,
                    from_on=_day(group[0][0]),
                    until_on=_day(group[-1][1] - 1),
                )


def _steps(team: Team) -> Mapping[tuple[int, tuple[str, ...]], tuple[Urgency, ...]]:
    """Each step that depends on calendars or absences, with the urgencies in which it is the same."""
    found: dict[tuple[int, tuple[str, ...]], tuple[Urgency, ...]] = {}
    for urgency in _URGENT_FIRST:
        first = () if team.recipients else ((0, team.on_call),)
        later = ((number, step.to) for number, step in enumerate(steps_of(team, urgency), start=1))
        for key in (*first, *later):
            found[key] = (*found.get(key, ()), urgency)
    return found


def _boundaries(directory: OnCall, names: tuple[str, ...]) -> Iterator[int]:
    """The minutes of a day at which a shift begins or ends."""
    for name in names:
        rota = directory.rotas.get(name)
        for shift in rota.shifts if rota is not None else ():
            yield shift.from_minute % DAY_MINUTES
            yield shift.until_minute % DAY_MINUTES


def _holes(directory: OnCall, names: tuple[str, ...], minutes: list[int]) -> list[Span]:
    """Where no calendar has anybody, within one week."""
    found: list[Span] = []
    for weekday in range(7):
        for minute, until in _segments(minutes):
            if not scheduled(directory, names, _MONDAY + timedelta(days=weekday), minute):
                _extend(found, (weekday * DAY_MINUTES + minute, weekday * DAY_MINUTES + until))
    return found


def _round_the_week(spans: list[Span]) -> list[Span]:
    """The last span of the week and the first are one where Sunday's midnight is in it."""
    if len(spans) > 1 and spans[0][0] == 0 and spans[-1][1] == _WEEK:
        return [*spans[1:-1], (spans[-1][0], _WEEK + spans[0][1])]
    return spans


def _left_alone(
    directory: OnCall, names: tuple[str, ...], minutes: list[int], days: list[date]
) -> Mapping[tuple[str, ...], list[Span]]:
    """Where somebody is scheduled, and all of them are away with nobody instead; by who is away."""
    found: dict[tuple[str, ...], list[Span]] = {}
    for day in days:
        start = _minutes_before(day)
        for minute, until in _segments(minutes):
            keys = tuple(dict.fromkeys(scheduled(directory, names, day, minute)))
            if keys and not on_wall(directory, keys, day, minute):
                _extend(found.setdefault(keys, []), (start + minute, start + until))
    return found


def _days_away(directory: OnCall, today: date | None) -> list[date]:
    if today is None:
        return []
    days: set[date] = set()
    for person in directory.people.values():
        for absence in person.away:
            first, last = max(absence.from_on, today), min(absence.until_on, today + LOOKED_AHEAD)
            days |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
    return sorted(days)


def _segments(minutes: list[int]) -> Iterable[Span]:
    return zip(minutes, [*minutes[1:], DAY_MINUTES], strict=True)


def _extend(spans: list[Span], span: Span) -> None:
    if spans and spans[-1][1] == span[0]:
        spans[-1] = (spans[-1][0], span[1])
    else:
        spans.append(span)


def _grouped(spans: list[Span]) -> list[tuple[str, list[Span]]]:
    """Spans of the same hours in words, if less than a week lies between them: one line for every night, not one each."""
    groups: dict[tuple[int, int], list[list[Span]]] = {}
    for start, until in spans:
        within_a_day = until - start <= DAY_MINUTES
        series = groups.setdefault((start % (DAY_MINUTES if within_a_day else _WEEK), until - start), [])
        if series and start - series[-1][-1][0] <= _WEEK:
            series[-1].append((start, until))
        else:
            series.append([(start, until)])
    found = [group for series in groups.values() for group in series]
    return [(_in_words(group), group) for group in sorted(found)]


def _in_words(group: list[Span]) -> Said:
    start, until = group[0]
    if until - start >= _WEEK:
        return say("at any hour")
    weekdays = sorted({start // DAY_MINUTES % 7 for start, _ in group})
    if len(weekdays) > 1:
        days, begin, end = _days_in_words(weekdays), _clock(start), _clock(until, ending=True)
        if (start % DAY_MINUTES) + until - start > DAY_MINUTES:
            return say("{days} {begin} - {end} of the day after", days=days, begin=begin, end=end)
        return say("{days} {begin} - {end}", days=days, begin=begin, end=end)
    last = (until - 1) // DAY_MINUTES % 7
    end = _clock(until, ending=True)
    first = _DAYS[weekdays[0]]
    if last == weekdays[0]:
        return say("{days} {begin} - {end}", days=first, begin=_clock(start), end=end)
    return say("{first} {begin} - {last} {end}", first=first, begin=_clock(start), last=_DAYS[last], end=end)


def _days_in_words(weekdays: list[int]) -> Said:
    if len(weekdays) == 7:
        return say("every day")
    begun = [day for day in weekdays if (day - 1) % 7 not in weekdays]
    if len(weekdays) > 2 and len(begun) == 1:  # one run, maybe over the end of the week
        return say("{first} to {last}", first=_DAYS[begun[0]], last=_DAYS[(begun[0] + len(weekdays) - 1) % 7])
    days = joined(", ", [_DAYS[each] for each in weekdays[:-1]])
    return say("{days} and {last}", days=days, last=_DAYS[weekdays[-1]])


def _clock(minute: int, *, ending: bool = False) -> str:
    of_day = minute % DAY_MINUTES or (DAY_MINUTES if ending else 0)
    return f"{of_day // 60:02}:{of_day % 60:02}"


def _minutes_before(day: date) -> int:
    """Since the Monday 0001-01-01."""
    return (day.toordinal() - 1) * DAY_MINUTES


def _day(minute: int) -> date:
    return date.fromordinal(minute // DAY_MINUTES + 1)
