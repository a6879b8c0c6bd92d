"""Features of an immune-mediated neuropathy, each as a criterion with its values: I1 of docs/clinical.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter

from monitor.clinical.clauses import ImmunePattern
from monitor.clinical.comparison import evidence_of
from monitor.clinical.days import in_days
from monitor.clinical.findings import Criterion, Evidence
from monitor.clinical.history import Assessment, Investigation, LabResult
from monitor.clinical.motor_picture import MotorPicture
from monitor.clinical.scales.csf import age_on, csf_text, read_csf
from monitor.clinical.scales.mrc import FULL_GRADE, PROXIMAL_MUSCLES, muscle_of, written
from monitor.clinical.situation import Situation
from monitor.clinical.strength import Exam, muscle_name

LATEST_WITHIN_DAYS = 28
"""How long before the newest assessment a grade still stands for the present. Our judgement (J): M1's window."""

DEFAULT_CYCLE_DAYS = 21
"""Cycle of the labels' schedules (V), where the course names none."""

DEMYELINATING = frozenset({"demyelinating", "conduction_slowing", "conduction_block", "prolonged_f_waves"})
CRANIAL = frozenset({"bulbar", "facial"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature, met or not, in a few words for the headline, with the facts that show it."""

    criterion: Criterion
    said: str
    evidence: tuple[Evidence, ...] = ()
    newest: Assessment | LabResult | Investigation | None = None

    @property
    def met(self) -> bool:
        return self.criterion.met


def motor_predominance(situation: Situation, motor: MotorPicture) -> Feature:
    """A: the motor grade is at least the sensory one, or motor function declined."""
    clause = situation.policy.thresholds.immune
    rule = f"motor grade {clause.motor_grade} or worse, above baseline and at least the sensory grade, or motor decline, counts"
    declined = [each for each in motor.criteria if each.met and not each.retest and each.code not in {"M10", "M11", ""}]
    grade = _latest(situation, "motor_grade", motor.newest)
    sensory = _latest(situation, "sensory_grade", motor.newest)
    baseline = situation.history.patient.baseline_motor_grade or 0
    motor_value = None if grade is None else grade.motor_grade
    sensory_value = None if sensory is None else sensory.sensory_grade
    text = f"motor grade {_or_not(motor_value)}, sensory grade {_or_not(sensory_value)}"
    if declined:
        names = ", ".join(each.id for each in declined)
        evidence = tuple(dict.fromkeys(item for each in declined for item in each.evidence))
        return _feature(
            "motor",
            clause,
            f"{text}, decline: {names}; {rule}",
            met=True,
            said="motor decline",
            evidence=evidence,
            newest=declined[0].seen,
        )
    held = motor_value is not None and motor_value >= clause.motor_grade and motor_value > baseline
    held = held and (sensory_value is None or (motor_value or 0) >= sensory_value)
    return _feature(
        "motor",
        clause,
        f"{text}; {rule}",
        met=held,
        said=f"motor grade {motor_value}",
        evidence=evidence_of(grade, sensory) if held else (),
        newest=grade,
    )


def csf_dissociation(situation: Situation) -> Feature:
    """B: raised protein beside few cells, or a report that says so. Normal protein excludes nothing in the first week."""
    limits = situation.policy.thresholds.immune.csf
    protein = _newest_lab(situation, "csf_protein", None)
    cells = _newest_lab(situation, "csf_white_cells", protein)
    shown = protein or cells
    source = f"{limits.source} [{limits.confidence}]"
    reported = next(
        (
            each
            for each in reversed(_investigations(situation, "csf_report"))
            if "albuminocytologic_dissociation" in each.findings
        ),
        None,
    )
    if shown is None and reported is None:
        return Feature(criterion=Criterion(id="csf-dissociation", met=False, text="CSF not recorded", source=source), said="")
    texts = []
    present = reported is not None
    if shown is not None:
        reading = read_csf(
            protein_mg_dl=None if protein is None else protein.value,
            cells_per_ul=None if cells is None else cells.value,
            age=age_on(situation.history.patient.birth_on, shown.on),
            limits=limits,
        )
        texts.append(csf_text(reading, shown.on))
        present = (present and not reading.argues_against) or reading.dissociation == "present"
    if reported is not None:
        texts.append(f"albuminocytologic dissociation reported on {reported.on}")
    facts = [("lab", each) for each in (protein, cells) if each is not None]
    evidence = tuple(Evidence(kind=kind, id=each.fact_id, version=each.version, at=each.at) for kind, each in facts)
    if reported is not None:
        evidence += (Evidence(kind="investigation", id=reported.fact_id, version=reported.version, at=reported.at),)
    criterion = Criterion(id="csf-dissociation", met=present, text="; ".join(texts), source=source)
    return Feature(
        criterion=criterion,
        said="raised CSF protein with few cells",
        evidence=evidence if present else (),
        newest=(shown or reported) if present else None,
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
    if _newest_lab(situation, "csf_protein", None) is None:
        absent.append("csf_protein")
    if not _investigations(situation, "nerve_conduction"):
        absent.append("nerve_conduction")
    if _newest_reflexes(situation) is None:
        absent.append("reflexes")
    return tuple(absent)


def _worse_after_stop(situation: Situation, motor: MotorPicture) -> Feature:
    clause = situation.policy.thresholds.immune
    rule = f"motor decline {clause.worse_days_after_stop} day or more after the last dose counts"
    stop = situation.stopped_on
    held = [
        each
        for each in motor.after_stop
        if stop is not None
        and each.seen is not None
        and not each.retest
        and each.code not in {"M10", "M11", ""}
        and (each.seen.on - stop).days >= clause.worse_days_after_stop
    ]
    if not held or held[0].seen is None or stop is None:
        state = "on bortezomib" if stop is None else f"none since the last dose on {stop}"
        return _feature("worse-after-stop", clause, f"{state}; {rule}", met=False, said="")
    since = f"{in_days((held[0].seen.on - stop).days)} after the last dose"
    text = f"{', '.join(each.id for each in held)}, {since} on {stop}; {rule}"
    evidence = tuple(dict.fromkeys(item for each in held for item in each.evidence))
    return _feature("worse-after-stop", clause, text, met=True, said=f"worse {since}", evidence=evidence, newest=held[0].seen)


def _low_dose(situation: Situation) -> Feature:
    """Early by dose or cycle. It never holds the rule by itself: ordinary neuropathy begins early as well."""
    clause, onset = situation.policy.thresholds.immune, situation.onset_on
    rule = f"{clause.cumulative_mg_per_m2:g} mg/m2 or less, or cycle {clause.cycles_at_onset} or earlier, at onset counts"
    if onset is None:
        return _feature("low-dose-at-onset", clause, f"onset not recorded; {rule}", met=False, said="")
    given = situation.cumulative_mg_per_m2(onset)
    cycle_days = (situation.course.cycle_days if situation.course is not None else None) or DEFAULT_CYCLE_DAYS
    cycle = (onset - situation.first_on).days // cycle_days + 1
    held = (bool(situation.doses) and given <= clause.cumulative_mg_per_m2) or cycle <= clause.cycles_at_onset
    text = f"onset on {onset} after {given:g} mg/m2, cycle {cycle} of {cycle_days} days; {rule}"
    return _feature("low-dose-at-onset", clause, text, met=held, said=f"onset after {given:g} mg/m2")


def _areflexia(situation: Situation) -> Feature:
    clause, record = situation.policy.thresholds.immune, _newest_reflexes(situation)
    state = "reflexes not recorded" if record is None else f"reflexes {record.reflexes} on {record.on}"
    held = record is not None and record.reflexes == "absent"
    evidence = evidence_of(record) if held else ()
    return _feature(
        "areflexia", clause, f"{state}; absent counts", met=held, said="absent reflexes", evidence=evidence, newest=record
    )


def _proximal(situation: Situation, exam: Exam | None) -> Feature:
    clause = situation.policy.thresholds.immune
    rule = f"deltoid, iliopsoas or quadriceps at MRC {clause.proximal_grade} or below on both sides, or two of them, counts"
    if exam is None:
        return _feature("proximal-weakness", clause, f"muscle power not recorded; {rule}", met=False, said="")
    highest = clause.proximal_grade * FULL_GRADE + 1
    weak = [
        (place, rank)
        for place, rank in enumerate(exam.ranks)
        if rank is not None and rank <= highest and muscle_of(place)[0] in PROXIMAL_MUSCLES
    ]
    shown = ", ".join(f"{muscle_name(place)} {written(rank)}" for place, rank in weak) or "no proximal weakness"
    held = len(weak) >= 2
    return _feature(
        "proximal-weakness",
        clause,
        f"{shown} on {exam.on}; {rule}",
        met=held,
        said="proximal weakness",
        evidence=evidence_of(exam.record) if held else (),
        newest=exam.record,
    )


def _nerve_conduction(situation: Situation) -> Feature:
    clause = situation.policy.thresholds.immune
    rule = "demyelination, conduction slowing or block, or prolonged F waves counts"
    studies = _investigations(situation, "nerve_conduction")
    if not studies:
        return _feature("nerve-conduction", clause, f"nerve conduction not recorded; {rule}", met=False, said="")
    telling = [each for each in studies if each.findings & DEMYELINATING]
    study = (telling or studies)[-1]
    found = ", ".join(sorted(finding.replace("_", " ") for finding in study.findings))
    evidence = (Evidence(kind="investigation", id=study.fact_id, version=study.version, at=study.at),) if telling else ()
    text = f"nerve conduction on {study.on}: {found}; {rule}"
    said = "demyelinating nerve conduction"
    return _feature("nerve-conduction", clause, text, met=bool(telling), said=said, evidence=evidence, newest=study)


def _cranial(situation: Situation, newest: tuple[Assessment, ...]) -> Feature:
    clause = situation.policy.thresholds.immune
    flagged = [record for record in newest if record.red_flags & CRANIAL]
    on = newest[0].on if newest else "no assessment"
    state = "bulbar or facial weakness" if flagged else "no bulbar or facial weakness recorded"
    return _feature(
        "cranial-signs",
        clause,
        f"{state} ({on}); at the newest assessment counts",
        met=bool(flagged),
        said="bulbar or facial weakness",
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


def _newest_lab(situation: Situation, analyte: str, beside: LabResult | None) -> LabResult | None:
    """The newest result since the first dose; with ``beside``, of the same day's tap."""
    for lab in reversed(situation.history.labs):
        if lab.analyte == analyte and situation.first_on <= lab.on <= situation.today and (beside is None or lab.on == beside.on):
            return lab
    return None


def _investigations(situation: Situation, kind: str) -> list[Investigation]:
    first_on, today = situation.first_on, situation.today
    return [each for each in situation.history.investigations if each.kind == kind and first_on <= each.on <= today]


def _feature(
    identifier: str,
    clause: ImmunePattern,
    text: str,
    *,
    met: bool,
    said: str,
    evidence: tuple[Evidence, ...] = (),
    newest: Assessment | LabResult | Investigation | None = None,
) -> Feature:
    criterion = Criterion(id=identifier, met=met, text=text, source=f"{clause.source} [{clause.confidence}]")
    return Feature(criterion=criterion, said=said, evidence=evidence, newest=newest if met else None)


def _or_not(value: int | None) -> str:
    return "not recorded" if value is None else str(value)
