"""Autonomic neuropathy: A1 severe signs, A2 orthostatic fall, A3 a new CTCAE autonomic grade.

Read on the newest assessment since the first dose that recorded any autonomic measure.
"""

from __future__ import annotations

from datetime import timedelta

from monitor.clinical.clauses import Orthostatic
from monitor.clinical.days import in_days
from monitor.clinical.findings import Criterion, Evidence, Finding, RuleAnswer, Urgency
from monitor.clinical.history import Assessment
from monitor.clinical.scales.blood_pressure import BloodPressure
from monitor.clinical.scales.ctcae import comparable
from monitor.clinical.situation import Situation

NAME = "autonomic-neuropathy"

EVENTS = {"syncope": "syncope", "ileus": "ileus", "urinary_retention": "urinary retention"}
SYMPTOMATIC_GRADE = 2  # CTCAE: grade 2 is moderate symptoms, limiting instrumental activities of daily living
NOT_RECORDED = "not recorded"


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
        headline=f"{'; '.join(signs or [text for text in (fall, rise) if text])} ({newest.on})",
        action=None,
        criteria=criteria,
        evidence=tuple(Evidence(kind="assessment", id=each.fact_id, version=each.version, at=each.at) for each in evidence),
        missing=_missing(newest),
        weight=len(signs),
        occasion=f"{newest.on}" if newest.red_flags & EVENTS.keys() else "",
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
            or (each.red_flags and not EVENTS.keys().isdisjoint(each.red_flags))
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
    signs = [name for flag, name in EVENTS.items() if flag in newest.red_flags]
    lowest = _pressure(newest).lowest_systolic
    if lowest is not None and lowest < clause.systolic_below_mmhg:
        signs.append(f"systolic pressure {lowest} mmHg")
    grade = newest.autonomic_grade
    if grade is not None and grade >= clause.grade:
        signs.append(f"autonomic grade {grade}")
    text = (
        f"{newest.on}: {', '.join(signs) or 'no severe sign'}; lowest systolic pressure {_or_not(lowest, ' mmHg')}"
        f" (limit below {clause.systolic_below_mmhg}), autonomic grade {_or_not(grade)} (limit {clause.grade})"
    )
    said = situation.policy.guideline.severe_autonomic
    if signs and said is not None:
        text += f"; {situation.policy.guideline.name}: {said.text}"
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
    text = (
        f"{newest.on}: {pressure.written()}; fall systolic {_or_not(systolic, ' mmHg')} (limit {limit}),"
        f" diastolic {_or_not(diastolic, ' mmHg')} (limit {clause.fall_diastolic_mmhg})"
    )
    criterion = Criterion(id="orthostatic-fall", met=met, text=text, source=_source(clause.source, clause.confidence))
    return criterion, f"blood pressure falls on standing: {pressure.written()}" if met else ""


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
        text = f"{newest.on}: autonomic grade {_or_not(grade)} (limit {clause.grade})"
        return Criterion(id="new-autonomic-grade", met=False, text=text, source=source), "", None
    earlier = [each for each in situation.assessments if each.autonomic_grade is not None and each.at < newest.at]
    same_edition = [each for each in earlier if comparable(each.ctcae_version, newest.ctcae_version)]
    since = newest.on - timedelta(days=clause.within_days)
    in_window = [each for each in same_edition if each.on >= since]
    # Beyond the window the last grade still tells whether this one is new.
    best = min(in_window, key=lambda each: each.autonomic_grade or 0) if in_window else same_edition[-1] if same_edition else None
    if best is None:
        met = not earlier
        before = "no earlier grade" if met else "earlier grades are of another CTCAE version and are not compared"
        rise = f"autonomic grade {grade}, none recorded before"
    else:
        met = (best.autonomic_grade or 0) < grade
        before = f"grade {best.autonomic_grade} on {best.on}"
        rise = f"autonomic grade {best.autonomic_grade} -> {grade} in {in_days((newest.on - best.on).days)}"
    text = f"{newest.on}: autonomic grade {grade} (limit {clause.grade}); {before} (window {clause.within_days} days)"
    return Criterion(id="new-autonomic-grade", met=met, text=text, source=source), rise if met else "", best


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
    text = "no autonomic sign, grade or blood pressure recorded since the first dose"
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


def _or_not(value: int | None, unit: str = "") -> str:
    return NOT_RECORDED if value is None else f"{value}{unit}"


def _source(source: str, confidence: str) -> str:
    return f"{source} [{confidence}]"
