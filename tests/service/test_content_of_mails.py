"""What a mail that really went out tells of: when things happened, other guidelines, what would have turned it, background."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from monitor.clinical.turning import turning_points
from monitor.service.mailing import mail_site
from monitor.store import histories
from tests.service.clinic import ZONE, Clinic, on
from tests.service.test_rounds_and_mails import LAME, LOST, WELL, watched

INSTANT = r"\d{1,2} \w{3} 2026, \d\d:\d\d \+\d\d:\d\d"
PAINFUL: dict[str, Any] = {"sensory_grade": 2, "motor_grade": 0, "neuropathic_pain": "yes", "walking": "unaided"}


def text_of(clinic: Clinic, number: int, hour: int = 15) -> str:
    """The first mail of a poll, on one line."""
    return on_one_line(clinic.poll(on(number, hour)).mails[0].text)


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def test_given_an_assessment_when_mailed_then_each_instant_on_its_way_is_told_and_no_time_of_arrival(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, known=on(36, 14), **LOST)
    text = text_of(clinic, 36)
    assert "Assessed: 10 Feb 2026" in text
    for label, at in (("Recorded", "14:00"), ("Received", "14:00"), ("Evaluated", "15:00")):
        assert f"{label}: 10 Feb 2026, {at} +01:00" in text
    assert "Sent: see the date of this mail." in text


def test_given_a_correction_when_mailed_then_received_and_evaluated_are_told(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LAME)
    clinic.poll(on(36, 15))
    clinic.assess("P-1", 36, known=on(37, 10), **WELL)
    text = text_of(clinic, 37, 11)
    assert "Clinical facts of: 10 Feb 2026 " in text
    for label in ("Received", "Evaluated"):
        assert re.search(rf"{label}: {INSTANT}", text)


def test_given_a_question_of_the_dose_when_mailed_then_the_other_guidelines_answer_and_who_disagrees_is_named(
    clinic: Clinic,
) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **PAINFUL)
    text = text_of(clinic, 36)
    for guideline in clinic.site.policy.others:
        assert f"{guideline.title}: " in text
    assert "The guidelines disagree: " in text


def test_given_an_alert_when_mailed_then_what_would_have_turned_it_is_what_the_rules_say(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, walking="wheelchair")
    text = text_of(clinic, 36)
    with clinic.site.database.read() as connection:
        known = histories.load(connection, ["P-1"], ZONE).histories["P-1"].as_known_at(on(36, 15))
    alert = clinic.alert("P-1", "rapid-motor-decline")
    points = turning_points(known, clinic.site.policy, on(36, 15), alert.finding)
    assert [point.urgency for point in points][-1] is None
    assert all(point.said in text for point in points)


def test_given_a_site_that_shows_nothing_of_patients_when_mailed_then_course_and_background_stay_away(clinic: Clinic) -> None:
    watched(clinic, "P-1", comorbidities="hypothyreosis")
    clinic.assess("P-1", 36, **LOST)
    assert "thyroid disease" in text_of(clinic, 36)
    hidden = replace(clinic, site=replace(clinic.site, settings=replace(clinic.site.settings, privacy="none")))
    assert mail_site(hidden.site, "north").privacy == "none"
    clinic.on_bortezomib("P-2", comorbidities="hypothyreosis")
    clinic.assess("P-2", 30, **WELL)
    clinic.assess("P-2", 36, known=on(37, 9), **LOST)
    text = text_of(hidden, 37)
    assert "P-2" not in text
    assert "thyroid disease" not in text
    assert "sensory 0" not in text
