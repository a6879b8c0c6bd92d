"""The settings the program works with: ``monitor.yaml`` with names looked up, paths absolute and defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.clinical.findings import Urgency
from monitor.clinical.on_call import OnCall, Recipient, Team
from monitor.config.board_settings import Board, BoardUser, Proxy, board
from monitor.config.database_url import resolve_database
from monitor.config.feeds_file import Feed, feeds, mappings
from monitor.config.mail_settings import Answers, Imap, Mail, OAuth, Relay, Smime, answers, mail
from monitor.config.monitor_file import ACKNOWLEDGE_WITHIN, REMIND_EVERY, MonitorFile
from monitor.config.people_settings import directory, team
from monitor.config.policy_files import is_path, shipped_policy
from monitor.config.privacy import Privacy
from monitor.config.problems import InvalidConfigError, Problem
from monitor.config.quality_file import DataOwner, DataQuality
from monitor.config.settings_checks import check_settings
from monitor.config.validation import validate
from monitor.config.yaml_source import Document, read_document

__all__ = [
    "AcknowledgeWithin",
    "Answers",
    "Board",
    "BoardUser",
    "Coverage",
    "DataOwner",
    "DataQuality",
    "Imap",
    "Mail",
    "Metrics",
    "OAuth",
    "Operations",
    "Proxy",
    "Recipient",
    "Relay",
    "Settings",
    "Smime",
    "Team",
    "load_settings",
    "read_settings",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Who hears when the program itself is in trouble."""

    address: str
    language: Literal["en", "de"] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeWithin:
    """How soon somebody has to acknowledge an alert of each urgency."""

    immediate: timedelta
    same_day: timedelta
    review: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The daily statement, made ``at`` by the clinic's clock about the last ``days``; it goes to ``operations``."""

    at: time = time(6, 30)
    days: int = 7
    ping: bool = False
    synthetic_patient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Figures for Prometheus, on loopback."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked. ``source`` is the file they are from; every path is absolute."""

    source: Path
    time_zone: ZoneInfo
    database: str  # URL
    guideline: str  # a shipped name or an absolute path
    policy: Path  # thresholds
    templates: Path | None  # the clinic's own folder; wins file by file
    poll_every: timedelta
    announce_within: timedelta
    acknowledge_within: AcknowledgeWithin
    privacy: Privacy
    mail: Mail
    teams: tuple[Team, ...]
    operations: Operations | None
    directory: OnCall = field(default_factory=OnCall)
    remind_every: Mapping[Urgency, timedelta] = field(
        default_factory=lambda: {Urgency(name): every for name, every in REMIND_EVERY.items()}
    )
    digest_at: time = time(7, 30)  # by the clinic's clock
    storm_above: int = 20  # patients in one round
    feed_quiet_after: timedelta = timedelta(days=7)
    feed_trouble_after: timedelta = timedelta(hours=1)
    answers: Answers | None = None
    coverage: Coverage | None = None
    data_quality: DataQuality | None = None
    metrics: Metrics | None = None
    board: Board | None = None
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    mappings: Mapping[str, Path] = field(default_factory=lambda: mappings(None, Path()))


def load_settings(path: Path) -> Settings:
    """The settings of a ``monitor.yaml``. Raises InvalidConfigError, a ConfigError, with every mistake in it."""
    settings, problems = read_settings(read_document(path))
    if settings is None:
        raise InvalidConfigError(problems)
    return settings


def read_settings(document: Document) -> tuple[Settings | None, list[Problem]]:
    """The settings (None if they cannot be used) and everything wrong with them. Never raises for the content."""
    written, problems = validate(document, MonitorFile, check_settings)
    return (_settings(written, document.path.resolve()) if written is not None else None), problems


def _settings(written: MonitorFile, source: Path) -> Settings:
    folder = source.parent
    waits = ACKNOWLEDGE_WITHIN | dict(written.acknowledge_within.items())
    reminders = REMIND_EVERY | dict(written.remind_every.items())
    coverage = written.coverage
    return Settings(
        source=source,
        time_zone=ZoneInfo(written.time_zone),
        database=resolve_database(written.database, folder=folder),
        guideline=str((folder / written.guideline).resolve()) if is_path(written.guideline) else written.guideline,
        policy=(folder / written.policy).resolve() if written.policy else shipped_policy(),
        templates=(folder / written.templates).resolve() if written.templates else None,
        poll_every=written.poll_every,
        announce_within=timedelta(days=written.announce_within_days),
        acknowledge_within=AcknowledgeWithin(immediate=waits["immediate"], same_day=waits["same-day"], review=waits["review"]),
        privacy=written.privacy,
        mail=mail(written.mail, folder),
        teams=tuple(team(name, each, folder) for name, each in written.teams.items()),
        operations=_operations(written),
        directory=directory(written.people, written.on_call, folder),
        remind_every={Urgency(name): every for name, every in reminders.items()},
        digest_at=written.digest_at,
        storm_above=written.storm_above,
        feed_quiet_after=written.feed_quiet_after,
        feed_trouble_after=written.feed_trouble_after,
        answers=answers(written.answers, folder) if written.answers else None,
        coverage=Coverage(at=coverage.at, days=coverage.days, ping=coverage.ping, synthetic_patient=coverage.synthetic_patient)
        if coverage
        else None,
        data_quality=written.data_quality,
        metrics=Metrics(port=written.metrics.port) if written.metrics else None,
        board=board(written.board) if written.board else None,
        feeds=feeds(written.feeds, folder),
        mappings=mappings(written.mappings, folder),
    )


def _operations(written: MonitorFile) -> Operations | None:
    found = written.operations
    return Operations(address=found.address, language=found.language) if found else None
