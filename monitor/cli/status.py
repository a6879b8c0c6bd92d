"""``bipn-monitor status``: one screen, healthy or not."""

from __future__ import annotations

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, Format, FormatOption, open_from


def status(
    context: typer.Context, config: ConfigOption = None, database: DatabaseOption = None, output: FormatOption = Format.TEXT
) -> None:
    """Show last round, feed age, outbox, open alerts; exit 1 if bad."""
    from monitor.cli.output import emit, emit_json
    from monitor.errors import DONE, NEEDS_ATTENTION
    from monitor.service import clock
    from monitor.service.status import status as status_of

    with open_from(context, config, database) as site:
        report = status_of(site, clock.now())
    if output is Format.JSON:
        emit_json(report.as_json())
    else:
        emit("\n".join(["healthy" if report.healthy else "needs attention", *report.lines]))
        for problem in report.problems:
            emit(f"! {problem}")
    raise typer.Exit(DONE if report.healthy else NEEDS_ATTENTION)
