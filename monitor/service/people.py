"""Who hears about a patient, now and next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from monitor.clinical.escalation import due_after, hearers, held_until, next_hearers
from monitor.clinical.findings import Urgency
from monitor.clinical.history import Patient
from monitor.clinical.synthetic import is_synthetic
from monitor.config.settings import Recipient, Settings, Team


def team_of(settings: Settings, patient: Patient) -> Team:
    """The team the patient's record names; else the first whose sites match, exact names before patterns.

    The configuration is refused unless some team covers every site, so there is always one. A synthetic patient is the
    administrator's.
    """
    if is_synthetic(patient.patient_id) and settings.operations is not None:
        return Team(
            name="operations", sites=(), recipients=(recipient_known(settings, settings.operations.address, "Operations"),)
        )
    for team in settings.teams:
        if patient.team is not None and team.name == patient.team:
            return team
    site = patient.site or ""
    by_name = [team for team in settings.teams if site in team.sites]
    by_pattern = [team for team in settings.teams if any(fnmatchcase(site, pattern) for pattern in team.sites if pattern != "*")]
    for_all = [team for team in settings.teams if "*" in team.sites]
    return (by_name + by_pattern + for_all)[0]


def everybody(settings: Settings) -> Iterator[Recipient]:
    """All whom the configuration names to hear of patients."""
    yield from (recipient for team in settings.teams for recipient in team.recipients)
    yield from (person.recipient for person in settings.directory.people.values())


def recipient_known(settings: Settings, address: str, name: str) -> Recipient:
    """Whoever has this address in the configuration, with the language he reads; else as he was called then, in English."""
    known = [each for each in everybody(settings) if each.address.lower() == address.lower()]
    if known:
        return known[0]
    operations, owner = settings.operations, None if settings.data_quality is None else settings.data_quality.owner
    for other in (operations, owner):
        if other is not None and other.address.lower() == address.lower():
            return Recipient(name=name, address=address, language=other.language)
    return Recipient(name=name, address=address)


def on_duty(settings: Settings, team: Team, urgency: Urgency, at: datetime) -> tuple[Recipient, ...]:
    """The team's recipients, and who is on call for it at ``at``; may be empty."""
    return hearers(team, urgency, 0, directory=settings.directory, at=at, zone=settings.time_zone)


def told_from(
    settings: Settings, team: Team, urgency: Urgency, step: int, at: datetime
) -> tuple[int, tuple[Recipient, ...]] | None:
    """The first step from ``step`` on that reaches somebody at ``at``, and whom; None where none does."""
    return next_hearers(team, urgency, step - 1, directory=settings.directory, at=at, zone=settings.time_zone)


def goes_at(settings: Settings, team: Team, urgency: Urgency, now: datetime) -> datetime:
    """When a mail of this urgency leaves: now, or at the end of the team's quiet hours."""
    return held_until(urgency, team.quiet_hours, now, settings.time_zone) or now


def wait_after(settings: Settings, team: Team, urgency: Urgency, told_step: int) -> timedelta:
    """How long after ``told_step`` was told the next one is, or where there is none everybody again."""
    within = acknowledge_within(settings)[urgency]
    due = due_after(team, urgency, told_step, acknowledge_within=within)
    if due is not None:
        return due
    return within if told_step == 0 else settings.remind_every[urgency]


def told_next(
    settings: Settings, team: Team, urgency: Urgency, told_step: int, leaves_at: datetime
) -> tuple[datetime, tuple[str, ...]]:
    """When, unless somebody answers, it is passed on, and the names of those whom the next step would reach then."""
    at = leaves_at + wait_after(settings, team, urgency, told_step)
    found = told_from(settings, team, urgency, told_step + 1, at)
    return at, tuple(each.name for each in found[1]) if found is not None else ()


def acknowledge_within(settings: Settings) -> dict[Urgency, timedelta]:
    """The site's time to acknowledge an alert, by urgency."""
    within = settings.acknowledge_within
    return {Urgency.IMMEDIATE: within.immediate, Urgency.SAME_DAY: within.same_day, Urgency.REVIEW: within.review}
