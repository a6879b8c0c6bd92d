"""Clauses of a policy: the shape of each number that decides, with its urgency, source and confidence.

Windows are in days and inclusive. Codes such as M1 are those of ``docs/clinical.md``; the values are in ``config/policy.yaml``.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.clinical.findings import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What every clause carries."""

    urgency: Urgency
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinDays(Clause):
    """Holds for a change from the best value within so many days, the day itself and the last day included."""

    within_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MuscleFall(Clause):
    """M3: a leg or shoulder muscle falls this many whole grades, or newly to this grade or below."""

    within_days: int
    full_grades: int
    newly_at_most_grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SumFall(Clause):
    """M4: the Kleyweg sum falls by this many points."""

    within_days: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SumOrMusclesFall(Clause):
    """M7: the sum falls by this many points, or this many muscles fall one whole grade."""

    within_days: int
    points: int
    muscles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MotorGradeRise(Clause):
    """M5, M9: the CTCAE motor grade rises by this much and reaches this grade; ``always_at_grade`` needs no rise."""

    within_days: int
    rise: int
    reaching_grade: int
    always_at_grade: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GripFall(Clause):
    """M10: grip on one side falls by this many kPa; the urgency is the one in company of M7, M8 or M9."""

    within_days: int
    fall_kpa: float
    urgency_alone: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallFall(Clause):
    """M11: small enough to be noise; asks for a re-test within ``repeat_within_days``."""

    within_days: int
    points: int
    full_grades: int
    new_motor_grade: int
    repeat_within_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterStop(Clause):
    """A change seen this many days after the last dose, first and last day included."""

    from_day: int
    to_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeAfterStop(AfterStop):
    """D2, D3: sensory grade or neuropathic pain worse by ``rise``; NRS worse by ``rise_nrs``."""

    rise: int
    rise_nrs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedAfterStop(AfterStop):
    """D4: sensory grade up by ``rise``, or NRS up by ``rise_nrs`` to at least ``reaching_nrs``."""

    rise: int
    rise_nrs: int
    reaching_nrs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRecovering(Clause):
    """D5: still at this grade or worse, not better than at the stop, this many days after the last dose."""

    grade: int
    after_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fluctuation(Clause):
    """R1, R2: after a documented response, worse again. R1 within ``onset_days`` of the onset, R2 later."""

    onset_days: int
    disability: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SteroidTaper(Clause):
    """R3: worse from the start of the steroid until ``after_stop_days`` after it."""

    after_stop_days: int
    disability: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterPlasmaExchange(Clause):
    """R4: worse within so many days after a plasma exchange; the motor urgency wins where it is higher."""

    within_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Csf:
    """CSF limits. Protein in mg/dL, cells per microlitre."""

    raised_protein_mg_dl_under_50: float
    raised_protein_mg_dl_from_50: float
    clearly_raised_protein_mg_dl: float
    compatible_cells_per_ul: float
    argue_against_cells_per_ul: float
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImmunePattern(Clause):
    """I1. The urgency is the one without any of M1-M6; with one of them it is immediate."""

    motor_grade: int
    worse_days_after_stop: int
    cumulative_mg_per_m2: float
    cycles_at_onset: int
    proximal_grade: int
    with_severe_motor: Urgency
    csf: Csf


@dataclass(frozen=True, slots=True, kw_only=True)
class SevereAutonomicSigns(Clause):
    """A1: syncope, ileus, urinary retention, systolic pressure below the limit, or this CTCAE grade."""

    systolic_below_mmhg: int
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Orthostatic(Clause):
    """A2: fall on standing; ``urgency`` with symptoms, ``urgency_without_symptoms`` else."""

    fall_systolic_mmhg: int
    fall_diastolic_mmhg: int
    fall_systolic_if_supine_hypertension_mmhg: int
    supine_hypertension_mmhg: int
    urgency_without_symptoms: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class AutonomicGrade(Clause):
    """A3: autonomic grade newly reaches this grade."""

    within_days: int
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueOnDrug(Clause):
    """O1: no assessment for a cycle and ``beyond_cycle_days``; more urgent when a dose is due soon."""

    default_cycle_days: int
    beyond_cycle_days: int
    dose_due_within_days: int
    urgency_dose_due: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueAffected(Clause):
    """O2: on drug with this state, no assessment for more than so many days."""

    sensory_grade: int
    motor_grade: int
    more_than_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueAfterEvent(Clause):
    """O3: no assessment for more than so many days after an immediate, or a same-day, finding."""

    after_immediate_days: int
    after_same_day_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueAfterStop(Clause):
    """O4: off drug and unresolved: every ``early_days`` until ``early_until_day`` after the stop, then ``late_days``."""

    early_days: int
    early_until_day: int
    late_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict(Clause):
    """Two records that cannot both hold."""

    weak_at_most_grade: int  # motor grade 0 beside a muscle at this MRC grade or below
    suspect_cells_per_ul: float  # "2 x 10^6/L" that lost its superscript reads 106
