"""``bipn-monitor rejects``: what feeds brought and was refused, and that somebody settles it."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ByOption, ConfigOption, DatabaseOption, ManyFormat, ManyFormatOption, open_from


def rejects(
    context: typer.Context,
    feed: Annotated[str | None, typer.Option("--feed", metavar="NAME", help="Only what this feed brought.")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: ManyFormatOption = ManyFormat.TEXT,
) -> None:
    """List what feeds brought and was refused; settle it by hand."""
    if context.invoked_subcommand is not None:
        return
    from monitor.cli.output import emit, emit_json, emit_json_lines, note, table
    from monitor.service.rejecting import open_rejects, reject_json
    from monitor.service.shapes import local_text

    with open_from(context, config, database) as site:
        found = open_rejects(site, feed)
        zone = site.settings.time_zone
    if output is ManyFormat.JSON:
        emit_json([reject_json(each) for each in found.rejects])
    elif output is ManyFormat.JSONL:
        emit_json_lines(map(reject_json, found.rejects))
    else:
        rows = [
            (
                str(each.id),
                local_text(each.at, zone),
                each.feed,
                each.origin + ("" if each.line is None else f":{each.line}"),
                f"{each.column}: {each.problem}" if each.column else each.problem,
            )
            for each in found.rejects
        ]
        emit("\n".join(table(("id", "refused", "feed", "where", ""), rows)) or "nothing is open")
    if found.number > len(found.rejects):
        note(f"these are the newest {len(found.rejects)} of {found.number}")


def settle(
    context: typer.Context,
    numbers: Annotated[list[int], typer.Argument(metavar="ID...", help="As printed by rejects.")],
    by: ByOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why nothing more is to be done; kept in the journal.")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Nothing more is to be done about what was refused."""
    from monitor.cli.output import emit
    from monitor.service import clock
    from monitor.service.rejecting import settle as settle_them

    with open_from(context, config, database) as site:
        settled = settle_them(site, numbers, by=by, reason=reason, now=clock.now())
    emit(f"{len(settled)} settled")
