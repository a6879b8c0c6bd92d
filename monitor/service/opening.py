"""From a configuration file to everything a command needs: settings, policy and an open database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from monitor.clinical.policy import Policy
from monitor.config.database_url import is_postgresql, resolve_database
from monitor.config.policy_files import load_policy
from monitor.config.secrets import secret
from monitor.config.settings import Settings, load_settings
from monitor.errors import DatabaseError, UsageError
from monitor.store.database import Database, open_database
from monitor.store.migrate import migrate
from monitor.store.schema import schema_problem, schema_version

CONFIG_PLACES = (Path("config/monitor.yaml"), Path("/etc/bipn-monitor/monitor.yaml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One clinic's installation, opened. Use it as a context manager; leaving it closes the database.

    ``folder`` is the configuration's. ``made``: the database was not there before, or, on a server, empty.
    """

    settings: Settings
    policy: Policy
    database: Database
    folder: Path
    made: bool

    def __enter__(self) -> Site:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.database.close()


def find_config(option: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: the option, else $BIPN_MONITOR_CONFIG, else ./config, else /etc/bipn-monitor.

    Raises UsageError naming every place that was looked at.
    """
    if option is not None:
        return option
    if environ.get("BIPN_MONITOR_CONFIG"):
        return Path(environ["BIPN_MONITOR_CONFIG"])
    for place in CONFIG_PLACES:
        if place.is_file():
            return place
    raise UsageError(
        "no configuration found: looked for $BIPN_MONITOR_CONFIG, "
        + " and ".join(str(place) for place in CONFIG_PLACES)
        + "; name one with --config PATH"
    )


def made_note(site: Site) -> str | None:
    """What to say of a database that was made, None if it was there."""
    name = site.database.engine.url.database
    if not site.made:
        return None
    if site.database.shared:
        return f"the database was empty; its tables were made: {name}"
    return f"there was no database; a new one was made: {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a configuration comes from: its file, and the database that the command line names instead of its own."""

    config: Path
    database_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a configuration file says, with the policy it names. ``folder`` is the file's."""

    settings: Settings
    policy: Policy
    folder: Path


def read_configuration(config: Path, database_url: str | None = None) -> Configuration:
    """The configuration, read and checked; ``database_url`` wins over its own. Raises ConfigError with every mistake."""
    return with_policy(load_settings(config), config.parent, database_url)


def with_policy(settings: Settings, folder: Path, database_url: str | None = None) -> Configuration:
    """Settings with the policy files that they name. Raises ConfigError with every mistake in those."""
    if database_url is not None:
        settings = replace(settings, database=resolve_database(database_url, folder=Path.cwd()))
    policy = load_policy(thresholds=settings.policy, guideline=settings.guideline, zone=settings.time_zone)
    return Configuration(settings=settings, policy=policy, folder=folder)


def open_site(config: Path, database_url: str | None = None, *, create: bool = False, check_schema: bool = True) -> Site:
    """Read the configuration and open its database.

    ``create`` makes and migrates an embedded database that is not there yet, and the tables of one of a server that has
    none. Raises ConfigError for a faulty configuration, DatabaseError for a database that is missing, unreadable or of
    another version.
    """
    return open_configured(read_configuration(config, database_url), create=create, check_schema=check_schema)


def open_configured(configuration: Configuration, *, create: bool = False, check_schema: bool = True) -> Site:
    """Open the database of a configuration that was read. As ``open_site``."""
    url = configuration.settings.database
    password = secret("database_password", os.environ, configuration.folder) if is_postgresql(url) else None
    database = open_database(url, create=create, password=password)
    try:
        made = create and schema_version(database) is None
        if made:
            migrate(database)
        if check_schema:
            problem = schema_problem(database)
            if problem is not None:
                raise DatabaseError(problem)
    except BaseException:
        database.close()
        raise
    return Site(
        settings=configuration.settings,
        policy=configuration.policy,
        database=database,
        folder=configuration.folder,
        made=made,
    )
