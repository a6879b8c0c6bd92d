"""Weeks of a clinic drawn by seed: late and corrected facts, pauses, acknowledgements, snoozes, quiet hours, many at once.

Whatever happens, a clinic whose relay takes every mail has nothing unexplained on any morning.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from monitor.errors import UsageError
from monitor.service import acts
from monitor.service.coverage_read import read
from tests.service.clinic import Clinic, a_clinic, local, on

CONFIG = """operations: {address: admin@hospital.example}
coverage: {at: "06:30", days: 5}
storm_above: 4
people: {berger: {name: N. Berger, address: b@hospital.example, language: en}}
"""
NORTH = """    quiet_hours: {from: "20:00", until: "07:00"}
    escalation: {immediate: [{to: [berger], after: 30 min}], same-day: [{to: [berger]}]}
"""
PATIENTS = tuple(f"P-{number}" for number in range(6))
FIRST, LAST = 22, 36
SEEDS = range(3)


@pytest.mark.parametrize("seed", SEEDS)
def test_given_weeks_drawn_by_seed_when_covered_every_morning_then_nothing_is_unexplained(tmp_path: Path, seed: int) -> None:
    random = Random(f"coverage {seed}")  # noqa: S311  # drawn weeks, nothing secret
    with a_clinic(tmp_path, more=CONFIG, north=NORTH) as clinic:
        clinic.on_bortezomib(*PATIENTS, until_day=LAST)
        for day in range(FIRST, LAST):
            live(clinic, random, day)
            at = local(on(day + 1).date(), 6, 31)
            clinic.watch(at)
            found = read(clinic.site, at, 5)
            assert found.of("unexplained") == [], f"seed {seed}, day {day}"
            assert found.lost == []
            assert found.journal.intact


def live(clinic: Clinic, random: Random, day: int) -> None:
    """One day: facts come, rounds are done or are not, people answer."""
    at = local(on(day).date(), 7) + timedelta(minutes=random.randrange(60))
    end = local(on(day + 1).date(), 6)
    while at < end:
        if random.random() < 0.35:
            visited_on = day - random.choice([0, 0, 0, 1, 3, 16])
            clinic.assess(random.choice(PATIENTS), visited_on, known=at, source=a_source(random), **a_visit(random))
        if random.random() < 0.85:  # else nobody watches for a while
            clinic.watch(at + timedelta(seconds=random.randrange(1, 60)))
        if random.random() < 0.2:
            answer(clinic, random, at + timedelta(minutes=2))
        at += timedelta(minutes=random.choice([5, 20, 90, 240]))


def a_source(random: Random) -> str:
    """Of a few, so that some rows correct what another one said."""
    return f"visit-{random.randrange(40)}"


def a_visit(random: Random) -> dict[str, Any]:
    """Whatever an examination may find."""
    return {
        "walking": random.choice(["unaided", "unaided", "cane", "wheelchair"]),
        "motor_grade": random.randrange(4),
        "sensory_grade": random.randrange(4),
        "neuropathic_pain": random.choice(["yes", "no"]),
        "red_flags": random.choice(["", "", "syncope", "back_pain"]),
        "voided": random.choice(["", "", "", "yes"]),
    }


def answer(clinic: Clinic, random: Random, at: datetime) -> None:
    """Somebody takes an alert on, or lets it wait."""
    still_open = [alert for alert in clinic.alerts(open_only=True) if alert.state == "open"]
    if not still_open:
        return
    name = f"A-{random.choice(still_open).alert_id}"
    try:
        if random.random() < 0.6:
            acts.acknowledge(clinic.site, name, by="N. Berger", note=None, now=at)
        else:
            until = at + timedelta(hours=random.choice([2, 20]))
            acts.snooze(clinic.site, name, until=until, by="N. Berger", reason="in theatre", now=at)
    except UsageError:  # immediate alerts wait for nobody
        return
