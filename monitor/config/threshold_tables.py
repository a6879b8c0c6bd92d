"""The relations between thresholds that must hold, as tables.

Each is read as it stands; a clause added to ``monitor.clinical.clauses`` gets its lines here. Paths are those of the policy file.
"""

from __future__ import annotations

from typing import NamedTuple

DAYS = (1, 3650)
GRADE = (1, 4)  # CTCAE; 5 is death
MRC = (0, 5)
MUSCLES = (1, 12)  # of the Kleyweg sum
POINTS = (1, 60)  # of the MRC sum
STEPS = (1, 6)  # of the GBS disability scale
PROTEIN = (10, 1000)  # mg/dL, as the importer
CELLS = (0, 5000)  # per microlitre
MMHG = (1, 250)
NRS = (1, 10)

# The last word of a key -> lowest and highest sensible value, both allowed.
RANGES: dict[str, tuple[float, float]] = {
    "off_after_days_without_dose": DAYS,
    "watch_after_stop_days": DAYS,
    "within_days": DAYS,
    "repeat_within_days": DAYS,
    "compare_days_before_stop": DAYS,
    "from_day": DAYS,
    "to_day": DAYS,
    "after_days": DAYS,
    "onset_days": DAYS,
    "after_stop_days": DAYS,
    "worse_days_after_stop": DAYS,
    "default_cycle_days": DAYS,
    "beyond_cycle_days": (0, 3650),
    "dose_due_within_days": (0, 3650),
    "more_than_days": DAYS,
    "after_immediate_days": DAYS,
    "after_same_day_days": DAYS,
    "early_days": DAYS,
    "early_until_day": DAYS,
    "late_days": DAYS,
    "apart_days": DAYS,
    "rise": GRADE,
    "grade": GRADE,
    "reaching_grade": GRADE,
    "always_at_grade": GRADE,
    "new_motor_grade": GRADE,
    "sensory_grade": GRADE,
    "motor_grade": GRADE,
    "assessments_if_motor_grade": GRADE,
    "at_most_grade": (0, 4),
    "full_grades": (1, 5),
    "newly_at_most_grade": MRC,
    "proximal_grade": MRC,
    "weak_at_most_grade": MRC,
    "muscles": MUSCLES,
    "points": POINTS,
    "response_points": POINTS,
    "disability": STEPS,
    "response_disability": STEPS,
    "rise_nrs": NRS,
    "reaching_nrs": NRS,
    "deteriorations_for_chronic": (2, 10),
    "assessments": (1, 10),
    "assessments_then": (1, 10),
    "cycles_at_onset": (1, 20),
    "fall_kpa": (0.5, 100),
    "cumulative_mg_per_m2": (0.5, 200),
    "tolerance_mg_per_m2": (0, 0.14),  # half the narrowest step of the ladders, 1.3 to 1.0, at most
    "raised_protein_mg_dl_under_50": PROTEIN,
    "raised_protein_mg_dl_from_50": PROTEIN,
    "clearly_raised_protein_mg_dl": PROTEIN,
    "compatible_cells_per_ul": CELLS,
    "argue_against_cells_per_ul": CELLS,
    "suspect_cells_per_ul": CELLS,
    "systolic_below_mmhg": MMHG,
    "fall_systolic_mmhg": MMHG,
    "fall_diastolic_mmhg": MMHG,
    "fall_systolic_if_supine_hypertension_mmhg": MMHG,
    "supine_hypertension_mmhg": MMHG,
}


class Order(NamedTuple):
    """``high`` must be more than ``low``, or at least as much where ``or_equal``."""

    high: str
    low: str
    why: str
    or_equal: bool = False


