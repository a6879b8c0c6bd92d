"""The rules, in the order in which they are listed everywhere. A rule is added here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

from monitor.clinical.findings import RuleAnswer
from monitor.clinical.rules import (
    assessment_overdue,
    autonomic_neuropathy,
    conflicting_record,
    dose_against_advice,
    dose_modification,
    immune_mediated_pattern,
    rapid_motor_decline,
    relapse_after_treatment,
    worsening_after_discontinuation,
)
from monitor.clinical.situation import Situation

RULES: dict[str, Callable[[Situation], RuleAnswer]] = {
    dose_modification.NAME: dose_modification.answer,
    dose_against_advice.NAME: dose_against_advice.answer,
    rapid_motor_decline.NAME: rapid_motor_decline.answer,
    worsening_after_discontinuation.NAME: worsening_after_discontinuation.answer,
    relapse_after_treatment.NAME: relapse_after_treatment.answer,
    immune_mediated_pattern.NAME: immune_mediated_pattern.answer,
    autonomic_neuropathy.NAME: autonomic_neuropathy.answer,
    assessment_overdue.NAME: assessment_overdue.answer,
    conflicting_record.NAME: conflicting_record.answer,
}
