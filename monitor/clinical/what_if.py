"""One small change to the newest facts of a record, named in words: what else could have been found at that visit.

Each change yields the record as it would be; whether it changes anything is for ``turning`` to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import Any

from monitor.clinical.dose_words import mg_per_m2
from monitor.clinical.findings import Evidence
from monitor.clinical.history import NOT_TESTED, Assessment, Fact, History, Walking
from monitor.clinical.imagined import Record, WhatIf
from monitor.clinical.scales.mrc import FULL_GRADE, mrc_sum, written
from monitor.clinical.scales.walking import AIDS
from monitor.clinical.strength import HIGHEST_RANK, muscle_name
from monitor.clinical.words import word
from monitor.said import Said, say

MEASURES = (
    "ctcae_version",
    "sensory_grade",
    "motor_grade",
    "autonomic_grade",
    "neuropathic_pain",
    "pain_nrs",
    "walking",
    "gbs_disability",
    "reflexes",
    "red_flags",
    "systolic_lying",
    "systolic_standing",
    "diastolic_lying",
    "diastolic_standing",
    "grip_kpa_right",
    "grip_kpa_left",
    "mrc",
    "mrc_sum",
)
"""What a visit finds: everything about it but who, when and which record."""

HIGHEST_GRADE = 4
HIGHEST_DISABILITY = 5
ALARMING = ("bulbar", "respiratory")
IMAGINED = "imagined"  # the fact_id of a fact that was never recorded

DISABILITY_OF: dict[Walking, int] = {"unaided": 2, "cane": 3, "walker": 3, "wheelchair": 4, "bedbound": 4}
"""The GBS disability that goes with it. Source: scales.walking."""

_GETS_ABOUT: dict[Walking, Said] = {
    "unaided": say("with walking unaided"),
    "cane": say("with a cane"),
    "walker": say("with a walker"),
    "wheelchair": say("with a wheelchair"),
    "bedbound": say("with the patient bedbound"),
}
_GRADES: tuple[tuple[str, Callable[[int], Said]], ...] = (
    ("sensory_grade", lambda grade: say("with sensory grade {grade}", grade=grade)),
    ("motor_grade", lambda grade: say("with motor grade {grade}", grade=grade)),
    ("autonomic_grade", lambda grade: say("with autonomic grade {grade}", grade=grade)),
)


def grades(record: Record) -> Iterator[WhatIf]:
    """Each grade one lower, then one higher."""
    for name, said in _GRADES:
        visit = record.visit(attrgetter(name))
        if visit is None:
            continue
        for grade in (getattr(visit, name) - 1, getattr(visit, name) + 1):
            if 0 <= grade <= HIGHEST_GRADE:
                yield record.found(said(grade), visit, **{name: grade})


def pain(record: Record) -> Iterator[WhatIf]:
    """Neuropathic pain yes and no, whichever was not recorded at the newest grading."""
    visit = record.visit(lambda each: each.sensory_grade if each.neuropathic_pain is None else each.neuropathic_pain)
    if visit is None:
        return
    if visit.neuropathic_pain is not False:
        yield record.found(say("without neuropathic pain"), visit, neuropathic_pain=False)
    if not visit.neuropathic_pain:
        yield record.found(say("with neuropathic pain"), visit, neuropathic_pain=True)


def mild(record: Record) -> Iterator[WhatIf]:
    """The newest grading as a mild one."""
    visit = record.visit(lambda each: each.sensory_grade if each.motor_grade is None else each.motor_grade)
    if visit is not None:
        sensory, motor = min(1, visit.sensory_grade or 0), min(1, visit.motor_grade or 0)
        said = say("with no grade above {grade} and without neuropathic pain", grade=max(sensory, motor))
        yield record.found(said, visit, sensory_grade=sensory, motor_grade=motor, neuropathic_pain=False)


def walking(record: Record) -> Iterator[WhatIf]:
    """One step better, one worse, and unaided, with the disability that goes with it; then the disability alone."""
    visit = record.visit(lambda each: each.walking)
    if visit is not None and visit.walking is not None:
        step = AIDS.index(visit.walking)
        for other in dict.fromkeys((step - 1, step + 1, 0)):
            if 0 <= other < len(AIDS) and other != step:
                disabled = None if visit.gbs_disability is None else DISABILITY_OF[AIDS[other]]
                yield record.found(_GETS_ABOUT[AIDS[other]], visit, walking=AIDS[other], gbs_disability=disabled)
    visit = record.visit(lambda each: each.gbs_disability)
    if visit is not None and visit.gbs_disability is not None:
        for other in (visit.gbs_disability - 1, visit.gbs_disability + 1):
            if 0 <= other <= HIGHEST_DISABILITY:
                yield record.found(say("with GBS disability {disability}", disability=other), visit, gbs_disability=other)


def power(record: Record) -> Iterator[WhatIf]:
    """The weakest muscle one grade stronger, one weaker, and all of them as they were before."""
    visit = record.visit(lambda each: None if each.mrc == NOT_TESTED else each.mrc)
    if visit is None:
        return
    weakest = min((rank, place) for place, rank in enumerate(visit.mrc) if rank is not None)
    for rank in (min(weakest[0] + FULL_GRADE, HIGHEST_RANK), weakest[0] - FULL_GRADE):
        if rank >= 0 and rank != weakest[0]:
            mrc = tuple(rank if place == weakest[1] else each for place, each in enumerate(visit.mrc))
            said = say("with {muscle} at {power}", muscle=muscle_name(weakest[1]), power=written(rank))
            yield record.found(said, visit, mrc=mrc, mrc_sum=mrc_sum(mrc))
    before = record.before(visit, lambda each: None if each.mrc == NOT_TESTED else each.mrc)
    if before is not None:
        said = say("with muscle power as on {day}", day=before.on)
        yield record.found(said, visit, mrc=before.mrc, mrc_sum=before.mrc_sum)


def signs(record: Record) -> Iterator[WhatIf]:
    """Each red flag of the newest visit away; one that alarms there."""
    visit = record.visit(lambda each: each.on)
    if visit is None:
        return
    for flag in sorted(visit.red_flags):
        yield record.found(say("without {sign}", sign=word(flag)), visit, red_flags=visit.red_flags - {flag})
    for flag in ALARMING[: 0 if visit.red_flags.intersection(ALARMING) else 1]:
        yield record.found(say("with weakness of speech or swallowing"), visit, red_flags=visit.red_flags | {flag})


def grip(record: Record) -> Iterator[WhatIf]:
    """Grip strength as it was before."""
    visit = record.visit(lambda each: each.grip_kpa_right if each.grip_kpa_right is not None else each.grip_kpa_left)
    before = None if visit is None else record.before(visit, lambda each: each.grip_kpa_right or each.grip_kpa_left)
    if visit is not None and before is not None:
        said = say("with grip strength as on {day}", day=before.on)
        yield record.found(said, visit, grip_kpa_right=before.grip_kpa_right, grip_kpa_left=before.grip_kpa_left)


def day(record: Record) -> Iterator[WhatIf]:
    """The newest visit one day earlier, and one day later."""
    visit = record.visit(lambda each: each.on)
    if visit is None:
        return
    one = timedelta(days=1)
    earlier = replace(visit, at=visit.at - one, on=visit.on - one)
    yield record.instead(say("with the assessment of {day} one day earlier", day=visit.on), visit, earlier)
    if visit.at + one <= record.now:
        later = replace(visit, at=visit.at + one, on=visit.on + one)
        yield record.instead(say("with the assessment of {day} one day later", day=visit.on), visit, later)


def assessor(record: Record) -> Iterator[WhatIf]:
    """The same examiner as the time before."""
    visit = record.visit(lambda each: each.assessor)
    before = None if visit is None else record.before(visit, lambda each: each.assessor)
    if visit is not None and before is not None and visit.assessor != before.assessor:
        said = say("with the same assessor as on {day}", day=before.on)
        yield record.found(said, visit, assessor=before.assessor)


def pressure(record: Record) -> Iterator[WhatIf]:
    """Standing blood pressure as lying; and so low that it alarms."""
    visit = record.visit(lambda each: each.systolic_standing)
    if visit is None:
        return
    limit = record.policy.thresholds.autonomic.severe.systolic_below_mmhg
    if visit.systolic_lying is not None:
        said = say("without a fall of blood pressure on standing")
        values = {"systolic_standing": visit.systolic_lying, "diastolic_standing": visit.diastolic_lying}
        yield record.found(said, visit, **values)
    low = say("with a systolic pressure of {mmhg} mmHg standing", mmhg=limit - 1)
    yield record.found(low, visit, systolic_standing=limit - 1)


def tests(record: Record) -> Iterator[WhatIf]:
    """CSF at the other side of its limits, reflexes kept or lost, the nerve conduction study away."""
    limits = record.policy.thresholds.immune.csf
    labs = [each for each in record.history.labs if each.at <= record.now]
    protein, cells = limits.raised_protein_mg_dl_under_50, limits.argue_against_cells_per_ul + 1
    for analyte, value, said in (
        ("csf_protein", protein, say("with CSF protein {value:g} mg/dL", value=protein)),
        ("csf_white_cells", cells, say("with {value:g} white cells per microlitre of CSF", value=cells)),
    ):
        newest = next((each for each in reversed(labs) if each.analyte == analyte), None)
        if newest is not None and newest.value != value:
            yield record.instead(said, newest, replace(newest, value=value))
    visit = record.visit(lambda each: each.reflexes)
    if visit is not None:
        reflexes = "absent" if visit.reflexes == "normal" else "normal"
        yield record.found(say("with reflexes: {reflexes}", reflexes=word(reflexes)), visit, reflexes=reflexes)
    for each in record.history.investigations[-1:]:
        yield record.without(say("without the investigation of {day}", day=each.on), each)


def dose(record: Record) -> Iterator[WhatIf]:
    """The newest dose at a lower level of the guideline's ladder, and not given."""
    given = next((each for each in reversed(record.history.doses) if each.at <= record.now), None)
    if given is None:
        return
    for level in record.policy.guideline.ladder_mg_per_m2:
        if level < given.dose_mg_per_m2:
            said = say("with {dose} given on {day}", dose=mg_per_m2(level), day=given.on)
            yield record.instead(said, given, replace(given, dose_mg_per_m2=level))
    yield record.without(say("without the dose of {day}", day=given.on), given)


