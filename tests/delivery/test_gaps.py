"""What was not recorded is named in the mail, with what could not be told without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clinical.alerts import Alert
from monitor.clinical.evaluate import evaluate
from monitor.clinical.history import NOT_TESTED, Assessment, History
from monitor.clinical.situation import situate
from monitor.delivery.compose import Site, alert_facts
from monitor.delivery.gaps import EFFECTS, MEASURES, missing_in_words
from monitor.delivery.render import render
from tests.builders import PATIENT_ID, a_course, a_history, an_assessment, full_power, noon, shipped_policy, weekly_doses
from tests.delivery.test_compose import WITHIN
from tests.drawn_histories import drawn_histories, instants

POLICY = shipped_policy()
NOW = noon(15)
COMPLETE = an_assessment(
    14,
    sensory_grade=2,
    motor_grade=3,
    autonomic_grade=2,
    neuropathic_pain=False,
    walking="wheelchair",
    gbs_disability=4,
    reflexes="absent",
    systolic_lying=130,
    systolic_standing=105,
    diastolic_lying=80,
    diastolic_standing=66,
    mrc=full_power(tibialis_anterior_left="2", quadriceps_left="3"),
)
WELL = an_assessment(0, sensory_grade=0, motor_grade=0, walking="unaided", gbs_disability=0, mrc=full_power())
BLANK: dict[str, Any] = {name: None for name in MEASURES if hasattr(COMPLETE, name)} | {"mrc": NOT_TESTED}


def with_gaps(visit: Assessment, gaps: set[str]) -> Assessment:
    blank = {name: BLANK[name] for name in gaps}
    if "mrc" in gaps:
        blank["mrc_sum"] = None
    return replace(visit, **blank)


def mail_about(history: History, now: datetime) -> tuple[set[tuple[str, str]], str]:
    """What each finding misses, by rule, and the mail that is told about all of them, on one line."""
    known = history.as_known_at(now)
    findings = evaluate(known, POLICY, now).findings
    alerts = [
        Alert(alert_id=number, patient_id=PATIENT_ID, state="open", finding=finding, opened_at=now, raised_at=now)
        for number, finding in enumerate(findings, start=1)
    ]
    missing = {(finding.rule, name) for finding in findings for name in finding.missing}
    if not alerts:
        return missing, ""
    site = Site(policy=POLICY, privacy="pseudonym", acknowledge_within=WITHIN)
    facts = alert_facts(alerts, site=site, history=known, situation=situate(known, POLICY, now), now=now)
    return missing, " ".join(render("alert", facts).text.split())


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from(sorted(BLANK))))
def test_given_any_gaps_in_a_visit_when_told_then_each_that_matters_is_named_with_its_effect(gaps: set[str]) -> None:
    history = a_history(a_course(), *weekly_doses(3), WELL, with_gaps(COMPLETE, gaps))
    missing, text = mail_about(history, NOW)
    for rule, name in missing:
        assert str(missing_in_words(rule, name)) in text
        assert EFFECTS[name] in missing_in_words(rule, name) or rule in ("dose-modification", "worsening-after-discontinuation")
    assert not {name for rule, name in missing if rule == "autonomic-neuropathy"} - gaps


@settings(max_examples=25, deadline=None)
@given(drawn_histories, instants)
def test_given_any_record_when_something_is_missing_then_there_are_words_for_it_and_its_effect(
    history: History, now: datetime
) -> None:
    for finding in evaluate(history, POLICY, now, explain=False).findings:
        for name in finding.missing:
            assert name in MEASURES
            assert name in EFFECTS
            assert missing_in_words(finding.rule, name).startswith(f"{MEASURES[name]}: not recorded; ")


def test_given_pain_not_asked_for_when_told_then_the_mail_says_that_the_answer_depends_on_it() -> None:
    visit = with_gaps(an_assessment(14, sensory_grade=2, motor_grade=0), {"neuropathic_pain"})
    _, text = mail_about(a_history(a_course(), *weekly_doses(3), visit), NOW)
    assert "neuropathic pain: not recorded; the guideline's answer can be another with pain" in text
