"""From a configuration file to everything a command needs: settings, policy and an open database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from monitor.clinical.policy import Policy
from monitor.config.database_url import resolve_database
from monitor.config.policy_files import load_policy
from monitor.config.settings import Settings, load_settings, smtp_password
from monitor.errors import DatabaseError, UsageError
from monitor.store.database import Database, open_database
from monitor.store.migrate import migrate
from monitor.store.schema import schema_problem, schema_version

CONFIG_PLACES = (Path("config/monitor.yaml"), Path("/etc/bipn-monitor/monitor.yaml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One clinic's installation, opened. Use it as a context manager; leaving it closes the database.

    ``folder`` is the configuration's. ``made``: the database was not there before.
    """

    settings: Settings
    policy: Policy
    database: Database
    folder: Path
    made: bool

    @property
    def password(self) -> str | None:
        """The relay's, read by those who send: who only looks need not be allowed to read it. Raises ConfigError."""
        return None if self.settings.mail.relay.username is None else smtp_password(os.environ, self.folder)

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


def open_site(config: Path, database_url: str | None = None, *, create: bool = False, check_schema: bool = True) -> Site:
    """Read the configuration and open its database.

    ``create`` makes and migrates an embedded database that is not there yet. Raises ConfigError for a faulty
    configuration, DatabaseError for a database that is missing, unreadable or of another version.
    """
    settings = load_settings(config)
    if database_url is not None:
        settings = replace(settings, database=resolve_database(database_url, folder=Path.cwd()))
    policy = load_policy(thresholds=settings.policy, guideline=settings.guideline, zone=settings.time_zone)
    database = open_database(settings.database, create=create)
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
        settings=settings,
        policy=policy,
        database=database,
        folder=config.parent,
        made=made,
    )
