"""A patient's record as it would be with one fact otherwise: another finding at a visit, a fact less, a fact more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from monitor.clinical.findings import Finding
from monitor.clinical.history import Assessment, Fact, History, history_of
from monitor.clinical.order import visit_order
from monitor.clinical.policy import Policy
from monitor.said import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A change, such as "with walking unaided", and the record with it."""

    said: Said
    history: History = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of a patient at ``now``, and the finding that the changes are about."""

    history: History
    policy: Policy
    now: datetime
    finding: Finding

    def visit(self, read: Callable[[Assessment], Any]) -> Assessment | None:
        """The newest visit up to now that recorded what is read."""
        for each in reversed(self.history.assessments):
            if each.at <= self.now and read(each) is not None:
                return each
        return None

    def before(self, visit: Assessment, read: Callable[[Assessment], Any]) -> Assessment | None:
        """The visit before that recorded what is read."""
        earlier = (each for each in reversed(self.history.assessments) if each.at < visit.at)
        return next((each for each in earlier if read(each) is not None), None)

    def found(self, said: Said, visit: Assessment, **values: Any) -> WhatIf:
        """The record in which the visit found something else."""
        changed = replace(visit, **values)
        visits = sorted((changed if each is visit else each for each in self.history.assessments), key=visit_order)
        return WhatIf(said=said, history=replace(self.history, assessments=tuple(visits)))

    def without(self, said: Said, fact: Fact) -> WhatIf:
        """The record without a fact."""
        return self._of(said, [each for each in self._facts() if each is not fact])

    def instead(self, said: Said, fact: Fact, other: Fact) -> WhatIf:
        """The record with another fact in place of one; its day may be another."""
        return self._of(said, [other if each is fact else each for each in self._facts()])

    def with_more(self, said: Said, fact: Fact) -> WhatIf:
        """The record with one more fact."""
        return self._of(said, [*self._facts(), fact])

    def _facts(self) -> list[Fact]:
        known = self.history
        return [
            *known.patients,
            *known.courses,
            *known.doses,
            *known.assessments,
            *known.labs,
            *known.investigations,
            *known.treatments,
        ]

    def _of(self, said: Said, facts: list[Fact]) -> WhatIf:
        return WhatIf(said=said, history=history_of(self.history.patient_id, facts))
