"""``bipn-monitor replay``: what would have been raised, as facts became known."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, ManyFormat, ManyFormatOption, open_from


def replay(
    context: typer.Context,
    policy: Annotated[str | None, typer.Option("--policy", metavar="FILE", help="Other thresholds or dose table.")] = None,
    from_time: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Only what is raised from here.")] = None,
    to_time: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to here; a bare date is its end.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", metavar="ID", help="Only this patient's.")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: ManyFormatOption = ManyFormat.TEXT,
) -> None:
    """Print what would have been raised; writes nothing."""
    from monitor.cli.output import Counted, emit, emit_json, emit_json_lines, fitted, note
    from monitor.config.policy_files import load_policy_argument
    from monitor.errors import UsageError
    from monitor.service import clock, replaying
    from monitor.service.listing import NO_SUCH_PATIENT, is_known

    with open_from(context, config, database) as site:
        zone = site.settings.time_zone
        settings = site.settings
        applied = site.policy
        if policy is not None:
            applied = load_policy_argument(policy, thresholds=settings.policy, guideline=settings.guideline, zone=zone)
        from_at = clock.parse_instant(from_time, zone) if from_time else None
        to_at = clock.parse_instant(to_time, zone, end_of_day=True) if to_time else clock.now()
        if from_at is not None and from_at > to_at:
            raise UsageError("--from is later than --to: nothing can lie between; exchange the two")
        raised = Counted(replaying.replay(site, policy=applied, from_at=from_at, to_at=to_at, patient_id=patient))
        if output is ManyFormat.JSON:
            emit_json(list(raised))
        elif output is ManyFormat.JSONL:
            emit_json_lines(raised)
        else:
            for alert in raised:
                emit(fitted(replaying.as_line(alert, zone)))
        if not raised.count:
            known = patient is None or is_known(site, patient)
            note("nothing would have been raised" if known else NO_SUCH_PATIENT)
