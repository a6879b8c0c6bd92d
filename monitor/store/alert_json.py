"""Findings as the text in the columns of an alert, and back, exactly."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any

from monitor.clinical.findings import Criterion, Evidence, Finding, Urgency
from monitor.clinical.guideline import DoseAction
from monitor.store.alert_said import again, said_of

log = logging.getLogger(__name__)

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # made once: an alert has five such texts


def finding_columns(finding: Finding) -> dict[str, Any]:
    """A finding as columns of the table of alerts; its parts as JSON text, its sentences in English and, in ``said``, as made."""
    criteria = [{"id": item.id, "met": item.met, "text": item.text, "source": item.source} for item in finding.criteria]
    evidence = [
        {"kind": item.kind, "id": item.id, "version": item.version, "at": item.at.isoformat()} for item in finding.evidence
    ]
    said = said_of(finding)
    return {
        "rule": finding.rule,
        "urgency": finding.urgency.value,
        "clinical_at": finding.clinical_at,
        "headline": str(finding.headline),
        "action": None if finding.action is None else _text(_action_json(finding.action)),
        "criteria": _text(criteria),
        "evidence": _text(evidence),
        "missing": _text(list(finding.missing)),
        "weight": finding.weight,
        "occasion": finding.occasion,
        "said": None if said is None else _text(said),
    }


def finding_of(row: Any) -> Finding:
    """The finding in a row of the table of alerts, its sentences as they were made. Before schema 0003 they are plain English."""
    finding = Finding(
        rule=row.rule,
        urgency=Urgency(row.urgency),
        clinical_at=row.clinical_at,
        headline=row.headline,
        action=None if row.action is None else _action(json.loads(row.action)),
        criteria=tuple(Criterion(**criterion) for criterion in json.loads(row.criteria)),
        evidence=tuple(Evidence(**{**item, "at": datetime.fromisoformat(item["at"])}) for item in json.loads(row.evidence)),
        missing=tuple(json.loads(row.missing)),
        weight=row.weight,
        occasion=row.occasion,
    )
    return finding if row.said is None else _said_again(finding, row.said)


def _said_again(finding: Finding, kept: str) -> Finding:
    """The finding as it was said; in plain English where what was kept is not whole: the columns are the truth."""
    try:
        return again(finding, json.loads(kept))
    except Exception as error:  # whatever is in it, the alert can be read
        log.error("the sentences of an alert cannot be read, it is told in English", extra={"error": type(error).__name__})
        return finding


def _action_json(action: DoseAction) -> dict[str, Any]:
    return {
        "kind": action.kind,
        "dose_mg_per_m2": action.dose_mg_per_m2,
        "schedule": action.schedule,
        "restart_dose_mg_per_m2": action.restart_dose_mg_per_m2,
        "restart_schedule": action.restart_schedule,
        "alternatives": [_action_json(other) for other in action.alternatives],
        "note": action.note,
        "source": action.source,
    }


def _action(found: dict[str, Any]) -> DoseAction:
    return DoseAction(**{**found, "alternatives": tuple(_action(other) for other in found["alternatives"])})


def _text(value: object) -> str:
    return _ENCODER.encode(value)
