"""``bipn-monitor snooze``: quiet until a time, with who and why."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ByOption, ConfigOption, DatabaseOption, Format, FormatOption, open_in_force


def snooze(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="As printed by alerts, such as A-12.")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="A bare date is its first minute.")],
    by: ByOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it may wait.")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Silence an alert until a time; worse news breaks it."""
    from monitor.cli.output import emit, emit_json
    from monitor.service import acts, clock
    from monitor.service.listing import list_alerts

    site, _ = open_in_force(context, config, database)
    with site:
        wakes_at = clock.parse_instant(until, site.settings.time_zone)
        changed = acts.snooze(site, alert, until=wakes_at, by=by, reason=reason, now=clock.now())
        listed = list_alerts(site, open_only=False, patient_id=changed.patient_id)
        shape = next(shape for each, shape in listed if each.alert_id == changed.alert_id)
        local = wakes_at.astimezone(site.settings.time_zone)
    if output is Format.JSON:
        emit_json(shape)
    else:
        emit(f"{shape['id']} is silent until {local:%Y-%m-%d %H:%M %Z}, by {by}; worse news breaks it")
