"""The sentences of dose-modification: what was seen, what the table says to it, and what the other guidelines would."""

from __future__ import annotations

from monitor.clinical.advice import Advice
from monitor.clinical.baseline import origin
from monitor.clinical.dose_table import GRADE_NOT_RECORDED, cited, dose_action, is_silent, joined, row_for
from monitor.clinical.dose_words import in_words, mg_per_m2
from monitor.clinical.findings import Criterion
from monitor.clinical.guideline import DoseAction, Guideline
from monitor.clinical.policy import DoseRules, Resolved
from monitor.clinical.scales.ctcae import TABLES_CITE_EDITION, edition
from monitor.clinical.situation import Situation
from monitor.clinical.words import NO, NOT_RECORDED, SCHEDULES, YES, or_not, sentence
from monitor.said import joined as in_one_line
from monitor.said import say

KNOWN_BASELINE = DoseAction(kind="none", note=say("known baseline"))
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
    found, pain = _found(visit), visit.pain
    if not found and pain:
        found, pain = say("neuropathic pain"), None
    if pain is not None:
        found = say("{found} with neuropathic pain", found=found) if pain else say("{found} without pain", found=found)
    if dose is None:
        return say("{found} on {day}", found=found, day=assessment.on)
    return say("{found} on {day} at {dose}", found=found, day=assessment.on, dose=mg_per_m2(dose.dose_mg_per_m2))


def _found(visit: Advice) -> str:
    assessment, grade = visit.assessment, visit.grade
    graded = ""
    if not visit.ungraded:
        sensory = grade == assessment.sensory_grade
        graded = say("sensory grade {grade}", grade=grade) if sensory else say("motor grade {grade}", grade=grade)
    if not visit.severe_autonomic:
        return graded
    severe = say("severe autonomic signs")
    return say("{one} and {other}", one=graded, other=severe) if graded else severe


def headline_of(visit: Advice, action: DoseAction) -> str:
    """What was found, and what follows from it, in one line."""
    return say("{found}: {action}", found=seen(visit), action=_what_follows(visit, action))


def _what_follows(visit: Advice, action: DoseAction) -> str:
    if action is KNOWN_BASELINE:
        return say("known baseline, not above the grade before bortezomib; no dose action")
    if action.kind == "none":
        return action.note
    since, words = visit.standing.since, in_words(action)
    if action.kind in ("withhold", "discontinue") and since is not None and since is not visit.assessment:
        if action.kind == "withhold":
            return say("{action} (advised on {day}, not resolved)", action=words, day=since.on)
        return say("{action} (advised on {day})", action=words, day=since.on)
    if action.kind == "reduce" and since is not None and visit.persists is not None:
        return say("{action} (advised on {day})", action=words, day=since.on)
    return words


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
    words, source = _row_words(guideline, visit)
    dose, notes = visit.present_dose, joined(action.note, lasting(visit))
    text = say(
        "{day}: grade {grade}, neuropathic pain {pain}, {dose}, {schedule}. {row} Answer: {answer}",
        day=visit.assessment.on,
        grade=or_not(None if visit.ungraded else visit.grade),
        pain=NOT_RECORDED if visit.pain is None else YES if visit.pain else NO,
        dose=say("dose not recorded") if dose is None else mg_per_m2(dose.dose_mg_per_m2),
        schedule=SCHEDULES[visit.schedule],
        row=words,
        answer=_with_note(in_words(action), notes),
    )
    return Criterion(id="dose-table", met=not is_silent(action) and action is not KNOWN_BASELINE, text=text, source=source)


def _with_note(words: str, note: str) -> str:
    return say("{words} ({note})", words=words, note=note) if note else words


def lasting(visit: Advice) -> str:
    """Why the table is not read anew where the toxicity is the one that was advised on, else nothing."""
    then = visit.persists
    if then is None or visit.ungraded:
        return ""
    followed = is_silent(visit.action) or visit.action.kind == "ask"
    given = say("when the advice now followed was given") if followed else say("when the advice was given")
    if visit.grade == then.grade and visit.pain in (then.pain, None):
        return say("same grade as on {day}, {given}", day=then.on, given=given)
    return say("no worse than on {day}, {given}", day=then.on, given=given)


