"""``bipn-monitor demo``: a cohort's months in seconds, real mails at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where all of it goes.")] = Path("demo-out"),
) -> None:
    """Replay a small cohort's months in seconds; mails to look at."""
