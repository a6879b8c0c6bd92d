"""What a file is, by its name."""

from __future__ import annotations

import re

from monitor.importers.columns import COLUMNS

_NAME = re.compile(rf"({'|'.join(COLUMNS)})(?:[-_. ]?\d{{4}}-?\d\d-?\d\d)?", re.IGNORECASE | re.ASCII)
REJECTED = ".rejected.csv"
"""The end of the names that an import writes; never taken for a feed's file."""


def kind_of(stem: str) -> str | None:
    """The kind that a file's or sheet's name says, in any case, an ISO date suffix allowed; None for another name.

    >>> kind_of("DOSES_2026-11-23"), kind_of("labs.2026-11-23"), kind_of("doses_old")
    ('doses', 'labs', None)
    """
    match = _NAME.fullmatch(stem.strip())
    return match[1].lower() if match else None


def rank_of(kind: str) -> int:
    """The place of a kind in the order of import."""
    return list(COLUMNS).index(kind)