def seen_today(record: Record) -> Iterator[WhatIf]:
    """One more visit, today, that finds the same; where there was none yet, nothing."""
    newest = record.visit(lambda each: each.sensory_grade)
    found = {name: getattr(newest, name) for name in MEASURES} if newest else {"sensory_grade": 0, "motor_grade": 0}
    today = record.now.astimezone(record.policy.zone).date()
    visit = Assessment(fact_id=IMAGINED, version=0, known_at=record.now, at=record.now, on=today, day_only=False, **found)
    said = say("with an assessment today that finds the same") if newest else say("with an assessment today")
    yield record.with_more(said, visit)


def one_step_better(record: Record) -> Iterator[WhatIf]:
    """The newest visit with everything of it one step better at once."""
    visit = record.visit(lambda each: each.on)
    if visit is None:
        return
    better: dict[str, Any] = {"neuropathic_pain": None if visit.neuropathic_pain is None else False, "red_flags": frozenset()}
    for name in ("sensory_grade", "motor_grade", "autonomic_grade", "gbs_disability"):
        value = getattr(visit, name)
        better[name] = None if value is None else max(0, value - 1)
    if visit.walking is not None:
        better["walking"] = AIDS[max(0, AIDS.index(visit.walking) - 1)]
    better["mrc"] = tuple(None if rank is None else min(rank + FULL_GRADE, HIGHEST_RANK) for rank in visit.mrc)
    better["mrc_sum"] = mrc_sum(better["mrc"])
    yield record.found(say("with everything one step better on {day}", day=visit.on), visit, **better)


