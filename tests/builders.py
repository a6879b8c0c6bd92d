"""Short ways to build the values that tests talk about. Days are counted from FIRST_ON, the day of the first dose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count
from zoneinfo import ZoneInfo

from monitor.clinical.findings import Criterion, Evidence, Finding, Urgency
from monitor.clinical.history import (
    ALWAYS,
    BORTEZOMIB,
    Assessment,
    Course,
    Dose,
    Fact,
    History,
    Investigation,
    LabResult,
    Patient,
    Treatment,
    history_of,
)
from monitor.clinical.policy import Policy
from monitor.clinical.scales.mrc import TESTED_MUSCLES, mrc_sum, parse_mrc
from monitor.config.policy_files import load_policy

ZONE = ZoneInfo("Europe/Berlin")
PATIENT_ID = "P-0001"
FIRST_ON = date(2024, 1, 8)
NOW = datetime(2024, 3, 1, 9, 0, tzinfo=UTC)

_versions = count(1)


@cache
def shipped_policy(guideline: str = "us-label") -> Policy:
    """The policy that is shipped, with one of the shipped guidelines."""
    return load_policy(thresholds=None, guideline=guideline, zone=ZONE)


def day(number: int) -> date:
    """The date of a day of treatment; day 0 is FIRST_ON."""
    return FIRST_ON + timedelta(days=number)


def noon(number: int) -> datetime:
    """Local noon of a day of treatment, in UTC: the instant of a bare date."""
    return at(number, 12)


def at(number: int, hour: int, minute: int = 0) -> datetime:
    """A local time of a day of treatment, in UTC."""
    return datetime.combine(day(number), time(hour, minute), ZONE).astimezone(UTC)


def ranks(powers: Mapping[str, str]) -> tuple[int | None, ...]:
    """Ranks of an examination from ``{"deltoid_right": "4-"}``; muscles not named were not tested."""
    unknown = powers.keys() - set(TESTED_MUSCLES)
    assert not unknown, f"no such muscle: {unknown}"
    return tuple(parse_mrc(powers[name]) if name in powers else None for name in TESTED_MUSCLES)


def full_power(**other: str) -> tuple[int | None, ...]:
    """An examination with every muscle at 5, but for those named: ``full_power(iliopsoas_left="3")``."""
    return ranks(dict.fromkeys(TESTED_MUSCLES, "5") | other)


def _fact(kind: str, instant: datetime, given: dict[str, object]) -> dict[str, object]:
    version = next(_versions)
    return {"fact_id": f"{kind}-{version:06}", "version": version, "known_at": instant} | given


def an_assessment(number: int = 0, **given: object) -> Assessment:
    """An assessment on a day of treatment, nothing recorded but what is given; ``mrc`` brings its own sum."""
    fields: dict[str, object] = {"at": noon(number), "on": day(number), "day_only": True, "ctcae_version": "4.03"} | given
    ranks_given = fields.get("mrc")
    if isinstance(ranks_given, tuple):
        fields.setdefault("mrc_sum", mrc_sum(ranks_given))
    return Assessment(**_fact("a", noon(number), fields))  # type: ignore[arg-type]  # checked by the dataclass's constructor


def a_dose(number: int = 0, dose_mg_per_m2: float = 1.3, **given: object) -> Dose:
    """A bortezomib dose on a day of treatment."""
    fields: dict[str, object] = {"at": noon(number), "on": day(number), "day_only": True, "drug": BORTEZOMIB, "route": "SC"}
    return Dose(**_fact("d", noon(number), fields | {"dose_mg_per_m2": dose_mg_per_m2} | given))  # type: ignore[arg-type]  # as above


def weekly_doses(doses: int, *, first: int = 0, dose_mg_per_m2: float = 1.3, every_days: int = 7) -> tuple[Dose, ...]:
    """So many doses, one week apart."""
    return tuple(a_dose(first + every_days * place, dose_mg_per_m2) for place in range(doses))


def a_course(number: int = 0, *, stopped: int | None = None, **given: object) -> Course:
    """A weekly bortezomib course from a day of treatment, stopped on another if given."""
    fields: dict[str, object] = {
        "drug": BORTEZOMIB,
        "started_on": day(number),
        "schedule": "weekly",
        "discontinued_on": None if stopped is None else day(stopped),
    }
    return Course(**_fact("c", noon(number), fields | given))  # type: ignore[arg-type]  # checked by the dataclass's constructor


def a_lab(number: int, analyte: str, value: float, **given: object) -> LabResult:
    """A CSF result on a day of treatment: ``csf_protein`` in mg/dL, ``csf_white_cells`` per microlitre."""
    fields: dict[str, object] = {
        "at": noon(number),
        "on": day(number),
        "analyte": analyte,
        "value": value,
        "as_written": f"{value}",
    }
    return LabResult(**_fact("l", noon(number), fields | given))  # type: ignore[arg-type]  # checked by the dataclass's constructor


def an_investigation(number: int, kind: str, *findings: str, **given: object) -> Investigation:
    """An investigation on a day of treatment with its findings."""
    fields: dict[str, object] = {"at": noon(number), "on": day(number), "kind": kind, "findings": frozenset(findings)}
    return Investigation(**_fact("i", noon(number), fields | given))  # type: ignore[arg-type]  # checked by the dataclass's constructor


def a_treatment(number: int, treatment: str, *, stopped: int | None = None, **given: object) -> Treatment:
    """A treatment from a day of treatment, stopped on another if given."""
    stopped_on = None if stopped is None else day(stopped)
    fields: dict[str, object] = {"treatment": treatment, "started_on": day(number), "stopped_on": stopped_on}
    return Treatment(**_fact("t", noon(number), fields | given))  # type: ignore[arg-type]  # checked by the dataclass's constructor


def a_patient(**given: object) -> Patient:
    """The patient's own record, known from ALWAYS."""
    fields = _fact("p", ALWAYS, {"fact_id": PATIENT_ID, "patient_id": PATIENT_ID} | given)
    return Patient(**fields)  # type: ignore[arg-type]  # checked by the dataclass's constructor


def a_history(*facts: Fact) -> History:
    """A history of these facts and versions, in whatever order; with a patient's record unless one is given."""
    given = facts if any(isinstance(fact, Patient) for fact in facts) else (a_patient(), *facts)
    return history_of(PATIENT_ID, given)


def a_finding(rule: str = "rapid-motor-decline", urgency: Urgency = Urgency.SAME_DAY, **given: object) -> Finding:
    """A finding with one criterion met and one assessment as evidence."""
    fields: dict[str, object] = {
        "clinical_at": NOW,
        "headline": "motor grade 0 -> 2 in 14 days",
        "action": None,
        "criteria": (Criterion(id="motor-grade-rise", met=True, text="motor grade 0 -> 2", source="test"),),
        "evidence": (Evidence(kind="assessment", id="a-1", version=1, at=NOW),),
        "missing": (),
    }
    return Finding(rule=rule, urgency=urgency, **(fields | given))  # type: ignore[arg-type]  # checked by the dataclass's constructor
