"""Alerts in the database: exact findings, one open alert of a rule, events that only grow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clinical.alerts import Alert, Reason, Transition
from monitor.clinical.findings import Criterion, Evidence, Finding, Urgency
from monitor.clinical.guideline import DoseAction
from monitor.errors import DatabaseError
from monitor.store import alerts
from monitor.store.alert_json import finding_columns, finding_of
from tests.store.databases import NOW, a_database

instants = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
doses = st.none() | st.floats(0.1, 3)
actions = st.recursive(
    st.builds(DoseAction, kind=st.sampled_from(("none", "reduce", "ask")), dose_mg_per_m2=doses, note=st.text(max_size=9)),
    lambda inner: st.builds(DoseAction, kind=st.just("ask"), alternatives=st.lists(inner, max_size=2).map(tuple)),
    max_leaves=4,
)
words = st.text(max_size=9)
criteria = st.builds(Criterion, id=words, met=st.booleans(), text=words, source=words)
evidence = st.builds(Evidence, kind=words, id=words, version=st.integers(), at=instants)
findings = st.builds(
    Finding,
    rule=st.sampled_from(("rapid-motor-decline", "dose-modification")),
    urgency=st.sampled_from(Urgency),
    clinical_at=instants,
    headline=st.text(max_size=20),
    action=st.none() | actions,
    criteria=st.lists(criteria, max_size=2).map(tuple),
    evidence=st.lists(evidence, max_size=2).map(tuple),
    missing=st.lists(st.text(), max_size=2).map(tuple),
    weight=st.integers(0, 99),
    occasion=st.text(max_size=9),
)


@given(findings)
def test_given_any_finding_when_stored_as_columns_then_it_comes_back_the_same(finding: Finding) -> None:
    assert finding_of(SimpleNamespace(**finding_columns(finding))) == finding


def a_finding(rule: str = "rapid-motor-decline", urgency: Urgency = Urgency.SAME_DAY) -> Finding:
    return Finding(
        rule=rule,
        urgency=urgency,
        clinical_at=NOW - timedelta(days=1),
        headline="walking: unaided -> wheelchair in 7 days",
        action=DoseAction(kind="withhold", restart_dose_mg_per_m2=0.7, alternatives=(DoseAction(kind="discontinue"),)),
        criteria=(Criterion(id="loss-of-walking", met=True, text="≥ 1 step", source="J"),),
        evidence=(Evidence(kind="assessment", id="a1", version=3, at=NOW),),
        missing=("csf_protein",),
        weight=4,
        occasion="a1",
    )


def an_alert(patient_id: str = "P-1", rule: str = "rapid-motor-decline", urgency: Urgency = Urgency.SAME_DAY) -> Alert:
    return Alert(
        alert_id=None, patient_id=patient_id, state="open", finding=a_finding(rule, urgency), opened_at=NOW, raised_at=NOW
    )


def opening(alert: Alert) -> Transition:
    return Transition(before=None, after=alert, reason=Reason.NEW)


def test_given_new_alerts_when_saved_then_they_get_ids_and_come_back_exactly(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        saved = alerts.save(connection, [opening(an_alert()), opening(an_alert("P-2"))], now=NOW, policy_sha256="abc")
    assert [transition.after.alert_id for transition in saved] == [1, 2]
    with database.read() as connection:
        assert alerts.of_patients(connection, ["P-1", "P-3"]) == {"P-1": [saved[0].after], "P-3": []}
        assert alerts.all_alerts(connection) == [transition.after for transition in saved]
        assert alerts.by_id(connection, 2) == saved[1].after
        assert alerts.by_id(connection, 3) is None


def test_given_an_alert_when_it_closes_and_another_opens_in_one_step_then_both_are_stored(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        (first,) = alerts.save(connection, [opening(an_alert())], now=NOW)
        closed = first.after.changed(state="withdrawn", closed_at=NOW, holds=False)
        withdrawn = Transition(before=first.after, after=closed, reason=Reason.WITHDRAWN)
        both = alerts.save(connection, [opening(an_alert(urgency=Urgency.IMMEDIATE)), withdrawn], now=NOW)
        assert [transition.after.alert_id for transition in both] == [2, 1]
        assert alerts.all_alerts(connection, open_only=True) == [both[0].after]
        assert alerts.all_alerts(connection, patient_id="P-1") == [closed, both[0].after]
        assert alerts.of_patients(connection, ["P-1"], states=("withdrawn",)) == {"P-1": [closed]}
        events = alerts.events_of(connection, [1, 2])
    assert [(event.reason, event.urgency) for event in events[1]] == [("new", "same-day"), ("withdrawn", "same-day")]
    assert [event.reason for event in events[2]] == ["new"]


def test_given_an_open_alert_when_another_of_its_rule_is_saved_then_it_is_refused(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        alerts.save(connection, [opening(an_alert())], now=NOW)
    with pytest.raises(DatabaseError, match="refused a row"), database.write() as connection:
        alerts.save(connection, [opening(an_alert())], now=NOW)


def test_given_an_alert_when_a_person_acknowledges_it_then_who_and_why_are_appended(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        (first,) = alerts.save(connection, [opening(an_alert())], now=NOW)
        seen = first.after.changed(state="acknowledged", acknowledged_at=NOW, acknowledged_by="N. Urse")
        alerts.record_act(connection, seen, act="acknowledged", by="N. Urse", note="called the ward", now=NOW)
        assert alerts.by_id(connection, 1) == seen
        event = alerts.events_of(connection, [1])[1][-1]
    assert event == alerts.AlertEvent(1, NOW, "acknowledged", "same-day", "N. Urse", "called the ward", None)


def test_given_a_policy_when_recorded_twice_then_alerts_name_it(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    policy = alerts.PolicyRecord("us-label", "2026-1", "abc")
    with database.write() as connection:
        alerts.record_policy(connection, policy, NOW)
        alerts.record_policy(connection, policy, NOW + timedelta(days=1))
        alerts.save(connection, [opening(an_alert())], now=NOW, policy_sha256="abc")
        alerts.save(connection, [opening(an_alert("P-2"))], now=NOW)
        assert alerts.policies_of(connection, [1, 2]) == {1: policy}


def test_given_no_transition_when_saved_then_nothing_happens(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        assert alerts.save(connection, [], now=NOW) == ()


def test_given_names_of_alerts_when_read_then_only_ours_are_understood() -> None:
    assert alerts.alert_id_of(alerts.public_id(7)) == 7
    assert [alerts.alert_id_of(text) for text in ("a-7", "A-0", "7", "A-7'", "")] == [7, None, None, None, None]
