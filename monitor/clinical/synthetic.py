"""The patient who does not exist: crosses a threshold daily, so that the whole way from a fact to a mail is seen to work."""

from __future__ import annotations

PREFIX = "SYNTHETIC-"
"""Ids that begin so are this program's own. No feed may bring one; nurses hear nothing of them, and no figure counts them."""


def is_synthetic(patient_id: str) -> bool:
    """Whether the id is one of the program's own.

    >>> is_synthetic("SYNTHETIC-2026-11-23"), is_synthetic("P-0042")
    (True, False)
    """
    return patient_id.startswith(PREFIX)
