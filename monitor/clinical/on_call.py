"""Who is reachable at an instant: weekly calendars, absences and quiet hours, all by the clinic's clock on the wall.

A shift holds wherever the clock shows its hours: on the night of an hour twice both times, on the night of a missing hour
without it. A shift over midnight belongs to the day on which it begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.clinical.findings import Urgency

DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One mailbox. The address is ASCII ``local@domain``; ``certificate`` the path of the one mails to it are encrypted for.

    ``user`` is the name in the hospital's single sign-on.
    """

    name: str
    address: str
    language: Literal["en", "de"] = "en"
    certificate: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Days of the clinic, both included, on which a person is not told; ``instead`` are keys of people who are."""

    from_on: date
    until_on: date
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be on call or in an escalation step."""

    key: str
    recipient: Recipient
    away: tuple[Absence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Weekly hours: 0 is Monday, minutes 0..1440 of the clinic's clock, ``until`` not included.

    ``until_minute`` at or before ``from_minute`` is on the day after. ``people`` are keys.
    """

    days: frozenset[int]
    from_minute: int
    until_minute: int
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """A weekly calendar: those of every shift that holds are on call together."""

    name: str
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One escalation step: keys of people or names of rotas, told ``after`` the step before went unanswered so long.

    ``after`` None is the time in which an alert of the urgency has to be acknowledged.
    """

    to: tuple[str, ...]
    after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Hours of every day in which only what is immediate is mailed; minutes as in a shift."""

    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who hears about the patients of ``sites``; ``"*"`` among them is every site. ``on_call``: rotas or people's keys."""

    name: str
    sites: tuple[str, ...]
    recipients: tuple[Recipient, ...] = ()
    on_call: tuple[str, ...] = ()
    quiet_hours: QuietHours | None = None
    escalation: Mapping[Urgency, tuple[Step, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """The directory: people by key, rotas by name. No name is in both."""

    people: Mapping[str, Person] = field(default_factory=dict)
    rotas: Mapping[str, Rota] = field(default_factory=dict)


def who(directory: OnCall, names: Iterable[str], at: datetime, zone: ZoneInfo) -> tuple[Recipient, ...]:
    """Who of the people and rotas named is reachable at ``at``, in their order, each address once. Empty: nobody.

    Somebody away is replaced by those who stand in, and they by theirs. Raises KeyError for a name the directory lacks.
    """
    local = at.astimezone(zone)
    return on_wall(directory, names, local.date(), _minute(local))


def on_wall(directory: OnCall, names: Iterable[str], day: date, minute: int) -> tuple[Recipient, ...]:
    """As ``who``, while the clinic's calendar shows ``day`` and its clock ``minute``."""
    found: dict[str, Recipient] = {}
    for key in scheduled(directory, names, day, minute):
        for person in _present(directory, key, day, set()):
            found.setdefault(person.recipient.address.lower(), person.recipient)
    return tuple(found.values())


def scheduled(directory: OnCall, names: Iterable[str], day: date, minute: int) -> tuple[str, ...]:
    """The keys of those named, the calendars' shifts looked up; whether they are away is not asked."""
    return tuple(_keys(directory, names, day, minute))


def quiet_until(quiet: QuietHours | None, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant in UTC at which the quiet hours end that the clock shows at ``at``; None outside of them."""
    local = at.astimezone(zone)
    if quiet is None or not _between(quiet.from_minute, quiet.until_minute, _minute(local)):
        return None
    for day in (local.date() + timedelta(days=days) for days in range(3)):
        ended = _reached(day, quiet.until_minute, at, zone)
        if ended is not None and not _between(quiet.from_minute, quiet.until_minute, _minute(ended.astimezone(zone))):
            return ended
    return None  # quiet hours without an end hold nothing back


def _holds(shift: Shift, weekday: int, minute: int) -> bool:
    """Whether the shift holds at this minute of the clock on this day of the week."""
    if shift.from_minute < shift.until_minute:
        return weekday in shift.days and shift.from_minute <= minute < shift.until_minute
    begun_today = weekday in shift.days and minute >= shift.from_minute
    begun_yesterday = (weekday - 1) % 7 in shift.days and minute < shift.until_minute
    return begun_today or begun_yesterday


def _keys(directory: OnCall, names: Iterable[str], day: date, minute: int) -> Iterator[str]:
    for name in names:
        rota = directory.rotas.get(name)
        if rota is None:
            yield name
            continue
        for shift in rota.shifts:
            if _holds(shift, day.weekday(), minute):
                yield from shift.people


def _present(directory: OnCall, key: str, day: date, asked: set[str]) -> Iterator[Person]:
    """The person, or whoever stands in. ``asked`` ends two who stand in for each other."""
    if key in asked:
        return
    asked.add(key)
    person = directory.people[key]
    away = [absence for absence in person.away if absence.from_on <= day <= absence.until_on]
    if not away:
        yield person
    for absence in away:
        for other in absence.instead:
            yield from _present(directory, other, day, asked)


def _between(from_minute: int, until_minute: int, minute: int) -> bool:
    if from_minute < until_minute:
        return from_minute <= minute < until_minute
    return minute >= from_minute or minute < until_minute


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _reached(day: date, minute: int, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant after ``after`` at which the clock reaches ``minute`` of ``day`` or jumps over it; None: none is left."""
    wall = datetime.combine(day, time(0)) + timedelta(minutes=minute)
    first, second = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second and first.astimezone(zone).replace(tzinfo=None) != wall:  # the clock never shows it
        first = second = _jump(first, second, zone)
    return next((instant for instant in (first, second) if instant > after), None)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The whole second between two instants at which the zone's offset changes."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    return after
