"""``bipn-monitor ack``: a human says "seen"."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ByOption, ConfigOption, DatabaseOption, Format, FormatOption, open_in_force


def ack(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="As printed by alerts, such as A-12.")],
    by: ByOption,
    remark: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="In your own words.")] = None,
    what: Annotated[
        str,
        typer.Option(
            metavar="ANSWER",
            help="seen; dose-reviewed:held, :reduced or :unchanged; re-test-booked:DAY; "
            "disagree:noise, :known-cause, :wrong-data, :rule-too-sensitive or :other.",
        ),
    ] = "seen",
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Acknowledge an alert."""
    from monitor.cli.output import emit, emit_json
    from monitor.service import clock
    from monitor.service.ack_kinds import read_ack_kind
    from monitor.service.acts import acknowledge
    from monitor.service.listing import list_alerts

    answer = read_ack_kind(what)
    site, _ = open_in_force(context, config, database)
    with site:
        changed = acknowledge(site, alert, by=by, note=remark, now=clock.now(), what=answer)
        listed = list_alerts(site, open_only=False, patient_id=changed.patient_id)
        shape = next(shape for each, shape in listed if each.alert_id == changed.alert_id)
    if output is Format.JSON:
        emit_json(shape)
    else:
        over = "; what it told of is over, so it is closed" if changed.state == "resolved" else ""
        emit(f"{shape['id']} is acknowledged by {changed.acknowledged_by}{over}")
