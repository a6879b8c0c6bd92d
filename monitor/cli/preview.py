"""``bipn-monitor preview``: how mails look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, config_path


def preview(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="A kind of mail, or all.")] = "all",
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")] = Path("preview"),
    config: ConfigOption = None,
) -> None:
    """Render mails of every kind and urgency into files."""
