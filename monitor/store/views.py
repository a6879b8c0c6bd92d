"""Views for the people who write into the tables of facts by SQL: what is in force now, and what became of what they wrote.

current_<kind>        the current version of each record, without those that were voided
unreadable_patients   who cannot be evaluated, since when, and the table, row and column to correct
waiting_patients      whose facts changed since the last round looked at them
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.store.fact_tables import BOOKKEEPING, KINDS

_SHOWN = ("id", "source_id", "recorded_at", "stored_at")
VIEWS = (*(f"current_{kind}" for kind in KINDS), "unreadable_patients", "waiting_patients")


def current_view(kind: str, columns: Sequence[str]) -> str:
    """The statement that makes ``current_<kind>``; ``columns`` are those of the table."""
    shown = (*_SHOWN, *(name for name in columns if name not in BOOKKEEPING))
    in_force = "superseded_at IS NULL" + (" AND (voided IS NULL OR voided <> 'yes')" if "voided" in columns else "")
    return f"CREATE VIEW current_{kind} AS SELECT {', '.join(shown)} FROM {kind} WHERE {in_force}"


FEED_VIEWS = (
    "CREATE VIEW unreadable_patients AS SELECT patient_id, at AS since, problem FROM failures",
    "CREATE VIEW waiting_patients AS SELECT DISTINCT patient_id FROM changes",
)
