"""``bipn-monitor migrate``: a database to this version's schema, or everything of another database into it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, Format, FormatOption, config_path, database_url


def migrate(
    context: typer.Context,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="Move everything from this database into the configured one, which is empty."),
    ] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Bring a database to this version's schema, or move one here."""
    from monitor.cli.output import emit, emit_json, note
    from monitor.config.database_url import is_postgresql, resolve_database
    from monitor.config.secrets import secret
    from monitor.config.settings import load_settings
    from monitor.service import moving
    from monitor.store import migrate as schema
    from monitor.store.database import open_database

    named = database_url(context, database)
    path = (config or context.find_root().params["config"]) if named else config_path(context, config)
    url = resolve_database(named, folder=Path()) if named else load_settings(config_path(context, config)).database
    from_url = resolve_database(source, folder=Path()) if source is not None else ""
    folder = path.parent if path is not None else None
    on_server = is_postgresql(url) or is_postgresql(from_url)
    password = secret("database_password", os.environ, folder) if on_server else None
    if from_url:
        moved = moving.move(from_url, url, told=lambda table: note(f"copied {table.table}: {table.rows} rows"), password=password)
        if output is Format.JSON:
            emit_json(moving.as_json(moved))
        else:
            emit(moving.as_text(moved))
        return
    with closing(open_database(url, create=True, password=password)) as opened:
        before, after = schema.migrate(opened)
    if output is Format.JSON:
        emit_json({"before": before, "after": after})
    else:
        emit(f"schema {after}: nothing to do" if before == after else f"schema {before or 'none'} -> {after}")
