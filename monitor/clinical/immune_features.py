"""Features of an immune-mediated neuropathy, each as a criterion with its values: I1 of docs/clinical.md."""

from __future__ import annotations

from datetime import date, timedelta
from operator import attrgetter

from monitor.clinical.after_stop import after_last_dose, on_last_dose
from monitor.clinical.comparison import evidence_of
from monitor.clinical.days import in_days
from monitor.clinical.findings import Evidence
from monitor.clinical.history import Assessment
from monitor.clinical.immune_csf import Feature, feature, investigations, newest_lab
from monitor.clinical.motor_picture import MotorPicture, named
from monitor.clinical.scales.mrc import FULL_GRADE, PROXIMAL_MUSCLES, muscle_of, written
from monitor.clinical.situation import Situation
from monitor.clinical.strength import Exam, muscle_name
from monitor.clinical.words import or_not, word
from monitor.said import Said, joined, say

LATEST_WITHIN_DAYS = 28
"""How long before the newest assessment a grade still stands for the present. Our judgement (J): M1's window."""

DEFAULT_CYCLE_DAYS = 21
"""Cycle of the labels' schedules (V), where the course names none."""

DEMYELINATING = frozenset({"demyelinating", "conduction_slowing", "conduction_block", "prolonged_f_waves"})
CRANIAL = frozenset({"bulbar", "facial"})


def motor_predominance(situation: Situation, motor: MotorPicture) -> Feature:
    """A: the motor grade is at least the sensory one, or motor function declined."""
    clause = situation.policy.thresholds.immune
    declined = [each for each in motor.criteria if each.met and not each.retest and each.code not in {"M10", "M11", ""}]
    grade = _latest(situation, "motor_grade", motor.newest)
    sensory = _latest(situation, "sensory_grade", motor.newest)
    baseline = situation.history.patient.baseline_motor_grade or 0
    motor_value = None if grade is None else grade.motor_grade
    sensory_value = None if sensory is None else sensory.sensory_grade

    def text() -> str:
        grades = say("motor grade {motor}, sensory grade {sensory}", motor=or_not(motor_value), sensory=or_not(sensory_value))
        if declined:
            grades = say("{grades}, decline: {criteria}", grades=grades, criteria=named(declined))
        return say(
            "{grades}; motor grade {grade} or worse, above baseline and at least the sensory grade, or motor decline, counts",
            grades=grades,
            grade=clause.motor_grade,
        )

    if declined:
        evidence = tuple(dict.fromkeys(item for each in declined for item in each.evidence))
        return feature("motor", clause, text, met=True, said=say("motor decline"), evidence=evidence, newest=declined[0].seen)
    held = motor_value is not None and motor_value >= clause.motor_grade and motor_value > baseline
    held = held and (sensory_value is None or (motor_value or 0) >= sensory_value)
    return feature(
        "motor",
        clause,
        text,
        met=held,
        said=say("motor grade {grade}", grade=motor_value or 0) if held else "",
        evidence=evidence_of(grade, sensory) if held else (),
        newest=grade,
    )


def supporting(situation: Situation, motor: MotorPicture) -> tuple[Feature, ...]:
    """The features of which one is needed beside A or B alone."""
    return (
        _worse_after_stop(situation, motor),
        _low_dose(situation),
        _areflexia(situation),
        _proximal(situation, motor.exam),
        _nerve_conduction(situation),
        _cranial(situation, motor.newest),
    )


def not_recorded(situation: Situation) -> tuple[str, ...]:
    """Measures that would have mattered and were not recorded since the first dose."""
    absent = []
    if newest_lab(situation, "csf_protein", None) is None:
        absent.append("csf_protein")
    if not investigations(situation, "nerve_conduction"):
        absent.append("nerve_conduction")
    if _newest_reflexes(situation) is None:
        absent.append("reflexes")
    return tuple(absent)


def _worse_after_stop(situation: Situation, motor: MotorPicture) -> Feature:
    clause = situation.policy.thresholds.immune
    stop = situation.stopped_on

    def with_rule(text: str) -> Said:
        days = clause.worse_days_after_stop
        return say("{text}; motor decline {days} day or more after the last dose counts", text=text, days=days)

    held = [
        each
        for each in motor.after_stop
        if stop is not None
        and each.seen is not None
        and not each.retest
        and each.code not in {"M10", "M11", ""}
        and (each.seen.on - stop).days >= clause.worse_days_after_stop
    ]
    if stop is None:
        return feature("worse-after-stop", clause, lambda: with_rule(say("on bortezomib")), met=False)
    if not held or held[0].seen is None:
        none = say("none since the last dose on {day}", day=stop)
        return feature("worse-after-stop", clause, lambda: with_rule(none), met=False)
    days = in_days((held[0].seen.on - stop).days)
    declined = after_last_dose(named(held), held[0].seen.on, stop)
    evidence = tuple(dict.fromkeys(item for each in held for item in each.evidence))
    return feature(
        "worse-after-stop",
        clause,
        lambda: with_rule(on_last_dose(declined, stop)),
        met=True,
        said=say("worse {days} after the last dose", days=days),
        evidence=evidence,
        newest=held[0].seen,
    )


