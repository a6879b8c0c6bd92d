"""A nurse answers on the board: the forms without a script, what is said after, and what is refused with what she wrote."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitor.clinical.alerts import Alert
from monitor.service.journal_export import export
from tests.service.clinic import NORTH, on
from tests.service.test_acts import acts_of, events
from tests.service.test_rounds_and_mails import LAME, LOST, WELL, watched
from tests.web.house import ADMIN, AUDITOR, FOREIGN_NURSE, NURSE, House

pytestmark = pytest.mark.both_engines

SECOND = NORTH[1]


def told(house: House, found: dict[str, Any], rule: str) -> Alert:
    """P-1 as found on day 36; both nurses of North told, and the clock an hour on."""
    watched(house.clinic, "P-1")
    house.clinic.assess("P-1", 36, **found)
    house.clinic.watch(on(36, 15))
    house.now = on(36, 16)
    return house.clinic.alert("P-1", rule)


@pytest.fixture
def lost(house: House) -> Alert:
    return told(house, LOST, "rapid-motor-decline")


@pytest.fixture
def lame(house: House) -> Alert:
    """An alert of the same day, which can be snoozed."""
    told(house, LAME, "rapid-motor-decline")
    return next(each for each in house.clinic.alerts() if each.urgency.value == "same-day")


def path(alert: Alert, act: str = "") -> str:
    return f"/alerts/{alert.alert_id}" + (f"/{act}" if act else "")


def seen(browser: TestClient, alert: Alert) -> dict[str, str]:
    """The hidden field of the page, as a form would send it."""
    page = browser.get(path(alert))
    assert page.status_code == 200, page.text
    found = re.search(r'name="seen_of" value="([^"]+)"', page.text)
    assert found is not None
    return {"seen_of": html.unescape(found[1])}


def sent(browser: TestClient, alert: Alert, act: str, **fields: str) -> str:
    """The words of the message on the page that a form leads to."""
    answer = browser.post(path(alert, act), data=seen(browser, alert) | fields)
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    assert re.fullmatch(rf"/alerts/{alert.alert_id}\?said=[a-z-]+#said", place)
    return status(browser.get(place).text)


def status(page: str) -> str:
    found = re.search(r'role="status" id="said" tabindex="-1"><p>(.*?)</p>', page, re.DOTALL)
    return "" if found is None else html.unescape(re.sub(r"<[^>]+>", "", found[1]))


def now_of(house: House, alert: Alert) -> Alert:
    return next(each for each in house.clinic.alerts() if each.alert_id == alert.alert_id)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"what": "seen"}, "seen"),
        ({"what": "dose-reviewed:held", "note": "until Monday"}, "dose-reviewed:held"),
        ({"what": "re-test-booked", "on": "2026-02-17"}, "re-test-booked:2026-02-17"),
        ({"what": "disagree:known-cause", "note": "hip operation"}, "disagree:known-cause"),
    ],
)
def test_given_an_answer_when_sent_then_the_alert_is_acknowledged_with_it_and_the_page_says_so(
    house: House, lost: Alert, fields: dict[str, str], kept: str
) -> None:
    browser = house.browser_of(NURSE)
    assert sent(browser, lost, "acknowledge", **fields) == "Acknowledged. Nobody else is told, no reminder goes."
    after = now_of(house, lost)
    assert (after.state, after.acknowledged_by, after.acknowledged_note) == ("acknowledged", "Nurse North", fields.get("note"))
    (act,) = acts_of(house.clinic, lost)
    assert (act["what"], act["how"], act["address"], act["by"]) == (kept, "board", NURSE, "Nurse North")
    assert "Acknowledge</button>" not in browser.get(path(lost)).text


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "Choose what was done."),
        ({"what": "cured"}, "Choose what was done."),
        ({"what": "re-test-booked"}, "Choose the day of the re-test."),
        ({"what": "re-test-booked", "on": "2026-02-09"}, "from today on, within a year"),
        ({"what": "seen", "note": "n" * 501}, "at most 500 characters"),
    ],
)
def test_given_an_answer_that_lacks_something_when_sent_then_the_form_comes_back_with_what_was_written(
    house: House, lost: Alert, fields: dict[str, str], problem: str
) -> None:
    browser = house.browser_of(NURSE)
    answer = browser.post(path(lost, "acknowledge"), data=seen(browser, lost) | {"note": "<b>mine</b>"} | fields)
    assert answer.status_code == 422
    assert problem in answer.text
    assert fields.get("note", "&lt;b&gt;mine&lt;/b&gt;") in answer.text
    assert now_of(house, lost).state == "open"


def test_given_two_nurses_when_both_press_at_once_then_one_acknowledged_and_the_other_is_told_who_did(
    house: House, lost: Alert
) -> None:
    together, browsers = Barrier(2), [house.browser_of(NURSE), house.browser_of(SECOND)]
    ready = [seen(browser, lost) for browser in browsers]

    def press(place: int) -> str:
        together.wait(10)
        answer = browsers[place].post(path(lost, "acknowledge"), data=ready[place] | {"what": "seen"})
        assert answer.status_code == 303
        return str(answer.headers["location"])

    with ThreadPoolExecutor(2) as pool:
        places = [each.result(20) for each in [pool.submit(press, 0), pool.submit(press, 1)]]
    said = [status(browser.get(place).text) for browser, place in zip(browsers, places, strict=True)]
    (event,) = events(house.clinic, lost)
    winner, loser = (0, 1) if event.by == "Nurse North" else (1, 0)
    assert said[winner].startswith("Acknowledged.")
    assert said[loser].startswith(f"{event.by} had acknowledged it before you, at 10 Feb 2026, 16:00 +01:00")


def test_given_a_page_from_before_the_alert_grew_worse_when_answered_then_nothing_is_done_and_the_new_state_is_shown(
    house: House,
) -> None:
    alert = told(house, LAME, "rapid-motor-decline")
    browser = house.browser_of(NURSE)
    old = seen(browser, alert)
    house.clinic.assess("P-1", 36, known=on(36, 18), source="P-1-later", **LOST)
    house.clinic.watch(on(36, 19))
    house.now = on(36, 20)
    for act, fields in (
        ("acknowledge", {"what": "seen"}),
        ("pass-on", {}),
        ("snooze", {"until": "2026-02-12T10:00", "reason": "x"}),
    ):
        answer = browser.post(path(alert, act), data=old | fields)
        shown = browser.get(answer.headers["location"]).text
        assert "the alert has changed since your page was made" in status(shown)
        assert "wheelchair" in shown
    assert browser.post(path(alert, "acknowledge"), data={"what": "seen"}).headers["location"].endswith("said=changed#said")
    assert (now_of(house, alert).state, acts_of(house.clinic, alert)) == ("open", [])


def test_given_an_alert_that_is_not_hers_when_passed_on_then_it_stays_open_and_the_page_says_who_is_next(
    house: House, lost: Alert
) -> None:
    browser = house.browser_of(NURSE)
    assert "Nobody is next" in browser.get(path(lost)).text
    assert sent(browser, lost, "pass-on", reason="not my ward").startswith("Nobody is next for this alert.")
    assert {"watch", "post"} <= set(house.woken)
    assert sent(browser, lost, "pass-on").startswith("Nobody is next for this alert.")
    assert now_of(house, lost).state == "open"
    (act,) = acts_of(house.clinic, lost)
    assert (act["act"], act["note"], act["address"]) == ("passed-on", "not my ward", NURSE)


def test_given_an_alert_that_may_wait_when_snoozed_then_it_waits_as_long_as_it_may_and_the_page_says_until_when(
    house: House, lame: Alert
) -> None:
    browser = house.browser_of(NURSE)
    assert "For at most 3 days from now." in browser.get(path(lame)).text
    for fields, problem in (
        ({"until": "2026-02-11T08:00"}, "Say why it may wait."),
        ({"until": "soon", "reason": "seen at six"}, "Choose the day and the time"),
        ({"until": "2026-02-20T08:00", "reason": "seen at six"}, "at most 72 h"),
        ({"until": "2026-02-10T08:00", "reason": "seen at six"}, "in the future"),
    ):
        answer = browser.post(path(lame, "snooze"), data=seen(browser, lame) | fields)
        assert (answer.status_code, problem in answer.text) == (422, True)
    until = sent(browser, lame, "snooze", until="2026-02-11T08:00", reason="seen at six")
    assert until == "Snoozed until 11 Feb 2026, 08:00 +01:00. Worse news ends that."
    assert now_of(house, lame).snoozed_until == on(37, 8)


def test_given_an_immediate_alert_when_snoozed_then_the_page_says_why_it_cannot_be(house: House, lost: Alert) -> None:
    browser = house.browser_of(NURSE)
    assert 'name="until"' not in browser.get(path(lost)).text
    fields = seen(browser, lost) | {"until": "2026-02-11T08:00", "reason": "later"}
    answer = browser.post(path(lost, "snooze"), data=fields)
    assert answer.status_code == 422
    assert "an immediate alert cannot be snoozed" in answer.text
    assert now_of(house, lost).snoozed_until is None


def test_given_an_alert_whose_cause_is_over_when_acknowledged_then_it_is_closed_and_cannot_be_passed_on(
    house: House, lost: Alert
) -> None:
    house.clinic.assess("P-1", 37, **WELL)
    house.clinic.watch(on(37, 15))
    house.now = on(37, 16)
    browser = house.browser_of(NURSE)
    assert "Not mine" not in browser.get(path(lost)).text
    assert sent(browser, lost, "acknowledge", what="seen") == "Acknowledged, and closed: what it told of is over."


@pytest.mark.parametrize("act", ["acknowledge", "pass-on", "snooze"])
@pytest.mark.parametrize("address", [FOREIGN_NURSE, ADMIN, AUDITOR, None])
def test_given_somebody_who_may_not_when_he_answers_then_nothing_is_done(
    house: House, lost: Alert, act: str, address: str | None
) -> None:
    browser = house.browser() if address is None else house.browser_of(address)
    fields = {"what": "seen", "seen_of": lost.raised_at.isoformat(), "reason": "x", "until": "2026-02-11T08:00"}
    assert browser.post(path(lost, act), data=fields).status_code in (403, 404)
    assert (now_of(house, lost), acts_of(house.clinic, lost)) == (lost, [])


def test_given_a_page_of_another_site_when_it_posts_then_nothing_is_done(house: House, lost: Alert) -> None:
    browser = house.browser_of(NURSE)
    fields = seen(browser, lost) | {"what": "seen"}
    answer = browser.post(path(lost, "acknowledge"), data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert now_of(house, lost) == lost


def test_given_every_view_when_a_nurse_answers_then_the_journal_has_the_views_and_the_act(house: House, lost: Alert) -> None:
    browser = house.browser_of(NURSE)
    sent(browser, lost, "acknowledge", what="seen")
    kept = [entry.event for entry in export(house.clinic.site, patient_id="P-1") if entry.event in ("view", "act")]
    assert kept == ["view", "act", "view"]


def test_given_several_open_alerts_when_answered_then_the_same_answer_is_kept_for_those_left_ticked(
    house: House, lost: Alert
) -> None:
    browser = house.browser_of(NURSE)
    page = browser.get(path(lost)).text
    fields = dict(re.findall(r'name="(also-[0-9]+)" value="([^"]+)" checked', page))
    others = [each for each in house.clinic.alerts() if each.alert_id != lost.alert_id]
    assert set(fields) == {f"also-{each.alert_id}" for each in others}
    kept = fields.popitem()[0]
    assert sent(browser, lost, "acknowledge", what="dose-reviewed:held", **fields).startswith("Acknowledged.")
    still = [f"also-{each.alert_id}" for each in house.clinic.alerts() if each.state == "open"]
    assert still == [kept]
    assert all(act["what"] == "dose-reviewed:held" for each in others for act in acts_of(house.clinic, each))


def test_given_another_patients_alert_among_those_ticked_when_answered_then_nothing_is_done(house: House, lost: Alert) -> None:
    watched(house.clinic, "P-2", site="South")
    house.clinic.assess("P-2", 36, known=on(36, 15), **LOST)
    house.clinic.watch(on(36, 15, 30))
    foreign = house.clinic.alert("P-2", "rapid-motor-decline")
    browser = house.browser_of(NURSE)
    fields = seen(browser, lost) | {"what": "seen", f"also-{foreign.alert_id}": foreign.raised_at.isoformat()}
    answer = browser.post(path(lost, "acknowledge"), data=fields)
    assert (answer.status_code, "not of one patient" in answer.text) == (422, True)
    assert (now_of(house, lost).state, now_of(house, foreign).state) == ("open", "open")


def test_given_a_further_alert_that_spoke_anew_when_answered_together_then_none_is_acknowledged(
    house: House, lost: Alert
) -> None:
    browser = house.browser_of(NURSE)
    page = browser.get(path(lost)).text
    name = re.findall(r'name="(also-[0-9]+)"', page)[0]
    for value in ("2026-02-09T00:00:00+00:00", "long ago"):
        answer = browser.post(path(lost, "acknowledge"), data=seen(browser, lost) | {"what": "seen", name: value})
        assert answer.headers["location"].endswith("said=changed#said")
    assert now_of(house, lost).state == "open"


def test_given_a_database_that_cannot_be_written_when_a_patient_is_opened_then_nothing_of_him_is_shown(
    house: House, lost: Alert
) -> None:
    browser = house.browser_of(NURSE)
    with house.clinic.another_program() as connection:
        connection.refuse("no_room", "journal")
    page = browser.get(path(lost))
    assert (page.status_code, "P-1" in page.text, "wheelchair" in page.text) == (503, False, False)
