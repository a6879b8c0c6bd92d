"""Where the facts live, as the configuration or ``--database`` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.errors import UsageError

_SQLITE = "sqlite:///"


def resolve_database(url: str, *, folder: Path) -> str:
    """The URL with the file's path made absolute, relative ones from ``folder``. Raises UsageError, never showing the URL."""
    if re.match(r"postgres(ql)?(\+\w+)?://", url):
        raise UsageError("PostgreSQL is not supported by this version; use sqlite:///bipn-monitor.db")
    if not url.startswith(_SQLITE):
        raise UsageError("a database is written sqlite:///file.db (beside this file) or sqlite:////full/path/file.db")
    path = url.removeprefix(_SQLITE)
    if path in {"", ":memory:"}:
        raise UsageError("a database in memory forgets every alert; name a file, such as sqlite:///bipn-monitor.db")
    if "?" in path or "#" in path or "\0" in path:
        raise UsageError("the file of the database cannot hold '?' or '#', and takes no options")
    return f"{_SQLITE}{(folder / path).resolve()}"
