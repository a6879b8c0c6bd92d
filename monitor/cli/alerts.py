"""``bipn-monitor alerts``: alerts and their state."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, ManyFormat, ManyFormatOption, open_in_force


def alerts(
    context: typer.Context,
    open_only: Annotated[bool, typer.Option("--open", help="Only those still open.")] = False,
    patient: Annotated[str | None, typer.Option("--patient", metavar="ID", help="Only this patient's.")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: ManyFormatOption = ManyFormat.TEXT,
) -> None:
    """List alerts and their state."""
    from monitor.cli.output import emit, emit_json, emit_json_lines, note, table
    from monitor.service.listing import NO_SUCH_PATIENT, is_known, list_alerts, said_of

    site, _ = open_in_force(context, config, database)
    with site:
        zone = site.settings.time_zone
        listed = list_alerts(site, open_only=open_only, patient_id=patient)
        said = said_of(site, [alert for alert, _ in listed])
        unknown = not listed and patient is not None and not is_known(site, patient)
    if unknown:
        note(NO_SUCH_PATIENT)
    if output is ManyFormat.JSON:
        emit_json([shape for _, shape in listed])
    elif output is ManyFormat.JSONL:
        emit_json_lines(shape for _, shape in listed)
    elif not listed and not unknown:
        note("no open alerts" if open_only else "no alerts")
    elif listed:
        rows = [
            (
                str(shape["id"]),
                str(shape["urgency"]),
                alert.state,
                alert.patient_id,
                alert.raised_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
                f"{alert.finding.rule}: {alert.finding.headline}"
                + (f" [{said[alert.alert_id or 0]}]" if alert.alert_id in said else ""),
            )
            for alert, shape in listed
        ]
        emit("\n".join(table(("alert", "urgency", "state", "patient", f"raised ({zone.key})", ""), rows)))
