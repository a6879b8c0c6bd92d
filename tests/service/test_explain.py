"""What ``explain`` says of who answered."""

from __future__ import annotations

from datetime import timedelta

from monitor.service import acts
from monitor.service.ack_kinds import read_ack_kind
from monitor.service.explain import explain
from monitor.service.passing_on import pass_on
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


def test_given_what_people_did_when_explained_then_each_act_says_who_when_and_what(clinic: Clinic) -> None:
    alert = told_of_weakness(clinic)
    pass_on(clinic.site, alert, by="N. Berger", address="berger@hospital.example", reason="not my ward", now=NOW)
    what = read_ack_kind("dose-reviewed:held")
    acts.acknowledge(clinic.site, alert, by="O. Tal", note="until Monday", now=NOW + timedelta(minutes=5), what=what)
    explained = explain(clinic.site, "P-1", None, NOW)
    lines = [line.strip() for line in explained.as_text().splitlines()]
    assert "2026-01-19 16:00 CET  passed-on by N. Berger (not my ward)" in lines
    assert "2026-01-19 16:05 CET  acknowledged by O. Tal: dose reviewed: held (until Monday)" in lines
    (shown,) = [each for each in explained.as_json()["alerts"] if each["id"] == alert]
    assert [(act["act"], act["by"], act["what"], act["note"]) for act in shown["acts"]] == [
        ("passed-on", "N. Berger", None, "not my ward"),
        ("acknowledged", "O. Tal", "dose-reviewed:held", "until Monday"),
    ]
