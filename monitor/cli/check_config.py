"""``bipn-monitor check-config``: all mistakes of a configuration at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, Format, FormatOption, config_path

if TYPE_CHECKING:
    from monitor.config.problems import Problem
    from monitor.config.settings import Settings


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

    file = path or config_path(context, config)
    problems = check(file, render_templates=_broken_templates, now=clock.now())
    if output is Format.JSON:
        emit_json({"ok": not problems, "problems": [problem.as_json() for problem in problems]})
    elif problems:
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        emit("\n".join([*(str(problem) for problem in problems), count]))
    else:
        emit(f"{file}: no mistakes")
    raise typer.Exit(WRONG_USAGE if problems else DONE)


def _broken_templates(settings: Settings) -> Iterator[Problem]:
    """Every template that does not render for every kind and urgency."""
    from monitor.config.problems import Problem
    from monitor.delivery.render import check_templates
    from monitor.delivery.samples import samples

    for broken in check_templates(settings.templates, samples()):
        yield Problem(file=broken.file, line=broken.line, column=1, code="broken-template", message=broken.problem)
