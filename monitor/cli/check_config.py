"""``bipn-monitor check-config``: all mistakes of a configuration at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, Format, FormatOption, config_path


def check_config(
    context: typer.Context,
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help="The file; else as --config.")] = None,
    config: ConfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Report all mistakes of the configuration, with remedies."""
    from monitor.cli.output import emit, emit_json
    from monitor.config.checking import check
    from monitor.errors import DONE, WRONG_USAGE
    from monitor.service import clock
    from monitor.service.broken_templates import broken_templates
    from monitor.service.mappings import broken_mappings

    file = path or config_path(context, config)
    problems = check(file, also=(broken_templates, broken_mappings), now=clock.now())
    if output is Format.JSON:
        emit_json({"ok": not problems, "problems": [problem.as_json() for problem in problems]})
    elif problems:
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        emit("\n".join([*(str(problem) for problem in problems), count]))
    else:
        emit(f"{file}: no mistakes")
    raise typer.Exit(WRONG_USAGE if problems else DONE)