ORDERS = (
    Order(
        "motor.muscle_fall.full_grades",
        "motor.small_fall.full_grades",
        "a fall that alarms is more than one that is only repeated",
    ),
    Order("motor.sum_fall.points", "motor.moderate_fall.points", "the immediate fall is more than the same-day one"),
    Order(
        "motor.moderate_fall.points", "motor.small_fall.points", "the same-day fall is more than the one that is only repeated"
    ),
    Order(
        "motor.motor_grade_severe.reaching_grade", "motor.motor_grade_rise.reaching_grade", "the severe grade is above the other"
    ),
    Order(
        "motor.motor_grade_rise.reaching_grade", "motor.small_fall.new_motor_grade", "else the small fall can never be reached"
    ),
    Order(
        "motor.motor_grade_severe.always_at_grade",
        "motor.motor_grade_severe.reaching_grade",
        "no rise is asked at the worse grade",
        True,
    ),
    Order(
        "motor.loss_of_walking_undated.within_days", "motor.loss_of_walking.within_days", "the undated window is the longer one"
    ),
    Order("motor.small_fall.within_days", "motor.moderate_fall.within_days", "the small fall looks at least as far back", True),
    Order(
        "after_discontinuation.sensory_marked.rise",
        "after_discontinuation.sensory_late.rise",
        "the marked rise is the larger one",
    ),
    Order(
        "after_discontinuation.sensory_marked.rise_nrs",
        "after_discontinuation.sensory_late.rise_nrs",
        "the marked rise is the larger one",
    ),
    Order(
        "after_discontinuation.motor.to_day",
        "after_discontinuation.sensory_late.to_day",
        "motor worsening is watched for at least as long",
        True,
    ),
    Order(
        "drug_status.watch_after_stop_days",
        "after_discontinuation.motor.to_day",
        "nothing is evaluated after the watch ends",
        True,
    ),
    Order(
        "drug_status.watch_after_stop_days",
        "after_discontinuation.not_recovering.after_days",
        "nothing is evaluated after the watch ends",
    ),
    Order(
        "drug_status.watch_after_stop_days",
        "overdue.after_stop.early_until_day",
        "nothing is evaluated after the watch ends",
        True,
    ),
    Order("relapse.early.points", "relapse.steroid_taper.points", "the immediate fall is at least the same-day one", True),
    Order(
        "immune.csf.raised_protein_mg_dl_from_50", "immune.csf.raised_protein_mg_dl_under_50", "the limit rises with age", True
    ),
    Order(
        "immune.csf.clearly_raised_protein_mg_dl",
        "immune.csf.raised_protein_mg_dl_from_50",
        "clearly raised is also raised",
        True,
    ),
    Order(
        "immune.csf.argue_against_cells_per_ul",
        "immune.csf.compatible_cells_per_ul",
        "compatible cells cannot argue against",
        True,
    ),
    Order("autonomic.severe.grade", "autonomic.new_grade.grade", "the severe grade is above the other"),
    Order(
        "autonomic.orthostatic.fall_systolic_if_supine_hypertension_mmhg",
        "autonomic.orthostatic.fall_systolic_mmhg",
        "supine hypertension asks for a larger fall",
        True,
    ),
    Order(
        "overdue.after_event.after_same_day_days",
        "overdue.after_event.after_immediate_days",
        "the more urgent is seen sooner",
        True,
    ),
    Order("overdue.after_stop.late_days", "overdue.after_stop.early_days", "visits grow rarer after the stop", True),
    Order(
        "dose.resolved.assessments_then", "dose.resolved.assessments", "motor toxicity needs at least as many assessments", True
    ),
)

# Clauses with a first and a last day.
SPANS = (
    "after_discontinuation.motor",
    "after_discontinuation.sensory_early",
    "after_discontinuation.sensory_late",
    "after_discontinuation.sensory_marked",
)

# Never less urgent than, because it is worse.
LADDER = (
    ("motor.loss_of_walking.urgency", "motor.loss_of_walking_undated.urgency"),
    ("motor.muscle_fall.urgency", "motor.moderate_fall.urgency"),
    ("motor.sum_fall.urgency", "motor.moderate_fall.urgency"),
    ("motor.motor_grade_severe.urgency", "motor.motor_grade_rise.urgency"),
    ("motor.moderate_fall.urgency", "motor.small_fall.urgency"),
    ("motor.motor_grade_rise.urgency", "motor.small_fall.urgency"),
    ("motor.grip_fall.urgency", "motor.grip_fall.urgency_alone"),
    ("after_discontinuation.sensory_late.urgency", "after_discontinuation.sensory_early.urgency"),
    ("after_discontinuation.sensory_marked.urgency", "after_discontinuation.sensory_late.urgency"),
    ("relapse.early.urgency", "relapse.late.urgency"),
    ("immune.with_severe_motor", "immune.urgency"),
    ("autonomic.severe.urgency", "autonomic.new_grade.urgency"),
    ("autonomic.severe.urgency", "autonomic.orthostatic.urgency"),
    ("autonomic.orthostatic.urgency", "autonomic.orthostatic.urgency_without_symptoms"),
    ("overdue.on_drug.urgency_dose_due", "overdue.on_drug.urgency"),
    ("dose.urgency_discontinue", "dose.urgency_withhold"),
    ("dose.urgency_withhold", "dose.urgency_reduce"),
    ("dose.urgency_reduce", "dose.urgency_known_baseline"),
)


class Neighbours(NamedTuple):
    """``later`` begins the day after ``earlier`` ends (``step`` 1), or where it ends (``step`` 0)."""

    earlier: str
    later: str
    step: int


NEIGHBOURS = (
    Neighbours("after_discontinuation.sensory_early.to_day", "after_discontinuation.sensory_late.from_day", 1),
    Neighbours("relapse.early.onset_days", "relapse.late.onset_days", 0),
)

# The first covers every day of the second: else, outside it, the worse change counts only as the milder one.
COVERS = (
    ("after_discontinuation.sensory_marked", "after_discontinuation.sensory_early"),
    ("after_discontinuation.sensory_marked", "after_discontinuation.sensory_late"),
    ("after_discontinuation.motor", "after_discontinuation.sensory_early"),
)
