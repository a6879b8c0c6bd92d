"""``monitor.yaml`` as it is written. What the program works with is made of it in ``settings``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.board_file import BoardFile
from monitor.config.clock_times import ClockTime
from monitor.config.durations import Duration
from monitor.config.feeds_file import FeedFile, MappingsFile
from monitor.config.mail_file import AnswersFile, MailFile
from monitor.config.people_file import PersonFile, ShiftFile, TeamFile, UrgencyName
from monitor.config.quality_file import DataQuality

ACKNOWLEDGE_WITHIN = {"immediate": timedelta(hours=1), "same-day": timedelta(hours=8), "review": timedelta(days=3)}
"""Where the file says nothing else; the most urgent first."""
REMIND_EVERY = {"immediate": timedelta(hours=4), "same-day": timedelta(days=1), "review": timedelta(days=7)}
"""Where the file says nothing else; the most urgent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsFile:
    """Who hears when the program itself is in trouble."""

    address: Annotated[str, Field(description="Mail address of whoever runs the server.")]
    language: Annotated[Literal["en", "de"], Field(description="Language of the mails to it.")] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFile:
    """The daily proof that everybody who should have been told was told. It goes to operations.address."""

    at: Annotated[ClockTime, Field(description="When it is made, by the clinic's clock.")] = time(6, 30)
    days: Annotated[int, Field(description="How many days it looks back.", ge=1, le=365)] = 7
    ping: Annotated[
        bool, Field(description="true: a clean statement calls the dead-man's switch whose address is the secret ping_url.")
    ] = False
    synthetic_patient: Annotated[
        bool, Field(description="true: an invented patient goes the whole way every day, up to a mail to operations.address.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsFile:
    """Figures for Prometheus, on this machine only."""

    port: Annotated[int, Field(description="Where they are read, http://127.0.0.1:PORT/metrics.", ge=1024, le=65535)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorFile:
    """Configuration of bipn-monitor. Durations: 60 s, 30 min, 8 h, 28 d. Paths are relative to the file."""

    time_zone: Annotated[
        str, Field(description="IANA name of the clinic's time zone, such as Europe/Berlin: days and mails are the clinic's.")
    ]
    database: Annotated[
        str,
        Field(
            description="sqlite:///file.db, relative to this file, sqlite:////full/path/file.db, or postgresql://role@host/database"
            " (its password is the secret database_password)."
        ),
    ]
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
        dict[UrgencyName, Duration],
        Field(description="How soon somebody has to acknowledge. Defaults: immediate 1 h, same-day 8 h, review 3 d."),
    ] = field(default_factory=dict)
    privacy: Annotated[
        Literal["none", "pseudonym", "identified"],
        Field(
            description="none: mails only say that there is something to look at. pseudonym: they name the patient's identifier."
            " identified: also name and birth date, in the body."
        ),
    ] = "pseudonym"
    operations: Annotated[OperationsFile | None, Field(description="Who hears when the program itself is in trouble.")] = None
    people: Annotated[
        dict[str, PersonFile],
        Field(description="Those who can be on call or in an escalation step; the key is how they are named."),
    ] = field(default_factory=dict)
    on_call: Annotated[
        dict[str, tuple[ShiftFile, ...]], Field(description="Weekly calendars; the calendar's name is its key.")
    ] = field(default_factory=dict)
    remind_every: Annotated[
        dict[UrgencyName, Duration],
        Field(
            description="How often everybody told is reminded once the last step went unanswered."
            " Defaults: immediate 4 h, same-day 1 d, review 7 d."
        ),
    ] = field(default_factory=dict)
    digest_at: Annotated[ClockTime, Field(description="When the daily digest leaves, by the clinic's clock.")] = time(7, 30)
    storm_above: Annotated[
        int,
        Field(
            description="More patients than this in one round are told in one digest, each immediate one by name.", ge=1, le=10000
        ),
    ] = 20
    feed_quiet_after: Annotated[
        Duration, Field(description="After how long without any new record the feed is reported as quiet.")
    ] = timedelta(days=7)
    feed_trouble_after: Annotated[
        Duration, Field(description="After how long a feed that cannot be read is reported, and operations told.")
    ] = timedelta(hours=1)
    answers: Annotated[AnswersFile | None, Field(description="Acknowledging by answering a mail.")] = None
    coverage: Annotated[
        CoverageFile | None, Field(description="The daily proof that everybody who should have been told was.")
    ] = None
    data_quality: Annotated[
        DataQuality | None, Field(description="The daily mail about refused records and records that contradict each other.")
    ] = None
    board: Annotated[BoardFile | None, Field(description="The board in the browser.")] = None
    metrics: Annotated[MetricsFile | None, Field(description="Figures for Prometheus.")] = None
    feeds: Annotated[
        dict[str, FeedFile], Field(description="Where facts come from by themselves; the feed's name is its key.")
    ] = field(default_factory=dict)
    mappings: Annotated[MappingsFile | None, Field(description="How records of other systems are read.")] = None
