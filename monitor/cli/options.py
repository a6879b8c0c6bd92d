"""Options that several commands share, and how they lead to an open site."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from monitor.service.opening import Site


class Format(StrEnum):
    """How data is printed: for people, or stable for programs."""

    TEXT = "text"
    JSON = "json"


class ManyFormat(StrEnum):
    """As Format, and one JSON object a line where there may be many."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="PATH",
        help="Configuration [$BIPN_MONITOR_CONFIG, config/monitor.yaml, /etc/bipn-monitor/monitor.yaml].",
    ),
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Another database than the configured one.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="For people or for programs.")]
ManyFormatOption = Annotated[ManyFormat, typer.Option("--format", help="For people or for programs; jsonl is one object a line.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does this; kept with the alert.")]


def config_path(context: typer.Context, config: Path | None) -> Path:
    """The configuration file: named after the command, before it, or found in its usual places. Raises UsageError."""
    from monitor.service.opening import find_config

    return find_config(config or context.find_root().params["config"], os.environ)


def database_url(context: typer.Context, database: str | None) -> str | None:
    """What ``--database`` says, after the command or before it; None where it says nothing.

    A password in it goes where the password of any database is looked for: into no log and no other text.
    """
    from monitor.config.database_url import without_password
    from monitor.config.secrets import variable

    written: str | None = database or context.find_root().params["database"]
    if written is None:
        return None
    url, password = without_password(written)
    if password is not None:
        os.environ[variable("database_password")] = password
    return url


def open_from(
    context: typer.Context, config: Path | None, database: str | None, *, create: bool = False, check_schema: bool = True
) -> Site:
    """The configured site with its database open. Raises ConfigError, UsageError, DatabaseError."""
    from monitor.cli.output import note
    from monitor.service.opening import made_note, open_site

    site = open_site(config_path(context, config), database_url(context, database), create=create, check_schema=check_schema)
    if (made := made_note(site)) is not None:
        note(made)
    return site


def open_in_force(context: typer.Context, config: Path | None, database: str | None) -> tuple[Site, str | None]:
    """As ``open_from``, for what somebody must be able to do while the file has a mistake: acknowledge, look, ask why.

    Then the site is that of the last good configuration, which the daemon watches by, and the text says so. Raises as
    ``open_from`` where none was kept.
    """
    from monitor.cli.output import note
    from monitor.errors import ConfigError
    from monitor.service import last_good
    from monitor.service.opening import Source, open_configured

    try:
        return open_from(context, config, database), None
    except ConfigError as error:
        kept = last_good.load(
            Source(config=config_path(context, config), database_url=database_url(context, database)), os.environ
        )
        if kept is None:
            raise
        site = open_configured(kept)
        said = f"the configuration has a mistake, the last good one is used: {str(error).splitlines()[0]}"
        note(said)
        return site, said
