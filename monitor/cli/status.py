"""``bipn-monitor status``: one screen, healthy or not; with ``--nagios`` one line for a monitoring system."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, Format, FormatOption, open_in_force

NagiosOption = Annotated[bool, typer.Option("--nagios", help="One line for Nagios or Icinga: exit 0 OK, 2 CRITICAL.")]


def status(
    context: typer.Context,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: FormatOption = Format.TEXT,
    nagios: NagiosOption = False,
) -> None:
    """Show last round, feed age, outbox, open alerts; exit 1 if bad."""
    from monitor.cli.output import emit, emit_json
    from monitor.errors import DONE, NEEDS_ATTENTION
    from monitor.service import clock
    from monitor.service.status import status as status_of

    if nagios:
        _as_plugin(context, config, database)
    site, refused = open_in_force(context, config, database)
    with site:
        report = status_of(site, clock.now(), refused=refused)
    if output is Format.JSON:
        emit_json(report.as_json())
    else:
        emit("\n".join(["healthy" if report.healthy else "needs attention", *report.lines]))
        for problem in report.problems:
            emit(f"! {problem}")
    raise typer.Exit(DONE if report.healthy else NEEDS_ATTENTION)


def _as_plugin(context: typer.Context, config: ConfigOption, database: DatabaseOption) -> None:
    """The plug-in's own exit codes; a configuration or a database that cannot be used is CRITICAL too, on its line."""
    from monitor.cli.output import emit
    from monitor.errors import MonitorError
    from monitor.service import clock
    from monitor.service.status import status as status_of
    from monitor.service.status_lines import one_line

    try:
        site, refused = open_in_force(context, config, database)
        with site:
            report = status_of(site, clock.now(), refused=refused)
    except MonitorError as error:
        emit(f"CRITICAL - {one_line(str(error))}")
        raise typer.Exit(2) from None
    emit(report.plugin_line)
    raise typer.Exit(0 if report.healthy else 2)
