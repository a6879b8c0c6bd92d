"""What names a fact by all that it says: the same values give the same name, whichever file brings them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

from monitor.store.versions import Value

_encode = json.JSONEncoder(separators=(",", ":")).encode


def fingerprint(columns: Sequence[str], values: Sequence[Value], recorded_at: Value) -> str:
    """Names only what was recorded, so that a column added later changes no fingerprint."""
    said = {name: value for name, value in zip(columns, values, strict=True) if value is not None}
    if recorded_at is not None:
        said["recorded_at"] = recorded_at
    return sha256(_encode(said).encode()).hexdigest()
