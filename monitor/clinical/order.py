"""The order of facts of one instant. Bare dates of one day have none between them, and rows come in any order.

The higher dose and the worse visit count as the newest, so that what is said never depends on the order of a file.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the histories are sorted by this
    from monitor.clinical.history import Assessment, Dose

Order = tuple[datetime, datetime, float, float, str, int]


def dose_order(dose: Dose) -> Order:
    """Clinical time, then known_at, then the dose."""
    return dose.at, dose.known_at, dose.dose_mg_per_m2, 0.0, dose.fact_id, dose.version


def visit_order(visit: Assessment) -> Order:
    """Clinical time, then known_at, then the worst grade with its pain, then autonomic grade and disability."""
    grade = max(visit.sensory_grade or 0, visit.motor_grade or 0) + (0.5 if visit.neuropathic_pain else 0.0)
    other = float(max(visit.autonomic_grade or 0, visit.gbs_disability or 0))
    return visit.at, visit.known_at, grade, other, visit.fact_id, visit.version
