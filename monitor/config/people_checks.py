"""What a shape cannot say about people, calendars and escalation: names that nobody has, and steps that reach nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from pydantic_core import PydanticCustomError

from monitor.clinical.on_call import DAY_MINUTES
from monitor.config.addresses import is_address, is_name
from monitor.config.clock_times import parse_date, parse_minute
from monitor.config.durations import parse_duration
from monitor.config.mail_checks import certificate_missing
from monitor.config.mailboxes import items
from monitor.config.problems import Problem, nearest
from monitor.config.yaml_source import Document, Loc

LONGEST_WAIT = timedelta(days=7)
"""For the next step of what is immediate."""
_PLAIN_ADDRESS = "a plain mail address is expected, such as nurse@hospital.example"


def check_people(document: Document) -> Iterator[Problem]:
    """All that is wrong with ``people``, ``on_call`` and what teams make of them, each at its line."""
    people = set(document.get(("people",), dict) or ())
    rotas = set(document.get(("on_call",), dict) or ())
    for key in people:
        yield from _person(document, ("people", key), people)
    for name in rotas:
        yield from _rota(document, ("on_call", name), people)
        if name in people:
            message = f"'{name}' is the key of a person already; a step that names it could mean either"
            yield document.at(("on_call", name), "duplicate-name", message, on_key=True)
    for name in document.get(("teams",), dict) or ():
        yield from _team(document, ("teams", name), people, rotas)


def mailbox(document: Document, here: Loc) -> Iterator[Problem]:
    """What is wrong with a name, an address and a certificate."""
    name, address = document.get((*here, "name"), str), document.get((*here, "address"), str)
    if name and not is_name(name):
        yield document.at((*here, "name"), "bad-name", "a name of printable characters on one line is expected")
    if address is not None and not is_address(address):
        yield document.at((*here, "address"), "bad-address", _PLAIN_ADDRESS)
    yield from certificate_missing(document, (*here, "certificate"))


def _person(document: Document, here: Loc, people: Collection[str]) -> Iterator[Problem]:
    if not is_name(str(here[-1])):
        yield document.at(here, "bad-name", "a person needs a key of printable characters", on_key=True)
    yield from mailbox(document, here)
    for absence in items(document, (*here, "away")):
        yield from _absence(document, absence)
        yield from _names(document, (*absence, "instead"), people, (), but=str(here[-1]))


def _absence(document: Document, here: Loc) -> Iterator[Problem]:
    first, last = _day(document, (*here, "from")), _day(document, (*here, "until"))
    if first is None or last is None or first <= last:
        return
    near = f"{first.year + 1}{last.isoformat()[4:]}" if last.year == first.year else None
    message = f"an absence that begins on {first} cannot end on {last}"
    yield document.at((*here, "until"), "bad-absence", message, suggestion=near)


def _rota(document: Document, here: Loc, people: Collection[str]) -> Iterator[Problem]:
    if not is_name(str(here[-1])):
        yield document.at(here, "bad-name", "a calendar needs a name of printable characters", on_key=True)
    if document.get(here, list) == []:
        yield document.at(here, "nobody-home", f"'{here[-1]}' has no shifts: nobody would ever be on call")
    for shift in items(document, here):
        if document.get((*shift, "people"), list) == []:
            yield document.at((*shift, "people"), "nobody-home", "a shift needs somebody; delete it, or name whom it means")
        yield from _names(document, (*shift, "people"), people, ())


def _team(document: Document, here: Loc, people: Collection[str], rotas: Collection[str]) -> Iterator[Problem]:
    yield from _names(document, (*here, "on_call"), people, rotas)
    yield from _quiet_hours(document, (*here, "quiet_hours"))
    for urgency in document.get((*here, "escalation"), dict) or ():
        for step in items(document, (*here, "escalation", urgency)):
            if document.get((*step, "to"), list) == []:
                yield document.at((*step, "to"), "nobody-home", "a step needs somebody; delete it, or name who is told")
            yield from _names(document, (*step, "to"), people, rotas)
            yield from _soon_enough(document, (*step, "after"), urgency)


def _names(
    document: Document, here: Loc, people: Collection[str], rotas: Collection[str], *, but: str | None = None
) -> Iterator[Problem]:
    """Each name of a list has to be a person's key or one of the ``rotas``, and to stand there once. ``but`` cannot stand in."""
    seen: set[str] = set()
    for loc in items(document, here):
        name = document.get(loc, str)
        if name is None:
            continue
        if name in seen:
            yield document.at(loc, "duplicate-name", f"'{name}' is named here already")
        elif name == but:
            yield document.at(loc, "bad-absence", f"'{name}' cannot stand in for '{name}'")
        elif name not in people and name not in rotas:
            known = sorted({*people, *rotas})
            what = "neither a key of people nor a calendar of on_call" if rotas else "not a key of people"
            near = nearest(name, known)
            there = f". Known: {', '.join(known)}" if known and not near and len(known) < 20 else ""
            yield document.at(loc, "unknown-name", f"'{name}' is {what}{there}", suggestion=near)
        seen.add(name)


def _quiet_hours(document: Document, here: Loc) -> Iterator[Problem]:
    minutes = [_minute(document, (*here, key)) for key in ("from", "until")]
    if None not in minutes and (minutes[0] or 0) % DAY_MINUTES == (minutes[1] or 0) % DAY_MINUTES:
        message = "quiet hours of a whole day would hold every mail back that is not immediate, for ever"
        yield document.at(here, "quiet-for-ever", message, on_key=True)


def _soon_enough(document: Document, here: Loc, urgency: str) -> Iterator[Problem]:
    written = document.get(here, str)
    if urgency != "immediate" or written is None:
        return
    try:
        wait = parse_duration(written)
    except PydanticCustomError:  # told where it stands
        return
    if wait > LONGEST_WAIT:
        yield document.at(here, "out-of-range", f"the next step of what is immediate must come within {LONGEST_WAIT.days} d")


def _day(document: Document, loc: Loc) -> date | None:
    try:
        return parse_date(document.get(loc, str))
    except PydanticCustomError:  # told where it stands
        return None


def _minute(document: Document, loc: Loc) -> int | None:
    try:
        return parse_minute(document.get(loc, str))
    except PydanticCustomError:  # told where it stands
        return None
