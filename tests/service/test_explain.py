"""What ``explain`` says of who answered."""

from __future__ import annotations

from datetime import timedelta

from monitor.service import acts
from monitor.service.explain import explain
from tests.service.clinic import Clinic, on

NOW = on(14, 16)


def told_of_weakness(clinic: Clinic) -> str:
    clinic.on_bortezomib("P-1", until_day=7)
    clinic.assess("P-1", 7, walking="unaided", sensory_grade=0, neuropathic_pain="no")
    clinic.assess("P-1", 14, walking="unaided", sensory_grade=2, neuropathic_pain="no")
    clinic.poll(on(14, 15))
    return f"A-{clinic.alert('P-1', 'dose-modification').alert_id}"


def test_given_a_snoozed_alert_when_explained_then_it_says_until_when(clinic: Clinic) -> None:
    alert = told_of_weakness(clinic)
    acts.snooze(clinic.site, alert, until=NOW + timedelta(hours=20), by="N. Berger", reason="visit is booked", now=NOW)
    (line,) = [
        each for each in explain(clinic.site, "P-1", None, NOW).as_text().splitlines() if each.strip().startswith(f"{alert} ")
    ]
    assert line.endswith(", snoozed until 2026-01-20 12:00 CET")


def test_given_an_acknowledged_alert_when_explained_then_it_says_by_whom(clinic: Clinic) -> None:
    alert = told_of_weakness(clinic)
    acts.acknowledge(clinic.site, alert, by="N. Berger", note=None, now=NOW)
    assert ", acknowledged by N. Berger " in explain(clinic.site, "P-1", None, NOW).as_text()
