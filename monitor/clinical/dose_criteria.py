"""The sentences of dose-modification: what was seen, what the table says to it, and what the other guidelines would."""

from __future__ import annotations

from monitor.clinical.advice import Advice
from monitor.clinical.baseline import origin
from monitor.clinical.dose_table import GRADE_NOT_RECORDED, cited, dose_action, is_silent, joined, row_for
from monitor.clinical.dose_words import in_words, mg_per_m2
from monitor.clinical.findings import Criterion
from monitor.clinical.guideline import DoseAction, Guideline
from monitor.clinical.policy import DoseRules
from monitor.clinical.scales.ctcae import TABLES_CITE_EDITION, edition
from monitor.clinical.situation import Situation

KNOWN_BASELINE = DoseAction(kind="none", note="known baseline")
"""The table would speak, but neither grade exceeds the one before bortezomib."""


def table_answer(guideline: Guideline, situation: Situation, visit: Advice) -> DoseAction:
    """What a guideline's table says to the newest visit alone: absolute grades, no earlier advice."""
    present = visit.present_dose
    if visit.ungraded and not (visit.severe_autonomic and guideline.severe_autonomic is not None):
        return GRADE_NOT_RECORDED
    return dose_action(
        guideline,
        grade=visit.grade,
        pain=visit.pain,
        current_dose_mg_per_m2=None if present is None else present.dose_mg_per_m2,
        schedule=visit.schedule,
        severe_autonomic=visit.severe_autonomic,
        tolerance_mg_per_m2=situation.policy.thresholds.dose.tolerance_mg_per_m2,
    )


def seen(visit: Advice) -> str:
    """What was found and when: "sensory grade 1 with neuropathic pain on 2011-02-15 at 1.3 mg/m2"."""
    assessment, dose = visit.assessment, visit.present_dose
    what = []
    if assessment.sensory_grade is not None or assessment.motor_grade is not None:
        kind = "sensory" if visit.grade == assessment.sensory_grade else "motor"
        what.append(f"{kind} grade {visit.grade}")
    if visit.severe_autonomic:
        what.append("severe autonomic signs")
    pain = {True: " with neuropathic pain", False: " without pain", None: ""}[visit.pain]
    if not what and visit.pain:
        what, pain = ["neuropathic pain"], ""
    at = f" at {mg_per_m2(dose.dose_mg_per_m2)}" if dose is not None else ""
    return f"{' and '.join(what)}{pain} on {assessment.on}{at}"


def headline_of(visit: Advice, action: DoseAction) -> str:
    """What was found, and what follows from it, in one line."""
    return f"{seen(visit)}: {_what_follows(visit, action)}"


def _what_follows(visit: Advice, action: DoseAction) -> str:
    if action is KNOWN_BASELINE:
        return "known baseline, not above the grade before bortezomib; no dose action"
    if action.kind == "none":
        return action.note
    since = visit.standing.since
    if action.kind in ("withhold", "discontinue") and since is not None and since is not visit.assessment:
        return f"{in_words(action)} (advised on {since.on}{', not resolved' if action.kind == 'withhold' else ''})"
    if action.kind == "reduce" and since is not None and visit.persists is not None:
        return f"{in_words(action)} (advised on {since.on})"
    return in_words(action)


def criteria_of(situation: Situation, visit: Advice, action: DoseAction) -> tuple[Criterion, ...]:
    """The site's row, what is withheld, the baseline, the CTCAE version, and every other guideline's answer."""
    policy = situation.policy
    return (
        _site_row(situation, visit, action),
        _unresolved(policy.thresholds.dose, visit),
        _baseline(situation, visit, action),
        _version(visit),
        *(_other(guideline, situation, visit) for guideline in policy.others),
    )


def _site_row(situation: Situation, visit: Advice, action: DoseAction) -> Criterion:
    guideline = situation.policy.guideline
    said, source = _row_words(guideline, visit)
    schedule = visit.schedule or "schedule not known"
    present = "dose not recorded" if visit.present_dose is None else mg_per_m2(visit.present_dose.dose_mg_per_m2)
    pain = {True: "yes", False: "no", None: "not recorded"}[visit.pain]
    graded = visit.assessment.sensory_grade is not None or visit.assessment.motor_grade is not None
    grade = str(visit.grade) if graded else "not recorded"
    notes = joined(action.note, lasting(visit))
    note = f" ({notes})" if notes else ""
    text = (
        f"{visit.assessment.on}: grade {grade}, neuropathic pain {pain}, {present}, {schedule}."
        f" {said} Answer: {in_words(action)}{note}"
    )
    return Criterion(id="dose-table", met=not is_silent(action) and action is not KNOWN_BASELINE, text=text, source=source)


