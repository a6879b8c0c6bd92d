"""``bipn-monitor journal``: is the record whole, and one incident out of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, Format, FormatOption, open_in_force


class ExportFormat(StrEnum):
    """For people, or one JSON object a line."""

    TEXT = "text"
    JSONL = "jsonl"


def journal() -> None:
    """Verify the hash-chained journal, or export an incident."""


def verify(
    context: typer.Context,
    expect_last: Annotated[
        str | None, typer.Option("--expect-last", metavar="HASH", help="A last hash that was written down elsewhere.")
    ] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Go through the whole chain; exit 1 where it is broken."""
    from monitor.cli.output import emit, emit_json
    from monitor.errors import DONE, NEEDS_ATTENTION, UsageError
    from monitor.service import journal_export

    expected = None if expect_last is None else expect_last.strip().lower()
    if expected is not None and (len(expected) != 64 or set(expected) - set("0123456789abcdef")):
        raise UsageError("--expect-last takes the 64 digits 0-9 and a-f of a hash, as the coverage statement has them")
    site, _ = open_in_force(context, config, database)
    with site:
        verdict = journal_export.verify(site, expected)
    if output is Format.JSON:
        emit_json(journal_export.verdict_json(verdict))
    else:
        emit(journal_export.verdict_line(verdict))
    raise typer.Exit(DONE if verdict.intact else NEEDS_ATTENTION)


def export(
    context: typer.Context,
    alert: Annotated[str | None, typer.Option("--alert", metavar="A-12", help="Only about this alert.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", metavar="ID", help="Only about this patient.")] = None,
    from_time: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Only from here.")] = None,
    to_time: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to here; a bare date is its end.")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: Annotated[ExportFormat, typer.Option("--format", help="For people, or one JSON object a line.")] = ExportFormat.TEXT,
) -> None:
    """Print one incident in order, each entry with its hashes."""
    from monitor.cli.output import Counted, emit, emit_json_lines, fitted, note
    from monitor.errors import UsageError
    from monitor.service import clock, journal_export
    from monitor.store.alerts import alert_id_of

    if alert is not None and patient is not None:
        raise UsageError("--alert and --patient exclude each other: the alerts of a patient are in the patient's export")
    if alert is not None and alert_id_of(alert) is None:
        raise UsageError(f"no alert is called {alert[:40]!r}; `bipn-monitor alerts` lists them, as A-12")
    site, _ = open_in_force(context, config, database)
    with site:
        zone = site.settings.time_zone
        from_at = clock.parse_instant(from_time, zone) if from_time else None
        to_at = clock.parse_instant(to_time, zone, end_of_day=True) if to_time else None
        found = Counted(journal_export.export(site, alert_text=alert, patient_id=patient, from_at=from_at, to_at=to_at))
        if output is ExportFormat.JSONL:
            emit_json_lines(journal_export.entry_json(entry) for entry in found)
        else:
            for entry in found:
                emit(fitted(journal_export.entry_text(entry, zone)))
        note(f"{found.count} entries; the whole journal is {journal_export.verdict_line(journal_export.verify(site))}")
