"""A mail of which a part cannot be made goes without that part, in words that everybody has."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Finding, Urgency
from monitor.clinical.history import History
from monitor.clinical.situation import situate
from monitor.delivery.compose import Site, alert_facts
from monitor.delivery.facts import AlertFacts
from monitor.delivery.language import LANGUAGES, said_in
from monitor.delivery.render import render
from monitor.said import Said, say
from tests.builders import NOW, PATIENT_ID, a_course, a_finding, a_history, a_patient, an_assessment, shipped_policy, weekly_doses

WITHIN = dict.fromkeys(Urgency, timedelta(hours=1))


def facts_of(finding: Finding, history: History) -> AlertFacts:
    alert = Alert(alert_id=12, patient_id=PATIENT_ID, state="open", finding=finding, opened_at=NOW, raised_at=NOW)
    site = Site(policy=shipped_policy(), privacy="pseudonym", acknowledge_within=WITHIN, team="day-clinic")
    return alert_facts([alert], site=site, history=history, situation=situate(history, site.policy, NOW), now=NOW)


def test_given_an_alert_of_a_rule_that_this_version_does_not_know_when_told_then_nothing_is_said_of_what_would_turn_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    history = a_history(a_course(), *weekly_doses(8), a_patient())
    facts = facts_of(a_finding("a-rule-of-another-version", headline="walking: cane -> wheelchair"), history)
    assert facts.findings[0].turning == ()
    assert facts.trend
    assert all("walking: cane -> wheelchair" in render("alert", facts, language=language).text for language in LANGUAGES)
    assert [record.__dict__["part"] for record in caplog.records] == ["turning points"]


def test_given_a_course_that_cannot_be_made_when_told_then_the_mail_goes_without_and_the_log_has_no_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    history = a_history(a_course(), *weekly_doses(8), a_patient())
    broken = replace(history, assessments=(replace(an_assessment(49, motor_grade=1), mrc=(7,)),))
    alert = Alert(alert_id=12, patient_id=PATIENT_ID, state="open", finding=a_finding(), opened_at=NOW, raised_at=NOW)
    site = Site(policy=shipped_policy(), privacy="pseudonym", acknowledge_within=WITHIN, team="day-clinic")
    facts = alert_facts([alert], site=site, history=broken, situation=None, now=NOW)
    assert (facts.trend, facts.trend_more) == ((), None)
    assert facts.changed[0] in render("alert", facts).text
    assert PATIENT_ID not in caplog.text
    assert "course" in [record.__dict__["part"] for record in caplog.records]


@pytest.mark.parametrize(
    "broken",
    [
        Said("walks with a cane", "walks with {aid}", None, {}),
        Said("2 days", "{count} day", "{count} days", {}),
        Said("on a day", "on {day:%Q}", None, {"day": "x"}),
    ],
)
def test_given_a_sentence_that_cannot_be_said_in_a_language_when_told_then_it_is_told_in_english(broken: Said) -> None:
    told = say("{first}; {then}", first=say("not recorded"), then=broken)
    assert [said_in(told, language) for language in LANGUAGES] == [f"not recorded; {broken}", f"nicht erfasst; {broken}"]
