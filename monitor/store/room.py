"""How much room the disk of an embedded database has left."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import make_url


def free_bytes(url: str) -> int | None:
    """What may still be written beside the file of an SQLite database; None where there is no such file."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    try:
        return shutil.disk_usage(Path(parsed.database).parent).free
    except OSError:
        return None
