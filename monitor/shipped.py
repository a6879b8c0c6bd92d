"""Where the shipped ``templates/`` and ``config/`` are: in a checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """The shipped ``folder``. Raises FileNotFoundError if the wheel was built without it."""
    for home in (PACKAGE / "_shipped", PACKAGE.parent):
        if (home / folder).is_dir():
            return home / folder
    raise FileNotFoundError(f"{folder}/ is missing from this installation; reinstall from a release wheel")
