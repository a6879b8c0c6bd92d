"""``bipn-monitor migrate``: a database to this version's schema."""

from __future__ import annotations

from contextlib import closing

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, config_path, database_url


def migrate(context: typer.Context, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Bring the database to this version's schema."""
    from monitor.cli.output import emit
    from monitor.config.settings import load_settings
    from monitor.store import migrate as schema
    from monitor.store.database import open_database

    url = database_url(context, database) or load_settings(config_path(context, config)).database
    with closing(open_database(url, create=True)) as opened:
        before, after = schema.migrate(opened)
    emit(f"schema {after}: nothing to do" if before == after else f"schema {before or 'none'} -> {after}")