def as_before(record: Record) -> Iterator[WhatIf]:
    """The newest visit finding what the one before found; another visit of its day left out."""
    visit = record.visit(lambda each: each.on)
    before = None if visit is None else record.before(visit, lambda each: each.on)
    if visit is not None and before is not None:
        said = say("with all as on {day}", day=before.on)
        yield record.found(said, visit, **{name: getattr(before, name) for name in MEASURES})


def recorded(record: Record) -> Iterator[WhatIf]:
    """Each fact that the finding rests on left out, the newest first."""
    for evidence in sorted(record.finding.evidence, key=lambda each: each.at, reverse=True):
        fact = _fact(record.history, evidence)
        if fact is not None:
            yield record.without(_left_out(evidence, record), fact)


def _fact(history: History, evidence: Evidence) -> Fact | None:
    kinds: dict[str, tuple[Fact, ...]] = {
        "assessment": history.assessments,
        "dose": history.doses,
        "course": history.courses,
        "lab": history.labs,
        "investigation": history.investigations,
        "treatment": history.treatments,
    }
    facts = kinds.get(evidence.kind, ())
    return next((each for each in facts if each.fact_id == evidence.id and each.version == evidence.version), None)


def _left_out(evidence: Evidence, record: Record) -> Said:
    on = evidence.at.astimezone(record.policy.zone).date()
    match evidence.kind:
        case "assessment":
            return say("without the assessment of {day}", day=on)
        case "dose":
            return say("without the dose of {day}", day=on)
        case "course":
            return say("without the course begun on {day}", day=on)
        case "treatment":
            return say("without the treatment begun on {day}", day=on)
        case "lab":
            return say("without the laboratory result of {day}", day=on)
        case _:
            return say("without the investigation of {day}", day=on)
