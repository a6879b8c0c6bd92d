"""The numbers one clinic applies, each clause with its urgency, source and confidence.

The shapes only: the values are in ``config/policy.yaml``, where an admin reads and edits them.
Windows are in days and inclusive. Codes such as M1 are those of ``docs/clinical.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from monitor.clinical.clauses import (
    AfterPlasmaExchange,
    AfterStop,
    AutonomicGrade,
    Clause,
    Conflict,
    Fluctuation,
    GradeAfterStop,
    GripFall,
    ImmunePattern,
    MarkedAfterStop,
    MotorGradeRise,
    MuscleFall,
    NotRecovering,
    Orthostatic,
    OverdueAffected,
    OverdueAfterEvent,
    OverdueAfterStop,
    OverdueOnDrug,
    SevereAutonomicSigns,
    SmallFall,
    SteroidTaper,
    SumFall,
    SumOrMusclesFall,
    WithinDays,
)
from monitor.clinical.findings import Urgency
from monitor.clinical.guideline import Guideline


@dataclass(frozen=True, slots=True, kw_only=True)
class MotorDecline:
    """M1-M12, read by rapid-motor-decline, worsening-after-discontinuation and immune-mediated-pattern."""

    loss_of_walking: WithinDays  # M1
    loss_of_walking_undated: WithinDays  # beyond M1's window: walking was lost, when is not known
    respiratory_bulbar_facial: Clause  # M2
    muscle_fall: MuscleFall  # M3
    sum_fall: SumFall  # M4
    motor_grade_severe: MotorGradeRise  # M5
    cord_signs: WithinDays  # M6
    moderate_fall: SumOrMusclesFall  # M7
    disability_or_aid: WithinDays  # M8
    motor_grade_rise: MotorGradeRise  # M9
    grip_fall: GripFall  # M10
    small_fall: SmallFall  # M11
    single_limb: Clause  # all falls in one limb: re-test, it does not shout
    other_assessor: Clause  # M12: same-day and review of rated scales become a re-test


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterDiscontinuation:
    """D1-D5. ``compare_days_before_stop``: values this long before the last dose still serve as comparison."""

    compare_days_before_stop: int
    motor: AfterStop  # D1; its urgency is the floor, each M criterion goes one tier up
    sensory_early: GradeAfterStop  # D2
    sensory_late: GradeAfterStop  # D3
    sensory_marked: MarkedAfterStop  # D4
    not_recovering: NotRecovering  # D5


@dataclass(frozen=True, slots=True, kw_only=True)
class Relapse:
    """R1-R4 and what counts as a documented response."""

    response_disability: int
    response_points: int
    deteriorations_for_chronic: int
    early: Fluctuation  # R1
    late: Fluctuation  # R2
    steroid_taper: SteroidTaper  # R3
    after_plasma_exchange: AfterPlasmaExchange  # R4


@dataclass(frozen=True, slots=True, kw_only=True)
class Autonomic:
    """A1-A3."""

    severe: SevereAutonomicSigns
    orthostatic: Orthostatic
    new_grade: AutonomicGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """O1-O4."""

    on_drug: OverdueOnDrug
    affected: OverdueAffected
    after_event: OverdueAfterEvent
    after_stop: OverdueAfterStop


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """When toxicity counts as resolved: grade at most max(this, baseline), no neuropathic pain, and so many visits."""

    at_most_grade: int
    pain_absent: bool
    assessments: int
    assessments_if_motor_grade: int  # this motor grade or worse needs ...
    assessments_then: int  # ... so many assessments ...
    apart_days: int  # ... so many days apart
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRules:
    """How the dose table is applied. ``urgency_*`` of dose-modification and dose-against-advice."""

    urgency_reduce: Urgency
    urgency_withhold: Urgency
    urgency_discontinue: Urgency
    urgency_ask: Urgency
    urgency_no_lower_level: Urgency
    urgency_known_baseline: Urgency
    urgency_against_advice: Urgency
    tolerance_mg_per_m2: float
    resolved: Resolved
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugStatus:
    """When a patient counts as off bortezomib, and for how long he is watched."""

    off_after_days_without_dose: int
    watch_after_stop_days: int
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """All clauses of a policy file."""

    version: str
    drug_status: DrugStatus
    dose: DoseRules
    motor: MotorDecline
    after_discontinuation: AfterDiscontinuation
    relapse: Relapse
    immune: ImmunePattern
    autonomic: Autonomic
    overdue: Overdue
    conflict: Conflict
    approved_by: str | None = None  # who read it for this clinic and signed, with the day; None: nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Thresholds, the site's guideline, the other guidelines for comparison, and the clinic's time zone."""

    thresholds: Thresholds
    guideline: Guideline
    others: tuple[Guideline, ...]
    zone: tzinfo
    sha256: str  # of the guideline and policy files, as read
