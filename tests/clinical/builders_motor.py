"""Histories of motor measures drawn as tables: one row an assessment, ``.`` for "not recorded"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count
from zoneinfo import ZoneInfo

from monitor.clinical.findings import Criterion, RuleAnswer
from monitor.clinical.history import (
    ALWAYS,
    BORTEZOMIB,
    Assessment,
    Course,
    Dose,
    History,
    Investigation,
    LabResult,
    Patient,
    Treatment,
)
from monitor.clinical.motor_decline import with_motor
from monitor.clinical.policy import Policy
from monitor.clinical.scales.mrc import KLEYWEG_PLACES, TESTED_MUSCLES, mrc_sum, parse_mrc
from monitor.clinical.situation import Situation, situate
from monitor.config.policy_files import load_policy

ZONE = ZoneInfo("Europe/Berlin")
NOT_RECORDED = "."
_NUMBERS = {"sensory_grade", "motor_grade", "autonomic_grade", "pain_nrs", "gbs_disability"}
_versions = count(1)


@cache
def policy() -> Policy:
    """The shipped thresholds with the US label, in Berlin."""
    return load_policy(thresholds=None, guideline="us-label", zone=ZONE)


def at(text: str) -> datetime:
    """An instant: ``2024-05-01`` is that day's noon in the clinic, ``2024-05-01T09:00`` that time of day there."""
    when = datetime.fromisoformat(text)
    if "T" not in text:
        when = datetime.combine(when.date(), time(12))
    return when.replace(tzinfo=when.tzinfo or ZONE).astimezone(UTC)


def assessments(table: str) -> tuple[Assessment, ...]:
    """Assessments of a table whose first row names the columns, ``on`` first.

    ``mrc`` is written ``all=5;tibialis_anterior_left=3``; ``all`` is the twelve muscles of the sum, ``NT`` not tested.
    """
    names, *rows = [line.split() for line in table.strip().splitlines()]
    drawn = [_assessment(dict(zip(names, row, strict=True))) for row in rows]
    return tuple(sorted(drawn, key=lambda each: (each.at, each.known_at, each.version)))


def _assessment(cells: dict[str, str]) -> Assessment:
    when = at(cells["on"])
    values: dict[str, object] = {}
    for name, text in cells.items():
        if name == "on" or text == NOT_RECORDED:
            continue
        if name == "mrc":
            ranks = exam(text)
            values |= {"mrc": ranks, "mrc_sum": mrc_sum(ranks)}
        elif name == "red_flags":
            values[name] = frozenset(text.split(";"))
        elif name == "neuropathic_pain":
            values[name] = text == "yes"
        elif name in _NUMBERS:
            values[name] = int(text)
        elif name.startswith("grip"):
            values[name] = float(text)
        else:
            values[name] = text
    version = next(_versions)
    day_only = "T" not in cells["on"]
    return Assessment(
        fact_id=f"a{version}",
        version=version,
        known_at=when,
        at=when,
        on=when.astimezone(ZONE).date(),
        day_only=day_only,
        **values,  # type: ignore[arg-type]  # the table names the fields
    )


def exam(text: str) -> tuple[int | None, ...]:
    """Ranks of an examination written as ``all=5;tibialis_anterior_left=3``."""
    ranks: list[int | None] = [None] * len(TESTED_MUSCLES)
    for part in text.split(";"):
        muscle, power = part.split("=")
        places = KLEYWEG_PLACES if muscle == "all" else (TESTED_MUSCLES.index(muscle),)
        for place in places:
            ranks[place] = parse_mrc(power)
    return tuple(ranks)


def doses(first: str, last: str, *, every_days: int = 7, mg_per_m2: float = 1.3) -> tuple[Dose, ...]:
    """Bortezomib from the first day to the last, every so many days."""
    day, end, given = date.fromisoformat(first), date.fromisoformat(last), []
    while day <= end:
        when, version = at(day.isoformat()), next(_versions)
        given.append(
            Dose(
                fact_id=f"d{version}",
                version=version,
                known_at=when,
                at=when,
                on=day,
                day_only=True,
                drug=BORTEZOMIB,
                dose_mg_per_m2=mg_per_m2,
            )
        )
        day += timedelta(days=every_days)
    return tuple(given)


