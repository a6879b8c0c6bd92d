"""Autonomic neuropathy: A1 severe signs, A2 orthostatic fall, A3 a new CTCAE autonomic grade.

Read on the newest assessment since the first dose that recorded any autonomic measure.
"""

from __future__ import annotations

from datetime import timedelta

from monitor.clinical.clauses import Orthostatic
from monitor.clinical.findings import Criterion, Evidence, Finding, RuleAnswer, Urgency
from monitor.clinical.history import Assessment
from monitor.clinical.scales.blood_pressure import BloodPressure
from monitor.clinical.scales.ctcae import comparable
from monitor.clinical.situation import Situation
from monitor.clinical.words import NOT_RECORDED, or_not, sentence, word
from monitor.said import Said, joined, say, say_n

NAME = "autonomic-neuropathy"

EVENTS = ("syncope", "ileus", "urinary_retention")
NO_EARLIER_GRADE = say("no earlier grade")
OTHER_VERSION = say("earlier grades are of another CTCAE version and are not compared")
SYMPTOMATIC_GRADE = 2  # CTCAE: grade 2 is moderate symptoms, limiting instrumental activities of daily living


def answer(situation: Situation) -> RuleAnswer:
    """The three criteria and the most urgent finding; none met where nothing autonomic was recorded."""
    newest = _newest(situation)
    if newest is None:
        return RuleAnswer(rule=NAME, criteria=_nothing_recorded(situation) if situation.explain else ())
    severe, signs = _severe(situation, newest)
    orthostatic, fall = _orthostatic(situation, newest)
    new_grade, rise, compared = _new_grade(situation, newest)
    criteria = (severe, orthostatic, new_grade)
    if not any(criterion.met for criterion in criteria):
        return RuleAnswer(rule=NAME, criteria=criteria)
    evidence = (newest, compared) if new_grade.met and compared is not None else (newest,)
    finding = Finding(
        rule=NAME,
        urgency=_urgency(situation, newest, criteria),
        clinical_at=newest.at,
        headline=say("{signs} ({day})", signs=joined("; ", signs or [text for text in (fall, rise) if text]), day=newest.on),
        action=None,
        criteria=criteria,
        evidence=tuple(Evidence(kind="assessment", id=each.fact_id, version=each.version, at=each.at) for each in evidence),
        missing=_missing(newest),
        weight=len(signs),
        occasion=f"{newest.on}" if not newest.red_flags.isdisjoint(EVENTS) else "",
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding)


def _newest(situation: Situation) -> Assessment | None:
    """Mostly none records any of this, so the whole course is gone through: no call for each visit."""
    for each in reversed(situation.assessments):
        if (
            each.autonomic_grade is not None
            or each.systolic_lying is not None
            or each.systolic_standing is not None
            or each.diastolic_lying is not None
            or each.diastolic_standing is not None
            or (each.red_flags and not each.red_flags.isdisjoint(EVENTS))
        ):
            return each if each.on >= situation.first_on else None
    return None


def _pressure(assessment: Assessment) -> BloodPressure:
    return BloodPressure(
        systolic_lying=assessment.systolic_lying,
        systolic_standing=assessment.systolic_standing,
        diastolic_lying=assessment.diastolic_lying,
        diastolic_standing=assessment.diastolic_standing,
    )


def _urgency(situation: Situation, newest: Assessment, criteria: tuple[Criterion, Criterion, Criterion]) -> Urgency:
    policy = situation.policy.thresholds.autonomic
    symptomatic = "syncope" in newest.red_flags or (newest.autonomic_grade or 0) >= SYMPTOMATIC_GRADE
    orthostatic = policy.orthostatic.urgency if symptomatic else policy.orthostatic.urgency_without_symptoms
    urgencies = (policy.severe.urgency, orthostatic, policy.new_grade.urgency)
    met = [urgency for urgency, criterion in zip(urgencies, criteria, strict=True) if criterion.met]
    return max(met, key=lambda urgency: urgency.rank)


def _severe(situation: Situation, newest: Assessment) -> tuple[Criterion, list[str]]:
    """A1, and the signs that meet it."""
    clause = situation.policy.thresholds.autonomic.severe
    signs: list[str] = [word(flag) for flag in EVENTS if flag in newest.red_flags]
    lowest = _pressure(newest).lowest_systolic
    if lowest is not None and lowest < clause.systolic_below_mmhg:
        signs.append(say("systolic pressure {mmhg} mmHg", mmhg=lowest))
    grade = newest.autonomic_grade
    if grade is not None and grade >= clause.grade:
        signs.append(say("autonomic grade {grade}", grade=grade))
    text = say(
        "{day}: {signs}; lowest systolic pressure {lowest} (limit below {below}), autonomic grade {grade} (limit {limit})",
        day=newest.on,
        signs=joined(", ", signs) if signs else say("no severe sign"),
        lowest=_mmhg(lowest),
        below=clause.systolic_below_mmhg,
        grade=or_not(grade),
        limit=clause.grade,
    )
    guideline = situation.policy.guideline
    if signs and guideline.severe_autonomic is not None:
        row = sentence(guideline.severe_autonomic.text)
        text = say("{text}; {guideline}: {row}", text=text, guideline=guideline.name, row=row)
    criterion = Criterion(
        id="severe-autonomic-signs", met=bool(signs), text=text, source=_source(clause.source, clause.confidence)
    )
    return criterion, signs


