"""Who hears, and when, as ``monitor.yaml`` writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.clock_times import Day, Days, Minute
from monitor.config.durations import Duration

UrgencyName = Literal["immediate", "same-day", "review"]
_PEOPLE = "Keys of `people`."
_ANYBODY = "Keys of `people`, or names of calendars of `on_call`."
_LANGUAGE = "Language of the mails and of the board."
_USER = "Name in the hospital's single sign-on, for the board."
_CERTIFICATE = "Path of this mailbox's S/MIME certificate, PEM; with mail.smime.encrypt its mails are encrypted."


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientFile:
    """One mailbox."""

    name: Annotated[
        str, Field(description="Who reads it; shown in the greeting and in the record of what was sent.", min_length=1)
    ]
    address: Annotated[str, Field(description="Mail address, such as nurse@hospital.example.")]
    language: Annotated[Literal["en", "de"], Field(description=_LANGUAGE)] = "en"
    certificate: Annotated[str | None, Field(description=_CERTIFICATE, min_length=1)] = None
    user: Annotated[str | None, Field(description=_USER, min_length=1)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceFile:
    """Days on which somebody is not told."""

    from_: Annotated[Day, Field(alias="from", description="First day, such as 2026-12-24.")]
    until: Annotated[Day, Field(description="Last day, included.")]
    instead: Annotated[tuple[str, ...], Field(description=f"Who is told in the meantime. {_PEOPLE}")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFile:
    """Somebody who can be on call or in an escalation step."""

    name: Annotated[str, Field(description="Shown in the greeting and in the record of what was sent.", min_length=1)]
    address: Annotated[str, Field(description="Mail address, such as nurse@hospital.example.")]
    language: Annotated[Literal["en", "de"], Field(description=_LANGUAGE)] = "en"
    certificate: Annotated[str | None, Field(description=_CERTIFICATE, min_length=1)] = None
    user: Annotated[str | None, Field(description=_USER, min_length=1)] = None
    away: Annotated[tuple[AbsenceFile, ...], Field(description="When this person is not there.")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftFile:
    """Hours that come back every week."""

    days: Annotated[Days, Field(description="mon-fri, sat, 'mon,wed'; the day on which the shift begins.")]
    from_: Annotated[Minute, Field(alias="from", description="When it begins, by the clinic's clock, such as 07:00.")]
    until: Annotated[Minute, Field(description="When it ends; at or before `from` it is on the day after. 24:00 is midnight.")]
    people: Annotated[tuple[str, ...], Field(description=f"Who is on call. {_PEOPLE}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHoursFile:
    """Hours of every day in which only what is immediate is mailed; the rest follows when they end."""

    from_: Annotated[Minute, Field(alias="from", description="When they begin, by the clinic's clock, such as 20:00.")]
    until: Annotated[Minute, Field(description="When they end; at or before `from` it is on the day after.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFile:
    """Who is told when nobody acknowledged."""

    to: Annotated[tuple[str, ...], Field(description=f"Who is told. {_ANYBODY}")]
    after: Annotated[
        Duration | None,
        Field(description="How long the step before may go unanswered. Default: the urgency's acknowledge_within."),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFile:
    """Who hears about the patients of some sites."""

    sites: Annotated[tuple[str, ...], Field(description='Sites as in the patients\' records; "*" is every site.')]
    recipients: Annotated[
        tuple[RecipientFile, ...],
        Field(description="Everybody here gets every mail of the team. May be left out where `on_call` is given."),
    ] = ()
    on_call: Annotated[tuple[str, ...], Field(description=f"Who of the duty roster is told as well, at once. {_ANYBODY}")] = ()
    quiet_hours: Annotated[QuietHoursFile | None, Field(description="When mails wait. What is immediate never does.")] = None
    escalation: Annotated[
        dict[UrgencyName, tuple[StepFile, ...]],
        Field(description="Who is told next when nobody acknowledges an alert of the urgency, step by step."),
    ] = field(default_factory=dict)
