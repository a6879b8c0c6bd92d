"""The JSON that outsiders rely on: keys always present, null where unknown. Instants in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Finding
from monitor.clinical.guideline import DoseAction
from monitor.clinical.policy import Policy

if TYPE_CHECKING:  # these two modules print with the help of this one
    from monitor.service.post import PostSummary
    from monitor.service.round import RoundSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyMark:
    """Which policy spoke: guideline, version of the thresholds, hash of both files."""

    guideline: str
    version: str
    sha256: str

    @classmethod
    def of(cls, policy: Policy) -> PolicyMark:
        return cls(guideline=policy.guideline.name, version=policy.thresholds.version, sha256=policy.sha256)


def instant_text(instant: datetime) -> str:
    """ISO 8601 in UTC, such as ``2011-03-15T09:00:00+00:00``."""
    return instant.astimezone(UTC).isoformat()


def local_text(instant: datetime, zone: ZoneInfo) -> str:
    """For people, in the clinic's time, such as ``2011-03-15 10:00 CET``."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def alert_json(alert: Alert, mark: PolicyMark, *, shown_id: str | None = None) -> dict[str, Any]:
    """One alert as ``alerts`` and ``replay`` print it."""
    finding = alert.finding
    return {
        "id": shown_id or f"A-{alert.alert_id}",
        "patient_id": alert.patient_id,
        "rule": finding.rule,
        "urgency": finding.urgency.value,
        "state": alert.state,
        "raised_at": instant_text(alert.raised_at),
        **finding_json(finding),
        "policy": {"guideline": mark.guideline, "version": mark.version, "sha256": mark.sha256},
    }


def poll_json(done: RoundSummary, sent: PostSummary, *, queued: int) -> dict[str, Any]:
    """What ``poll`` prints. ``queued`` are all messages that this poll decided, reminders and digests among them."""
    return {
        "patients_evaluated": done.patients_evaluated,
        "alerts": {
            "opened": done.opened,
            "raised": done.raised,
            "resolved": done.resolved,
            "withdrawn": done.withdrawn,
        },
        "messages": {"queued": queued, "accepted": sent.accepted, "failed": sent.failed},
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """The clinical part of an alert."""
    return {
        "clinical_at": instant_text(finding.clinical_at),
        "headline": finding.headline,
        "action": None if finding.action is None else action_json(finding.action),
        "criteria": [{"id": c.id, "met": c.met, "text": c.text, "source": c.source} for c in finding.criteria],
        "evidence": [{"kind": e.kind, "id": e.id, "at": instant_text(e.at)} for e in finding.evidence],
        "missing": list(finding.missing),
    }


def action_json(action: DoseAction) -> dict[str, Any]:
    """A dose action; ``alternatives`` holds actions of the same shape."""
    return {
        "kind": action.kind,
        "dose_mg_per_m2": action.dose_mg_per_m2,
        "schedule": action.schedule,
        "restart_dose_mg_per_m2": action.restart_dose_mg_per_m2,
        "restart_schedule": action.restart_schedule,
        "alternatives": [action_json(each) for each in action.alternatives],
    }
