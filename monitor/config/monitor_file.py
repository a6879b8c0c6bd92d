"""``monitor.yaml`` as it is written. What the program works with is made of it in ``settings``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from monitor.config.durations import Duration

ACKNOWLEDGE_WITHIN = {"immediate": timedelta(hours=1), "same-day": timedelta(hours=8), "review": timedelta(days=3)}
"""Where the file says nothing else; the most urgent first."""


def _offered(privacy: object) -> object:
    if privacy == "identified":
        raise PydanticCustomError(
            "wrong-value", "'identified' is not offered in this version: write pseudonym (the patient's identifier) or none"
        )
    return privacy


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayFile:
    """The mail server that takes the mails."""

    host: Annotated[str, Field(description="Name or address of the mail server.", min_length=1)]
    port: Annotated[
        int, Field(description="587 for STARTTLS, 465 for TLS from the start, 25 inside a hospital.", ge=1, le=65535)
    ] = 587
    tls: Annotated[
        Literal["starttls", "implicit"] | None,
        Field(description="How the connection is encrypted; the certificate is always verified. Default: starttls."),
    ] = None
    insecure: Annotated[bool, Field(description="true: no encryption at all. For a relay on the same machine.")] = False
    username: Annotated[str | None, Field(description="Who signs in. The password is never in this file.", min_length=1)] = None
    timeout: Annotated[Duration, Field(description="How long one step of the conversation may take.")] = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFile:
    """How mails leave."""

    sender: Annotated[str, Field(description="Address the mails come from, such as alerts@hospital.example.")]
    relay: Annotated[RelayFile, Field(description="The mail server that takes the mails.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientFile:
    """One mailbox."""

    name: Annotated[
        str, Field(description="Who reads it; shown in the greeting and in the record of what was sent.", min_length=1)
    ]
    address: Annotated[str, Field(description="Mail address, such as nurse@hospital.example.")]
    language: Annotated[Literal["en", "de"], Field(description="Language of the mails. In this version all are English.")] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFile:
    """Who hears about the patients of some sites."""

    sites: Annotated[tuple[str, ...], Field(description='Sites as in the patients\' records; "*" is every site.')]
    recipients: Annotated[tuple[RecipientFile, ...], Field(description="Everybody here gets every mail of the team.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsFile:
    """Who hears when the program itself is in trouble."""

    address: Annotated[str, Field(description="Mail address of whoever runs the server.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorFile:
    """Configuration of bipn-monitor. Durations: 60 s, 30 min, 8 h, 28 d. Paths are relative to the file."""

    time_zone: Annotated[
        str, Field(description="IANA name of the clinic's time zone, such as Europe/Berlin: days and mails are the clinic's.")
    ]
    database: Annotated[str, Field(description="sqlite:///file.db, relative to this file, or sqlite:////full/path/file.db.")]
    guideline: Annotated[
        str, Field(description="Dose table: us-label, eu-smpc or imwg-2012, or the path of a file of your own.", min_length=1)
    ]
    mail: Annotated[MailFile, Field(description="How mails leave.")]
    teams: Annotated[dict[str, TeamFile], Field(description="Who hears about which sites; the team's name is its key.")]
    policy: Annotated[
        str | None, Field(description="Path of your own thresholds. Default: those shipped, config/policy.yaml.")
    ] = None
    templates: Annotated[
        str | None,
        Field(description="Folder with your own mail templates; each file there replaces the shipped one of its name."),
    ] = None
    poll_every: Annotated[Duration, Field(description="How often to look for changed facts.")] = timedelta(seconds=60)
    announce_within_days: Annotated[
        int,
        Field(
            description="Findings whose facts are older than this are collected in one digest, not mailed one by one.",
            ge=0,
            le=3650,
        ),
    ] = 14
    acknowledge_within: Annotated[
        dict[Literal["immediate", "same-day", "review"], Duration],
        Field(description="How soon somebody has to acknowledge. Defaults: immediate 1 h, same-day 8 h, review 3 d."),
    ] = field(default_factory=dict)
    privacy: Annotated[
        Literal["pseudonym", "none"],
        BeforeValidator(_offered),
        Field(
            description="pseudonym: mails name the patient's identifier. none: they only say that there is something to look at."
        ),
    ] = "pseudonym"
    operations: Annotated[OperationsFile | None, Field(description="Who hears when the program itself is in trouble.")] = None
