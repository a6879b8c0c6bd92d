"""The settings the program works with: ``monitor.yaml`` with names looked up, paths absolute and defaults filled in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.config.database_url import resolve_database
from monitor.config.monitor_file import ACKNOWLEDGE_WITHIN, MonitorFile
from monitor.config.policy_files import is_path, shipped_policy
from monitor.config.problems import InvalidConfigError, Problem
from monitor.config.settings_checks import check_settings
from monitor.config.smtp_secret import smtp_password
from monitor.config.validation import validate
from monitor.config.yaml_source import Document, read_document

__all__ = [
    "AcknowledgeWithin",
    "Mail",
    "Operations",
    "Recipient",
    "Relay",
    "Settings",
    "Team",
    "load_settings",
    "read_settings",
    "smtp_password",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The mail server. ``insecure`` is a plain connection; otherwise TLS is required and verified, ``tls`` says which."""

    host: str
    port: int
    insecure: bool
    tls: Literal["starttls", "implicit"]
    username: str | None
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How mails leave."""

    sender: str
    relay: Relay


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One mailbox. The address is ASCII ``local@domain``."""

    name: str
    address: str
    language: Literal["en", "de"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who hears about the patients of ``sites``; ``"*"`` among them is every site."""

    name: str
    sites: tuple[str, ...]
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Who hears when the program itself is in trouble."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeWithin:
    """How soon somebody has to acknowledge an alert of each urgency."""

    immediate: timedelta
    same_day: timedelta
    review: timedelta


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
    privacy: Literal["pseudonym", "none"]
    mail: Mail
    teams: tuple[Team, ...]
    operations: Operations | None


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
        mail=_mail(written),
        teams=tuple(_team(name, written) for name in written.teams),
        operations=Operations(address=written.operations.address) if written.operations else None,
    )


def _mail(written: MonitorFile) -> Mail:
    relay = written.mail.relay
    return Mail(
        sender=written.mail.sender,
        relay=Relay(
            host=relay.host,
            port=relay.port,
            insecure=relay.insecure,
            tls=relay.tls or "starttls",
            username=relay.username,
            timeout=relay.timeout,
        ),
    )


def _team(name: str, written: MonitorFile) -> Team:
    team = written.teams[name]
    recipients = (Recipient(name=each.name, address=each.address, language=each.language) for each in team.recipients)
    return Team(name=name, sites=team.sites, recipients=tuple(recipients))