def lasting(visit: Advice) -> str:
    """Why the table is not read anew where the toxicity is the one that was advised on, else nothing."""
    then = visit.persists
    if then is None or visit.ungraded:
        return ""
    same = visit.grade == then.grade and visit.pain in (then.pain, None)
    followed = " now followed" if is_silent(visit.action) or visit.action.kind == "ask" else ""
    return f"{'same grade as' if same else 'no worse than'} on {then.on}, when the advice{followed} was given"


def _row_words(guideline: Guideline, visit: Advice) -> tuple[str, str]:
    """The guideline's words for this visit, both branches where pain was not recorded, and their source."""
    if visit.severe_autonomic and guideline.severe_autonomic is not None:
        stop = guideline.severe_autonomic
        return stop.text, cited(stop.source, stop.confidence)
    if visit.ungraded:
        return f"{guideline.title} is read by grade, and none was recorded.", guideline.citation
    if visit.grade == 0:
        return f"{guideline.title} has no row for grade 0.", guideline.citation
    branches = (False, True) if visit.pain is None else (visit.pain,)
    rows = [row_for(guideline, visit.grade, pain) for pain in branches]
    words = dict.fromkeys(row.text for row in rows)
    sources = dict.fromkeys(cited(row.source, row.confidence) for row in rows)
    return " / ".join(words), "; ".join(sources)


def _unresolved(rules: DoseRules, visit: Advice) -> Criterion:
    resolved, hold, standing = rules.resolved, visit.standing.hold, visit.standing
    limit = (
        f"resolved = grade {resolved.at_most_grade} or the grade before bortezomib"
        f"{', no neuropathic pain' if resolved.pain_absent else ''}, on {resolved.assessments} later assessment(s),"
        f" {resolved.assessments_then} at least {resolved.apart_days} days apart after motor grade"
        f" {resolved.assessments_if_motor_grade}"
    )
    if hold is None or standing.since is None:
        text = f"nothing withheld now; {limit}"
    else:
        last = "; pain not recorded at the last visit" if visit.pain is None else ""
        text = f"withheld since {standing.since.on}, {len(hold.resolved_on)} visit(s) without toxicity since{last}; {limit}"
    source = cited(resolved.source, resolved.confidence)
    return Criterion(id="withheld-not-resolved", met=hold is not None, text=text, source=source)


def _baseline(situation: Situation, visit: Advice, action: DoseAction) -> Criterion:
    patient, assessment, rules = situation.history.patient, visit.assessment, situation.policy.thresholds.dose
    sensory, motor = (f" ({origin(each)})" if each is not None else "" for each in situation.stand_ins)
    text = (
        f"before bortezomib sensory {_or_not(patient.baseline_sensory_grade)}{sensory},"
        f" motor {_or_not(patient.baseline_motor_grade)}{motor};"
        f" on {assessment.on} sensory {_or_not(assessment.sensory_grade)}, motor {_or_not(assessment.motor_grade)}"
    )
    return Criterion(id="known-baseline", met=action is KNOWN_BASELINE, text=text, source=cited(rules.source, rules.confidence))


def _version(visit: Advice) -> Criterion:
    """Met where the grade is not of the edition that the tables are worded after."""
    version = visit.assessment.ctcae_version
    foreign = edition(version) != TABLES_CITE_EDITION
    text = f"graded by CTCAE {version}" if version is not None else "CTCAE version not recorded"
    text += "; the tables are worded after v4.0" + (": reading them with this grade is an extrapolation" if foreign else "")
    return Criterion(id="ctcae-version", met=foreign, text=text, source="wording of the EU [V] and US [M, high] dose tables")


def _other(guideline: Guideline, situation: Situation, visit: Advice) -> Criterion:
    """What another guideline would answer to the same visit."""
    said = table_answer(guideline, situation, visit)
    _, source = _row_words(guideline, visit)
    note = f" ({said.note})" if said.note else ""
    return Criterion(
        id=f"guideline-{guideline.name}",
        met=not is_silent(said),
        text=f"{guideline.title} would say: {in_words(said)}{note}",
        source=source,
    )


def _or_not(grade: int | None) -> str:
    return "not recorded" if grade is None else f"grade {grade}"
