"""``bipn-monitor import``: files into the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, Format, FormatOption, config_path, database_url, open_from


def import_files(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of files.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Put files into the database; bad rows go to FILE.rejected.csv."""
    from monitor.cli.output import emit, emit_json, note, table
    from monitor.service import clock, ingest
    from monitor.service.dry_run import site_for_a_dry_run
    from monitor.service.readers import readers_of

    ingest.refuse_missing(paths)
    opened = (
        site_for_a_dry_run(config_path(context, config), database_url(context, database))
        if dry_run
        else open_from(context, config, database, create=True)
    )
    with opened as site:
        readers, zone = readers_of(site.settings), site.settings.time_zone
        report = ingest.import_paths(site.database, paths, zone=zone, now=clock.now(), dry_run=dry_run, readers=readers)
    if output is Format.JSON:
        emit_json(ingest.as_json(report))
    else:
        counts = ("inserted", "corrected", "unchanged", "rejected")
        rows = [(each.kind or "-", *(str(getattr(each, count)) for count in counts), each.file, "") for each in report.files]
        emit("\n".join(table(("kind", *counts, "file", ""), rows)) or "no files")
    for words in report.notes:
        note(words)
    for file, each in report.rejected:
        place = f"{'' if each.record is None else f' {each.record}'}{'' if each.line is None else f':{each.line}'}"
        note(f"{file}{place}: {f'{each.column}: ' if each.column else ''}{each.problem}")
    if dry_run:
        note("dry run: nothing was written" + ("; there is no database yet, the import would make it" if site.made else ""))
    raise typer.Exit(report.exit_code)
