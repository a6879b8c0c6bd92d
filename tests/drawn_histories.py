"""Histories drawn by hypothesis: weekly doses with gaps, visits with whatever was recorded, corrections, late entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

from hypothesis import strategies as st

from monitor.clinical.history import Assessment, Course, Dose, Fact, History, Reflexes, Walking
from monitor.clinical.scales.mrc import TESTED_MUSCLES, mrc_sum
from tests.builders import (
    a_course,
    a_dose,
    a_history,
    a_lab,
    a_patient,
    a_treatment,
    an_assessment,
    an_investigation,
    full_power,
    noon,
)

LAST_DAY = 200
FLAGS = ("back_pain", "sphincter", "bulbar", "respiratory", "syncope", "ileus")
WALKING: tuple[Walking, ...] = get_args(Walking)
REFLEXES: tuple[Reflexes, ...] = get_args(Reflexes)

days = st.integers(min_value=-5, max_value=LAST_DAY)
grades = st.none() | st.integers(min_value=0, max_value=4)
examinations = st.none() | st.dictionaries(
    st.sampled_from(TESTED_MUSCLES), st.sampled_from(["NT", "1", "2", "3", "4-", "4", "4+"]), max_size=6
).map(lambda weak: full_power(**weak))


@st.composite
def drawn_assessments(draw: st.DrawFn) -> Assessment:
    """A visit at which some measures were recorded."""
    measures: dict[str, object] = {
        "sensory_grade": draw(grades),
        "motor_grade": draw(grades),
        "autonomic_grade": draw(st.none() | grades),
        "neuropathic_pain": draw(st.none() | st.booleans()),
        "pain_nrs": draw(st.none() | st.integers(min_value=0, max_value=10)),
        "walking": draw(st.none() | st.sampled_from(WALKING)),
        "gbs_disability": draw(st.none() | st.integers(min_value=0, max_value=5)),
        "reflexes": draw(st.none() | st.sampled_from(REFLEXES)),
        "red_flags": draw(st.just(frozenset()) | st.frozensets(st.sampled_from(FLAGS), max_size=2)),
        "systolic_standing": draw(st.none() | st.integers(min_value=80, max_value=150)),
        "systolic_lying": draw(st.none() | st.integers(min_value=100, max_value=170)),
        "grip_kpa_right": draw(st.none() | st.sampled_from([30.0, 40.0, 55.0, 70.0])),
        "ctcae_version": draw(st.sampled_from(["4.03", "4.03", "4.03", "5.0"])),
        "assessor": draw(st.sampled_from(["nurse", "nurse", "neurologist"])),
    }
    mrc = draw(examinations)
    if mrc is not None:
        measures["mrc"] = mrc
    number = draw(days)
    late = timedelta(days=draw(st.sampled_from([0, 0, 0, 1, 9])))
    return an_assessment(number, known_at=noon(number) + late, **measures)


@st.composite
def drawn_corrections(draw: st.DrawFn, assessment: Assessment) -> tuple[Assessment, ...]:
    """The assessment alone, or with a later version that voids it or says otherwise."""
    how = draw(st.sampled_from(["as it was", "as it was", "as it was", "voided", "corrected"]))
    if how == "as it was":
        return (assessment,)
    corrected_at = assessment.known_at + timedelta(days=draw(st.integers(min_value=1, max_value=30)))
    other = assessment if how == "voided" else draw(drawn_assessments())
    place = {"at": assessment.at, "on": assessment.on, "fact_id": assessment.fact_id, "known_at": corrected_at}
    later = replace(other, version=assessment.version + 1_000_000, voided=how == "voided", **place)  # type: ignore[arg-type]  # four fields of their own types
    return replace(assessment, superseded_at=corrected_at), later


@st.composite
def drawn_facts(draw: st.DrawFn) -> list[Fact]:
    """The facts of one patient on bortezomib, in no order."""
    dosed = draw(st.lists(st.sampled_from([3, 7, 7, 7, 14, 40]), min_size=1, max_size=12))
    doses, number = [a_dose(0)], 0
    for gap in dosed:
        number += gap
        doses.append(a_dose(number, draw(st.sampled_from([1.3, 1.3, 1.0, 0.7]))))
    facts: list[Fact] = [*doses, a_patient(baseline_sensory_grade=draw(grades), baseline_motor_grade=draw(grades))]
    if draw(st.booleans()):
        facts.append(a_course(stopped=draw(st.none() | st.integers(min_value=number, max_value=number + 60))))
    for assessment in draw(st.lists(drawn_assessments(), max_size=7)):
        facts += draw(drawn_corrections(assessment))
    if draw(st.booleans()):
        facts.append(a_lab(draw(days), "csf_protein", draw(st.sampled_from([40.0, 70.0, 133.0]))))
        facts.append(a_lab(draw(days), "csf_white_cells", draw(st.sampled_from([2.0, 30.0, 106.0]))))
        facts.append(an_investigation(draw(days), "nerve_conduction", "demyelinating"))
    if draw(st.booleans()):
        begun = draw(days)
        facts.append(a_treatment(begun, draw(st.sampled_from(["ivig", "plasma_exchange", "corticosteroid"])), stopped=begun + 20))
    return facts


drawn_histories = drawn_facts().map(lambda facts: a_history(*facts))
instants = st.integers(min_value=0, max_value=(LAST_DAY + 300) * 24).map(lambda hours: noon(0) + timedelta(hours=hours))


def without_bortezomib(history: History) -> History:
    """The same history on another drug."""
    doses: tuple[Dose, ...] = tuple(replace(dose, drug="carfilzomib") for dose in history.doses)
    courses: tuple[Course, ...] = tuple(replace(course, drug="carfilzomib") for course in history.courses)
    return replace(history, doses=doses, courses=courses)


Improve = Callable[[Assessment], Assessment]
IMPROVEMENTS: dict[str, Improve] = {
    "motor grade": lambda visit: replace(visit, motor_grade=max(0, (visit.motor_grade or 0) - 1)) if visit.motor_grade else visit,
    "walking": lambda visit: (
        replace(visit, walking=WALKING[max(0, WALKING.index(visit.walking) - 1)]) if visit.walking else visit
    ),
    "disability": lambda visit: replace(visit, gbs_disability=visit.gbs_disability - 1) if visit.gbs_disability else visit,
    "red flags": lambda visit: replace(visit, red_flags=frozenset()),
    "grip": lambda visit: replace(visit, grip_kpa_right=visit.grip_kpa_right + 9) if visit.grip_kpa_right else visit,
    "power": lambda visit: stronger(visit),
}


def stronger(visit: Assessment) -> Assessment:
    """The visit with its weakest muscle one whole grade stronger."""
    tested = [rank for rank in visit.mrc if rank is not None]
    if not tested:
        return visit
    weakest = visit.mrc.index(min(tested))
    mrc = tuple(min(15, rank + 3) if place == weakest and rank is not None else rank for place, rank in enumerate(visit.mrc))
    return replace(visit, mrc=mrc, mrc_sum=mrc_sum(mrc))


def all_voided(history: History, when: datetime) -> History:
    """The history in which every record but the doses and courses is taken back at ``when``."""
    facts: list[Fact] = [*history.patients, *history.courses, *history.doses, *history.treatments]
    for fact in (*history.assessments, *history.labs, *history.investigations):
        ended = fact.superseded_at is not None and fact.superseded_at <= when
        facts.append(fact if ended else replace(fact, superseded_at=when))
    return a_history(*facts)
