"""What a rule says about one patient at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.clinical.guideline import DoseAction


class Urgency(StrEnum):
    """How fast to look. Source of the tiers: reference thresholds (our judgement; no published tiers exist for BIPN)."""

    REVIEW = "review"
    SAME_DAY = "same-day"
    IMMEDIATE = "immediate"

    @property
    def rank(self) -> int:
        """0 review, 1 same-day, 2 immediate."""
        return _RANKS[self]

    def one_up(self) -> Urgency:
        """One tier more urgent, at most immediate."""
        return _BY_RANK[min(2, _RANKS[self] + 1)]


_BY_RANK = (Urgency.REVIEW, Urgency.SAME_DAY, Urgency.IMMEDIATE)
_RANKS = {urgency: rank for rank, urgency in enumerate(_BY_RANK)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One numbered clause of a rule, met or not, with its values."""

    id: str  # a stable name, such as "loss-of-walking"
    met: bool
    text: str  # the values, the dates and the threshold in one sentence; no name of a patient
    source: str  # the citation with its confidence mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A fact that a finding rests on. ``version`` tells a corrected fact from the one that was read."""

    kind: str  # assessment, dose, course, lab, investigation, treatment
    id: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's reason to look at one patient."""

    rule: str
    urgency: Urgency
    clinical_at: datetime  # of the newest fact that makes the rule hold
    headline: str  # what changed, in one line, with numbers and dates
    action: DoseAction | None
    criteria: tuple[Criterion, ...]
    evidence: tuple[Evidence, ...]
    missing: tuple[str, ...]  # measures that were not recorded and would have mattered
    weight: int = 0  # how bad within the urgency; a heavier finding speaks again
    occasion: str = ""  # names the event; after an acknowledgement a new occasion speaks again


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """All a rule has to say: every criterion, the finding if it holds, and when time alone may change the answer.

    Where nobody asked for an explanation a rule without a finding leaves its criteria out.
    """

    rule: str
    criteria: tuple[Criterion, ...]
    finding: Finding | None = None
    look_again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """All findings of one patient at one instant, most urgent first."""

    findings: tuple[Finding, ...]
    look_again_at: datetime | None
    answers: tuple[RuleAnswer, ...] = ()
