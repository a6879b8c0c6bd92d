"""``bipn-monitor run``: the daemon."""

from __future__ import annotations

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, open_from


def run(context: typer.Context, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Run the daemon: rounds and mails until stopped."""
    from monitor.service.daemon import run_daemon

    with open_from(context, config, database, create=True) as site:
        raise typer.Exit(run_daemon(site))
