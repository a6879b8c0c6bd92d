"""``GET /policy``: the numbers in force, each with its unit, source and confidence; and the guideline's dose table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from starlette.responses import Response

from monitor.clinical.findings import Urgency
from monitor.clinical.guideline import Guideline
from monitor.delivery import compose
from monitor.delivery.wording import RULE_TITLES
from monitor.said import Said, say
from monitor.web.asked import Asked
from monitor.web.rendering import page

UNITS = (
    ("_mg_per_m2", say("mg/m2")),
    ("_kpa", say("kPa")),
    ("_mmhg", say("mmHg")),
    ("_mg_dl", say("mg/dL")),
    ("_per_ul", say("per microlitre")),
    ("days", say("days")),
    ("days_without_dose", say("days")),
    ("days_before_stop", say("days")),
    ("days_after_stop", say("days")),
    ("_day", say("day after the last dose")),
    ("_nrs", say("points of the pain scale (NRS)")),
    ("points", say("points of the MRC sum")),
    ("muscles", say("muscles")),
    ("disability", say("steps of the GBS disability scale")),
    ("cycles_at_onset", say("cycles")),
    ("assessments", say("assessments")),
    ("assessments_then", say("assessments")),
    ("deteriorations_for_chronic", say("deteriorations")),
    ("rise", say("grades")),
    ("grades", say("whole grades")),
    ("grade", say("grade")),
)
"""By how a threshold's name holds or ends; the first that fits."""

SECTIONS = {
    "drug_status": say("On or off bortezomib"),
    "dose": RULE_TITLES["dose-modification"],
    "motor": RULE_TITLES["rapid-motor-decline"],
    "after_discontinuation": RULE_TITLES["worsening-after-discontinuation"],
    "relapse": RULE_TITLES["relapse-after-treatment"],
    "immune": RULE_TITLES["immune-mediated-pattern"],
    "autonomic": RULE_TITLES["autonomic-neuropathy"],
    "overdue": RULE_TITLES["assessment-overdue"],
    "conflict": RULE_TITLES["conflicting-record"],
}
MARKS = (
    ("V", say("read in the source itself")),
    ("V2", say("read in a secondary source only")),
    ("M", say("from memory, not looked up")),
    ("C", say("our arithmetic from verified figures")),
    ("J", say("our judgement: no source")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One threshold as ``policy.yaml`` calls it; ``unit`` is empty for a word such as an urgency."""

    name: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseWords:
    """One clause. ``urgency``, ``source`` and ``confidence`` are its own, or those of what it is a part of."""

    name: str
    urgency: str | None
    numbers: tuple[Number, ...]
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The clauses of one rule."""

    name: str
    title: str
    clauses: tuple[ClauseWords, ...]


def show(asked: Asked) -> Response:
    """Nothing here is of a patient."""
    policy = asked.site.policy
    return page(
        asked,
        "policy.html",
        policy=compose.policy_facts(policy),
        sha256=policy.sha256,
        guideline=policy.guideline,
        ladder=_ladder(policy.guideline),
        others=policy.others,
        sections=tuple(
            Section(name=name, title=title, clauses=tuple(_clauses(name, getattr(policy.thresholds, name), None)))
            for name, title in SECTIONS.items()
        ),
        marks=MARKS,
    )


def _ladder(guideline: Guideline) -> str:
    return ", ".join(f"{dose:g}" for dose in guideline.ladder_mg_per_m2)


def _clauses(name: str, value: Any, above: Any) -> Iterator[ClauseWords]:
    """A clause of its own for whatever has a source; what has none takes it from ``above``."""
    own = [each for each in fields(value) if not is_dataclass(getattr(value, each.name))]
    owner = value if hasattr(value, "source") else above
    numbers = tuple(
        _number(each.name, getattr(value, each.name))
        for each in own
        if each.name not in ("urgency", "source", "confidence") and getattr(value, each.name) is not None
    )
    if hasattr(value, "source") or numbers:
        urgency = getattr(value, "urgency", None)
        yield ClauseWords(
            name=name,
            urgency=None if urgency is None else str(urgency),
            numbers=numbers,
            source=owner.source if owner is not None else "",
            confidence=owner.confidence if owner is not None else "",
        )
    for each in fields(value):
        part = getattr(value, each.name)
        if is_dataclass(part):
            yield from _clauses(f"{name}.{each.name}", part, owner)


def _number(name: str, value: object) -> Number:
    if isinstance(value, Urgency):
        return Number(name=name, value=value.value, unit="")
    if isinstance(value, bool):
        return Number(name=name, value="true" if value else "false", unit="")
    return Number(name=name, value=f"{value:g}" if isinstance(value, float) else str(value), unit=_unit(name))


def _unit(name: str) -> Said | str:
    return next((unit for part, unit in UNITS if name.endswith(part) or (part.startswith("_mg_dl") and part in name)), "")
