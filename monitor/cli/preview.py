"""``bipn-monitor preview``: how mails look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, config_path

if TYPE_CHECKING:
    from monitor.delivery.facts import Kind
    from monitor.delivery.language import Language


def preview(
    context: typer.Context,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="alert, reminder, escalation, digest, correction, operations, coverage, data-quality, link, test, or all.",
        ),
    ] = "all",
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")] = Path("preview"),
    config: ConfigOption = None,
) -> None:
    """Render mails of every kind, urgency and language into files."""
    from monitor.cli.output import emit, note
    from monitor.delivery.preview import preview_files
    from monitor.errors import UsageError

    kinds, templates = _kinds(kind), _own_templates(context, config)
    try:
        index, *files = preview_files(out, kinds, templates=templates, draw=_sample_figure)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}; name another place with --out DIR") from error
    emit(str(index))
    note(f"{len(files)} files of made-up patients in {out}; open {index.name} first")


def _sample_figure(language: Language) -> bytes | None:
    from monitor.delivery.figure.making import sheet_of
    from monitor.delivery.figure.sheet import sheet_json
    from monitor.delivery.samples_trend import sample_trend
    from monitor.service.figure_of import drawer

    return drawer().draw(sheet_json(sheet_of(sample_trend(), language)), "png")


def _kinds(word: str) -> tuple[Kind, ...]:
    from monitor.config.problems import nearest
    from monitor.delivery.facts import KINDS
    from monitor.errors import UsageError

    chosen = tuple(kind for kind in KINDS if word in (kind, "all"))
    if not chosen:
        near = nearest(word, [*KINDS, "all"])
        hint = f"; did you mean '{near}'?" if near else ""
        raise UsageError(f"there is no mail of the kind '{word}', only {', '.join(KINDS)} and all{hint}")
    return chosen


def _own_templates(context: typer.Context, config: Path | None) -> Path | None:
    """The clinic's folder; the shipped templates where there is no configuration yet."""
    from monitor.config.settings import load_settings
    from monitor.errors import UsageError

    try:
        path = config_path(context, config)
    except UsageError:
        return None
    return load_settings(path).templates