def course(started: str, stopped: str | None = None) -> Course:
    """A course of bortezomib, known from its start, or from its stop."""
    version = next(_versions)
    known = at(stopped or started)
    ended = None if stopped is None else date.fromisoformat(stopped)
    return Course(
        fact_id=f"c{version}",
        version=version,
        known_at=known,
        drug=BORTEZOMIB,
        started_on=date.fromisoformat(started),
        discontinued_on=ended,
    )


def lab(on: str, analyte: str, value: float) -> LabResult:
    """A CSF result in the units of the history."""
    when, version = at(on), next(_versions)
    return LabResult(
        fact_id=f"l{version}",
        version=version,
        known_at=when,
        at=when,
        on=when.astimezone(ZONE).date(),
        analyte=analyte,  # type: ignore[arg-type]  # one of the two that the contract names
        value=value,
        as_written=f"{value:g}",
    )


def investigation(on: str, kind: str, *findings: str) -> Investigation:
    """One study with its findings."""
    when, version = at(on), next(_versions)
    return Investigation(
        fact_id=f"i{version}",
        version=version,
        known_at=when,
        at=when,
        on=when.astimezone(ZONE).date(),
        kind=kind,
        findings=frozenset(findings),
    )


def treatment(name: str, started: str, stopped: str | None = None) -> Treatment:
    """One treatment, known from its start."""
    version = next(_versions)
    return Treatment(
        fact_id=f"t{version}",
        version=version,
        known_at=at(started),
        treatment=name,
        started_on=date.fromisoformat(started),
        stopped_on=None if stopped is None else date.fromisoformat(stopped),
    )


def history(
    examined: Sequence[Assessment] = (),
    given: Sequence[Dose] = (),
    *,
    courses: Sequence[Course] = (),
    labs: Sequence[LabResult] = (),
    investigations: Sequence[Investigation] = (),
    treatments: Sequence[Treatment] = (),
    birth_on: date | None = None,
    baseline_motor_grade: int | None = None,
    baseline_sensory_grade: int | None = None,
) -> History:
    """One patient."""
    patient = Patient(
        fact_id="P-1",
        version=0,
        known_at=ALWAYS,
        patient_id="P-1",
        birth_on=birth_on,
        baseline_motor_grade=baseline_motor_grade,
        baseline_sensory_grade=baseline_sensory_grade,
    )
    return History(
        patient_id="P-1",
        patients=(patient,),
        courses=tuple(courses),
        doses=tuple(given),
        assessments=tuple(examined),
        labs=tuple(labs),
        investigations=tuple(investigations),
        treatments=tuple(treatments),
    )


def situation(of: History, now: str) -> Situation:
    """Where the patient stands at ``now``, with the motor picture drawn. The patient must be watched."""
    found = situate(of.as_known_at(at(now)), policy(), at(now))
    assert found is not None
    return with_motor(found)


def on_drug(table: str, now: str, *, first: str = "2024-01-01", **more: object) -> Situation:
    """A patient on weekly bortezomib from ``first`` to ``now`` with these assessments."""
    return situation(history(assessments(table), doses(first, now), **more), now)  # type: ignore[arg-type]  # passed on


def off_drug(table: str, now: str, *, first: str = "2024-01-01", stopped: str, **more: object) -> Situation:
    """A patient whose weekly bortezomib ended on ``stopped``."""
    of = history(assessments(table), doses(first, stopped), courses=[course(first, stopped)], **more)  # type: ignore[arg-type]  # passed on
    return situation(of, now)


def criterion(answer: RuleAnswer, identifier: str) -> Criterion:
    """The one criterion of this name."""
    (found,) = (each for each in answer.criteria if each.id == identifier)
    return found


def met(answer: RuleAnswer) -> set[str]:
    """The names of the criteria that hold."""
    return {each.id for each in answer.criteria if each.met}
