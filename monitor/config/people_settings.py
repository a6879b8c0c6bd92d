"""Who hears, and when: the written shapes as the clinical core works with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitor.clinical.findings import Urgency
from monitor.clinical.on_call import Absence, OnCall, Person, QuietHours, Recipient, Rota, Shift, Step, Team
from monitor.config.people_file import PersonFile, QuietHoursFile, RecipientFile, ShiftFile, StepFile, TeamFile


def directory(people: Mapping[str, PersonFile], rotas: Mapping[str, tuple[ShiftFile, ...]], folder: Path) -> OnCall:
    """``folder`` is the one of the configuration."""
    return OnCall(
        people={key: _person(key, written, folder) for key, written in people.items()},
        rotas={name: Rota(name=name, shifts=tuple(_shift(shift) for shift in shifts)) for name, shifts in rotas.items()},
    )


def team(name: str, written: TeamFile, folder: Path) -> Team:
    """``folder`` is the one of the configuration."""
    return Team(
        name=name,
        sites=written.sites,
        recipients=tuple(_recipient(each, folder) for each in written.recipients),
        on_call=written.on_call,
        quiet_hours=_quiet(written.quiet_hours) if written.quiet_hours else None,
        escalation={Urgency(urgency): tuple(_step(step) for step in steps) for urgency, steps in written.escalation.items()},
    )


def _recipient(written: RecipientFile | PersonFile, folder: Path) -> Recipient:
    certificate = str((folder / written.certificate).resolve()) if written.certificate else None
    return Recipient(
        name=written.name, address=written.address, language=written.language, certificate=certificate, user=written.user
    )


def _person(key: str, written: PersonFile, folder: Path) -> Person:
    away = tuple(Absence(from_on=each.from_, until_on=each.until, instead=each.instead) for each in written.away)
    return Person(key=key, recipient=_recipient(written, folder), away=away)


def _shift(written: ShiftFile) -> Shift:
    return Shift(days=written.days, from_minute=written.from_, until_minute=written.until, people=written.people)


def _step(written: StepFile) -> Step:
    return Step(to=written.to, after=written.after)


def _quiet(written: QuietHoursFile) -> QuietHours:
    return QuietHours(from_minute=written.from_, until_minute=written.until)
