"""``bipn-monitor test-mail``: one mail through the configured relay, every SMTP step reported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, Format, FormatOption, config_path


def mail_test(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who gets it.")],
    config: ConfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Send one mail through the relay, every step reported."""
