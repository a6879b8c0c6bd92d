"""A change of the policy is news about every watched patient."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.service.clinic import Clinic, on

pytestmark = pytest.mark.both_engines


def test_given_another_threshold_when_polled_then_patients_without_new_facts_are_looked_at_and_only_once(clinic: Clinic) -> None:
    clinic.on_bortezomib("P-1", until_day=14)
    clinic.assess("P-1", 14, sensory_grade=0, motor_grade=0)
    assert clinic.poll(on(15)).round.opened == 0
    thresholds = clinic.site.policy.thresholds
    stricter = replace(thresholds.overdue.on_drug, default_cycle_days=0, beyond_cycle_days=0)
    policy = replace(
        clinic.site.policy, thresholds=replace(thresholds, overdue=replace(thresholds.overdue, on_drug=stricter)), sha256="other"
    )
    clinic.site = replace(clinic.site, policy=policy)
    again = clinic.poll(on(15, 13))
    assert (again.round.patients_evaluated, again.round.opened) == (1, 1)
    assert clinic.poll(on(15, 14)).round.patients_evaluated == 0