def _low_dose(situation: Situation) -> Feature:
    """Early by dose or cycle. It never holds the rule by itself: ordinary neuropathy begins early as well."""
    clause, onset = situation.policy.thresholds.immune, situation.onset_on

    def with_rule(text: str) -> Said:
        return say(
            "{text}; {dose:g} mg/m2 or less, or cycle {cycle} or earlier, at onset counts",
            text=text,
            dose=float(clause.cumulative_mg_per_m2),
            cycle=clause.cycles_at_onset,
        )

    if onset is None:
        return feature("low-dose-at-onset", clause, lambda: with_rule(say("onset not recorded")), met=False)
    given = float(situation.cumulative_mg_per_m2(onset))
    cycle_days = (situation.course.cycle_days if situation.course is not None else None) or DEFAULT_CYCLE_DAYS
    cycle = (onset - situation.first_on).days // cycle_days + 1
    held = (bool(situation.doses) and given <= clause.cumulative_mg_per_m2) or cycle <= clause.cycles_at_onset
    said = say("onset after {dose:g} mg/m2", dose=given) if held else ""
    return feature("low-dose-at-onset", clause, lambda: with_rule(_onset(onset, given, cycle, cycle_days)), met=held, said=said)


def _onset(on: date, given_mg_per_m2: float, cycle: int, cycle_days: int) -> Said:
    return say(
        "onset on {day} after {dose:g} mg/m2, cycle {cycle} of {days} days",
        day=on,
        dose=given_mg_per_m2,
        cycle=cycle,
        days=cycle_days,
    )


def _areflexia(situation: Situation) -> Feature:
    clause, record = situation.policy.thresholds.immune, _newest_reflexes(situation)

    def text() -> Said:
        if record is None or record.reflexes is None:
            return say("reflexes not recorded; absent counts")
        return say("reflexes {reflexes} on {day}; absent counts", reflexes=word(record.reflexes), day=record.on)

    held = record is not None and record.reflexes == "absent"
    evidence = evidence_of(record) if held else ()
    return feature("areflexia", clause, text, met=held, said=say("absent reflexes"), evidence=evidence, newest=record)


def _proximal(situation: Situation, exam: Exam | None) -> Feature:
    clause = situation.policy.thresholds.immune

    def with_rule(text: str) -> Said:
        return say(
            "{text}; deltoid, iliopsoas or quadriceps at MRC {grade} or below on both sides, or two of them, counts",
            text=text,
            grade=clause.proximal_grade,
        )

    if exam is None:
        return feature("proximal-weakness", clause, lambda: with_rule(say("muscle power not recorded")), met=False)
    highest = clause.proximal_grade * FULL_GRADE + 1
    weak = [
        (place, rank)
        for place, rank in enumerate(exam.ranks)
        if rank is not None and rank <= highest and muscle_of(place)[0] in PROXIMAL_MUSCLES
    ]

    def text() -> Said:
        muscles = [say("{muscle} {power}", muscle=muscle_name(place), power=written(rank)) for place, rank in weak]
        shown = joined(", ", muscles) if muscles else say("no proximal weakness")
        return with_rule(say("{weakness} on {day}", weakness=shown, day=exam.on))

    held = len(weak) >= 2
    evidence = evidence_of(exam.record) if held else ()
    said = say("proximal weakness")
    return feature("proximal-weakness", clause, text, met=held, said=said, evidence=evidence, newest=exam.record)


def _nerve_conduction(situation: Situation) -> Feature:
    clause = situation.policy.thresholds.immune
    rule = say("demyelination, conduction slowing or block, or prolonged F waves counts")
    studies = investigations(situation, "nerve_conduction")
    if not studies:
        none = say("nerve conduction not recorded")
        return feature("nerve-conduction", clause, lambda: joined("; ", (none, rule)), met=False)
    telling = [each for each in studies if each.findings & DEMYELINATING]
    study = (telling or studies)[-1]

    def text() -> str:
        findings = joined(", ", map(word, sorted(study.findings)))
        return joined("; ", (say("nerve conduction on {day}: {findings}", day=study.on, findings=findings), rule))

    evidence = (Evidence(kind="investigation", id=study.fact_id, version=study.version, at=study.at),) if telling else ()
    said = say("demyelinating nerve conduction")
    return feature("nerve-conduction", clause, text, met=bool(telling), said=said, evidence=evidence, newest=study)


def _cranial(situation: Situation, newest: tuple[Assessment, ...]) -> Feature:
    clause = situation.policy.thresholds.immune
    flagged = [record for record in newest if record.red_flags & CRANIAL]

    def text() -> Said:
        when = newest[0].on if newest else say("no assessment")
        if flagged:
            return say("bulbar or facial weakness ({when}); at the newest assessment counts", when=when)
        return say("no bulbar or facial weakness recorded ({when}); at the newest assessment counts", when=when)

    return feature(
        "cranial-signs",
        clause,
        text,
        met=bool(flagged),
        said=say("bulbar or facial weakness"),
        evidence=evidence_of(*flagged),
        newest=flagged[0] if flagged else None,
    )


def _latest(situation: Situation, name: str, newest: tuple[Assessment, ...]) -> Assessment | None:
    """The newest record of a grade, the worst of one instant, if no older than the days it stands for."""
    if not newest:
        return None
    oldest = max(situation.first_on, newest[0].on - timedelta(days=LATEST_WITHIN_DAYS))
    read, found = attrgetter(name), None
    for record in reversed(situation.assessments):
        if record.on < oldest or (found is not None and record.at != found.at):
            break
        grade = read(record)
        if grade is not None and (found is None or grade > read(found)):
            found = record
    return found


def _newest_reflexes(situation: Situation) -> Assessment | None:
    for record in reversed(situation.assessments):
        if record.on < situation.first_on:
            return None
        if record.reflexes is not None:
            return record
    return None
