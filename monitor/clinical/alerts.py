"""The life of an alert: what to open, raise, update, resolve, withdraw, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from monitor.clinical.findings import Finding, Urgency

State = Literal["open", "acknowledged", "resolved", "withdrawn"]


class AlertError(ValueError):
    """An act that the state or the urgency of an alert does not allow. The text is for the person who tried."""


class Reason(StrEnum):
    """Why an alert changed. Those in SPEAKS are told to people; the others are recorded."""

    NEW = "new"  # first episode of this rule
    AGAIN = "again"  # it had ceased to hold, and holds anew
    WORSE = "worse"  # more urgent, or heavier within its urgency
    NEW_OCCASION = "new-occasion"  # acknowledged, and then another event of the same kind
    MORE_EVIDENCE = "more-evidence"  # same urgency, other values: recorded, silent
    NO_LONGER_HOLDS = "no-longer-holds"  # waits for its acknowledgement
    RESOLVED = "resolved"  # no longer holds, and acknowledged or a mere review
    CORRECTED_LOWER = "corrected-lower"  # the record was corrected; a lower urgency or another advice remains
    WITHDRAWN = "withdrawn"  # the record was corrected; it never held
    MERGED = "merged"  # the record became part of another one; what holds is told of that


CORRECTS = frozenset({Reason.CORRECTED_LOWER, Reason.WITHDRAWN, Reason.MERGED})
"""Those that take back, in whole or in part, what had been told."""

SPEAKS = frozenset({Reason.NEW, Reason.AGAIN, Reason.WORSE, Reason.NEW_OCCASION}) | CORRECTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as kept. ``finding`` is the newest that held, its urgency the highest of the episode.

    ``alert_id`` is None until the store gives one. ``holds`` is False once the rule no longer holds.
    """

    alert_id: int | None
    patient_id: str
    state: State
    finding: Finding
    opened_at: datetime
    raised_at: datetime  # when it last spoke
    holds: bool = True
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_note: str | None = None
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None

    @property
    def urgency(self) -> Urgency:
        return self.finding.urgency

    def changed(self, **fields: object) -> Alert:
        """A copy with some fields replaced."""
        return replace(self, **fields)  # type: ignore[arg-type]  # checked by the dataclass's own constructor


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of one alert: as it was (None when new), as it is now, and why."""

    before: Alert | None
    after: Alert
    reason: Reason

    @property
    def speaks(self) -> bool:
        return self.reason in SPEAKS