def _orthostatic(situation: Situation, newest: Assessment) -> tuple[Criterion, str]:
    """A2, and the headline's words where it is met."""
    clause = situation.policy.thresholds.autonomic.orthostatic
    pressure = _pressure(newest)
    limit = _systolic_limit(clause, pressure)
    systolic, diastolic = pressure.systolic_fall, pressure.diastolic_fall
    met = (systolic is not None and systolic >= limit) or (diastolic is not None and diastolic >= clause.fall_diastolic_mmhg)
    text = say(
        "{day}: {pressure}; fall systolic {systolic} (limit {systolic_limit}), diastolic {diastolic} (limit {diastolic_limit})",
        day=newest.on,
        pressure=pressure.written(),
        systolic=_mmhg(systolic),
        systolic_limit=limit,
        diastolic=_mmhg(diastolic),
        diastolic_limit=clause.fall_diastolic_mmhg,
    )
    criterion = Criterion(id="orthostatic-fall", met=met, text=text, source=_source(clause.source, clause.confidence))
    return criterion, say("blood pressure falls on standing: {pressure}", pressure=pressure.written()) if met else ""


def _systolic_limit(clause: Orthostatic, pressure: BloodPressure) -> int:
    lying = pressure.systolic_lying
    if lying is not None and lying >= clause.supine_hypertension_mmhg:
        return clause.fall_systolic_if_supine_hypertension_mmhg
    return clause.fall_systolic_mmhg


def _new_grade(situation: Situation, newest: Assessment) -> tuple[Criterion, str, Assessment | None]:
    """A3, the headline's words where it is met, and the assessment compared with."""
    clause = situation.policy.thresholds.autonomic.new_grade
    source = _source(clause.source, clause.confidence)
    grade = newest.autonomic_grade
    if grade is None or grade < clause.grade:
        text = say("{day}: autonomic grade {grade} (limit {limit})", day=newest.on, grade=or_not(grade), limit=clause.grade)
        return Criterion(id="new-autonomic-grade", met=False, text=text, source=source), "", None
    earlier = [each for each in situation.assessments if each.autonomic_grade is not None and each.at < newest.at]
    same_edition = [each for each in earlier if comparable(each.ctcae_version, newest.ctcae_version)]
    since = newest.on - timedelta(days=clause.within_days)
    in_window = [each for each in same_edition if each.on >= since]
    # Beyond the window the last grade still tells whether this one is new.
    best = min(in_window, key=lambda each: each.autonomic_grade or 0) if in_window else same_edition[-1] if same_edition else None
    if best is None:
        met = not earlier
        before = NO_EARLIER_GRADE if met else OTHER_VERSION
        rise = say("autonomic grade {grade}, none recorded before", grade=grade)
    else:
        met = (best.autonomic_grade or 0) < grade
        before = say("grade {grade} on {day}", grade=best.autonomic_grade or 0, day=best.on)
        rise = _risen(best.autonomic_grade or 0, grade, (newest.on - best.on).days)
    text = say(
        "{day}: autonomic grade {grade} (limit {limit}); {before} (window {days} days)",
        day=newest.on,
        grade=grade,
        limit=clause.grade,
        before=before,
        days=clause.within_days,
    )
    return Criterion(id="new-autonomic-grade", met=met, text=text, source=source), rise if met else "", best


def _risen(before: int, after: int, days: int) -> Said:
    return say_n(
        "autonomic grade {before} -> {after} in {count} day",
        "autonomic grade {before} -> {after} in {count} days",
        count=days,
        before=before,
        after=after,
    )


def _missing(newest: Assessment) -> tuple[str, ...]:
    values = {
        "autonomic_grade": newest.autonomic_grade,
        "systolic_lying": newest.systolic_lying,
        "systolic_standing": newest.systolic_standing,
        "diastolic_lying": newest.diastolic_lying,
        "diastolic_standing": newest.diastolic_standing,
    }
    return tuple(name for name, value in values.items() if value is None)


def _nothing_recorded(situation: Situation) -> tuple[Criterion, ...]:
    policy = situation.policy.thresholds.autonomic
    text = say("no autonomic sign, grade or blood pressure recorded since the first dose")
    return (
        Criterion(
            id="severe-autonomic-signs", met=False, text=text, source=_source(policy.severe.source, policy.severe.confidence)
        ),
        Criterion(
            id="orthostatic-fall", met=False, text=text, source=_source(policy.orthostatic.source, policy.orthostatic.confidence)
        ),
        Criterion(
            id="new-autonomic-grade", met=False, text=text, source=_source(policy.new_grade.source, policy.new_grade.confidence)
        ),
    )


def _mmhg(value: int | None) -> Said:
    return NOT_RECORDED if value is None else say("{value} mmHg", value=value)


def _source(source: str, confidence: str) -> str:
    return f"{source} [{confidence}]"
