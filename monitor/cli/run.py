"""``bipn-monitor run``: the daemon."""

from __future__ import annotations

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, config_path, database_url


def run(context: typer.Context, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Run the daemon: rounds, mails and the board, until stopped."""
    from monitor.cli.output import note
    from monitor.service.daemon import run_daemon
    from monitor.service.logs import start_logging
    from monitor.service.opening import Source, made_note
    from monitor.service.starting import start
    from monitor.web.beside import board_if_possible

    start_logging()
    source = Source(config=config_path(context, config), database_url=database_url(context, database))
    started = start(source)
    with started.site as site:
        if (made := made_note(site)) is not None:
            note(made)
        raise typer.Exit(run_daemon(started, also=board_if_possible))
