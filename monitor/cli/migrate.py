"""``bipn-monitor migrate``: a database to this version's schema."""

from __future__ import annotations

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, open_from


def migrate(context: typer.Context, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Bring the database to this version's schema."""
    from monitor.cli.output import emit
    from monitor.store import migrate as store

    with open_from(context, config, database, create=True, check_schema=False) as site:
        before = store.schema_revision(site.database)
        store.migrate(site.database)
        after = store.schema_revision(site.database)
    emit(f"schema {after}: nothing to do" if before == after else f"schema {before or 'none'} -> {after}")
