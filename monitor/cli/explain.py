"""``bipn-monitor explain``: why, and why not."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, Format, FormatOption, open_in_force


def explain(
    context: typer.Context,
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id.")],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="As known then; a bare date is its end.")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Explain each rule on a patient: values, threshold, source."""
    from monitor.cli.output import emit, emit_json, fitted
    from monitor.service import clock, explain

    site, _ = open_in_force(context, config, database)
    with site:
        asked_at = clock.parse_instant(at, site.settings.time_zone, end_of_day=True) if at else None
        explanation = explain.explain(site, patient, asked_at, clock.now())
    if output is Format.JSON:
        emit_json(explanation.as_json())
    else:
        emit(fitted(explanation.as_text()))