def _row_words(guideline: Guideline, visit: Advice) -> tuple[str, str]:
    """The guideline's words for this visit, both branches where pain was not recorded, and their source."""
    if visit.severe_autonomic and guideline.severe_autonomic is not None:
        stop = guideline.severe_autonomic
        return sentence(stop.text), cited(stop.source, stop.confidence)
    if visit.ungraded:
        return say("{guideline} is read by grade, and none was recorded.", guideline=guideline.title), guideline.citation
    if visit.grade == 0:
        return say("{guideline} has no row for grade 0.", guideline=guideline.title), guideline.citation
    branches = (False, True) if visit.pain is None else (visit.pain,)
    rows = [row_for(guideline, visit.grade, pain) for pain in branches]
    words = dict.fromkeys(row.text for row in rows)
    sources = dict.fromkeys(cited(row.source, row.confidence) for row in rows)
    return in_one_line(" / ", map(sentence, words)), "; ".join(sources)


def _unresolved(rules: DoseRules, visit: Advice) -> Criterion:
    hold, standing = visit.standing.hold, visit.standing
    limit = _resolved_in_words(rules.resolved)
    if hold is None or standing.since is None:
        text = say("nothing withheld now; {limit}", limit=limit)
    else:
        text = say(
            "withheld since {day}, {count} visit(s) without toxicity since{pain}; {limit}",
            day=standing.since.on,
            count=len(hold.resolved_on),
            pain=say("; pain not recorded at the last visit") if visit.pain is None else "",
            limit=limit,
        )
    source = cited(rules.resolved.source, rules.resolved.confidence)
    return Criterion(id="withheld-not-resolved", met=hold is not None, text=text, source=source)


def _resolved_in_words(resolved: Resolved) -> str:
    return say(
        "resolved = grade {grade} or the grade before bortezomib{pain}, on {assessments} later assessment(s),"
        " {then} at least {days} days apart after motor grade {motor_grade}",
        grade=resolved.at_most_grade,
        pain=say(", no neuropathic pain") if resolved.pain_absent else "",
        assessments=resolved.assessments,
        then=resolved.assessments_then,
        days=resolved.apart_days,
        motor_grade=resolved.assessments_if_motor_grade,
    )


def _baseline(situation: Situation, visit: Advice, action: DoseAction) -> Criterion:
    patient, assessment, rules = situation.history.patient, visit.assessment, situation.policy.thresholds.dose
    sensory, motor = situation.stand_ins
    text = say(
        "before bortezomib sensory {sensory_before}, motor {motor_before}; on {day} sensory {sensory}, motor {motor}",
        sensory_before=_with_note(_graded(patient.baseline_sensory_grade), origin(sensory) if sensory is not None else ""),
        motor_before=_with_note(_graded(patient.baseline_motor_grade), origin(motor) if motor is not None else ""),
        day=assessment.on,
        sensory=_graded(assessment.sensory_grade),
        motor=_graded(assessment.motor_grade),
    )
    return Criterion(id="known-baseline", met=action is KNOWN_BASELINE, text=text, source=cited(rules.source, rules.confidence))


def _version(visit: Advice) -> Criterion:
    """Met where the grade is not of the edition that the tables are worded after."""
    version = visit.assessment.ctcae_version
    foreign = edition(version) != TABLES_CITE_EDITION
    graded = say("graded by CTCAE {version}", version=version) if version is not None else say("CTCAE version not recorded")
    if foreign:
        text = say("{graded}; the tables are worded after v4.0: reading them with this grade is an extrapolation", graded=graded)
    else:
        text = say("{graded}; the tables are worded after v4.0", graded=graded)
    return Criterion(id="ctcae-version", met=foreign, text=text, source="wording of the EU [V] and US [M, high] dose tables")


def _other(guideline: Guideline, situation: Situation, visit: Advice) -> Criterion:
    """What another guideline would answer to the same visit."""
    answer = table_answer(guideline, situation, visit)
    _, source = _row_words(guideline, visit)
    words = _with_note(in_words(answer), answer.note)
    return Criterion(
        id=f"guideline-{guideline.name}",
        met=not is_silent(answer),
        text=say("{guideline} would say: {answer}", guideline=guideline.title, answer=words),
        source=source,
    )


def _graded(grade: int | None) -> str:
    return NOT_RECORDED if grade is None else say("grade {grade}", grade=grade)
