"""What lay in the database at an earlier instant: the facts that had come in by then, as they stood before later ones came.

``History.as_known_at`` asks when the hospital knew a fact; a round could only see what had been stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from monitor.clinical.history import Fact, History

KINDS = ("patients", "courses", "doses", "assessments", "labs", "investigations", "treatments")
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A patient's facts, and when those came in that came ``lately``: by kind and version. All others came before."""

    history: History
    lately: Mapping[tuple[str, int], datetime] = field(default_factory=dict)

    def instants(self) -> list[datetime]:
        """When what was stored may have changed, ascending: facts came in lately, or were ended, corrected, moved or deleted."""
        found = set(self.lately.values())
        for _, facts in self._by_kind():
            found.update(fact.superseded_at for fact in facts if fact.superseded_at is not None)
        return sorted(found)

    def at(self, instant: datetime) -> History:
        """The versions that were stored at ``instant``, in the same order."""
        if all(came_at <= instant for came_at in self.lately.values()):
            return self.history
        kept: dict[str, tuple[Fact, ...]] = {}
        for kind, facts in self._by_kind():
            missing = [fact for fact in facts if self._came_after(kind, fact, instant)]
            if missing:
                kept[kind] = tuple(_before(facts, missing))
        return replace(self.history, **kept)  # type: ignore[arg-type]  # each kind keeps its own facts

    def _came_after(self, kind: str, fact: Fact, instant: datetime) -> bool:
        came_at = self.lately.get((kind, fact.version))
        return came_at is not None and came_at > instant

    def _by_kind(self) -> list[tuple[str, tuple[Fact, ...]]]:
        return [(kind, getattr(self.history, kind)) for kind in KINDS]


def _before(facts: Sequence[Fact], missing: Sequence[Fact]) -> list[Fact]:
    """The others of ``facts``; one that only a missing version ended was still in force."""
    gone = {id(fact) for fact in missing}
    here = [fact for fact in facts if id(fact) not in gone]
    last: dict[str, Fact] = {}
    for fact in here:
        known = last.get(fact.fact_id)
        if known is None or _place(fact) > _place(known):
            last[fact.fact_id] = fact
    reopened = {id(last[other.fact_id]) for other in missing if other.fact_id in last and _ended(last[other.fact_id], other)}
    return [replace(fact, superseded_at=None) if id(fact) in reopened else fact for fact in here]


def _ended(fact: Fact, other: Fact) -> bool:
    """Whether ``other`` took the place of ``fact``. One that begins only after its end did not: the record was away meanwhile."""
    return fact.superseded_at is not None and other.known_at <= fact.superseded_at and _place(other) > _place(fact)


def _place(fact: Fact) -> tuple[datetime, datetime, int]:
    """Where a version stands among those of its record: each ends where the next one begins."""
    return fact.superseded_at or _NEVER, fact.known_at, fact.version
