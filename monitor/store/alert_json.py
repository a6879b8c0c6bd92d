"""Findings as the text in the columns of an alert, and back, exactly."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from monitor.clinical.findings import Criterion, Evidence, Finding, Urgency
from monitor.clinical.guideline import DoseAction

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # made once: an alert has four such texts


def finding_columns(finding: Finding) -> dict[str, Any]:
    """A finding as columns of the table of alerts; its parts as JSON text."""
    criteria = [{"id": item.id, "met": item.met, "text": item.text, "source": item.source} for item in finding.criteria]
    evidence = [
        {"kind": item.kind, "id": item.id, "version": item.version, "at": item.at.isoformat()} for item in finding.evidence
    ]
    return {
        "rule": finding.rule,
        "urgency": finding.urgency.value,
        "clinical_at": finding.clinical_at,
        "headline": finding.headline,
        "action": None if finding.action is None else _text(asdict(finding.action)),
        "criteria": _text(criteria),
        "evidence": _text(evidence),
        "missing": _text(list(finding.missing)),
        "weight": finding.weight,
        "occasion": finding.occasion,
    }


def finding_of(row: Any) -> Finding:
    """The finding in a row of the table of alerts."""
    return Finding(
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


def _action(found: dict[str, Any]) -> DoseAction:
    return DoseAction(**{**found, "alternatives": tuple(_action(other) for other in found["alternatives"])})


def _text(value: object) -> str:
    return _ENCODER.encode(value)
