"""What the pages of the board say, and to whom."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from monitor.config.settings import Coverage
from monitor.service.acts import acknowledge, snooze
from monitor.service.coverage import daily_statement
from monitor.store import board
from monitor.store.tables import ALERTS
from tests.service.clinic import on
from tests.web.house import ADMIN, AUDITOR, FOREIGN_NURSE, NURSE, House

pytestmark = pytest.mark.both_engines

SCAN = re.compile(r"\bSCAN (?!alert_events$|alerts USING INDEX uq_alerts_still_open|messages USING COVERING|CONSTANT)")
"""Walking through a table, but through the few open alerts by their own index, or from the end to the first row."""


def words_of(html: str) -> str:
    """The page as it is read: no tags, one space."""
    return re.sub(r" ([.,:;)])", r"\1", " ".join(re.sub(r"<[^>]+>", " ", html).split())).replace("( ", "(")


def page(house: House, path: str, viewer: str = NURSE) -> str:
    answer = house.browser_of(viewer).get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_given_no_alert_when_the_list_is_opened_then_it_says_since_when_and_how_old_the_newest_fact_is(house: House) -> None:
    house.clinic.on_bortezomib("P-1")
    house.clinic.assess("P-1", 35, sensory_grade=0, motor_grade=0, neuropathic_pain="no", walking="unaided")
    house.clinic.poll(on(36, 8))
    words = words_of(page(house, "/"))
    assert "No alert is open." in words
    assert "There never was an alert" in words
    assert "Silence is not health" in words
    assert "Newest fact: 9 Feb 2026, 14:00 (19 h ago)" in words


def test_given_a_feed_that_went_quiet_when_the_list_is_opened_then_its_silence_is_no_good_news(house: House) -> None:
    house.clinic.on_bortezomib("P-1")
    house.later(days=8)
    html = page(house, "/")
    assert "No new fact has come in for a long time." in html
    assert "notice good" not in html


def test_given_an_open_alert_when_listed_then_who_was_told_who_is_next_and_until_when_are_said(house: House) -> None:
    house.worse("P-1", site="North")
    words = words_of(page(house, "/"))
    assert "■ IMMEDIATE P-1 North, team north" in words
    assert "wheelchair" in words
    assert "Nurse North: accepted by the mail relay" in words
    assert "Second North: accepted by the mail relay" in words
    assert "Next, unless somebody answers" in words
    assert "Acknowledge by" in words


def test_given_alerts_of_several_urgencies_when_listed_then_the_most_urgent_is_first_then_the_oldest(house: House) -> None:
    house.clinic.on_bortezomib("P-0")
    house.clinic.assess("P-0", 35, sensory_grade=2, motor_grade=0, neuropathic_pain="no")
    house.clinic.poll(on(36, 7))
    house.worse("P-2")
    house.later(hours=1)
    house.clinic.on_bortezomib("P-1")
    house.clinic.assess("P-1", 28, motor_grade=0, walking="unaided")
    house.clinic.assess("P-1", 36, motor_grade=3, walking="wheelchair", known=house.now)
    house.clinic.poll(house.now)
    assert re.findall(r'<a class="open" href="/alerts/\d+">(.*?)</a>', page(house, "/")) == ["P-2", "P-1", "P-0"]


def test_given_a_nurse_when_she_lists_then_she_sees_the_patients_of_her_teams_only(house: House) -> None:
    house.worse("P-1", site="North")
    assert "P-1" in page(house, "/")
    assert "P-1" not in page(house, "/", FOREIGN_NURSE)


def test_given_an_admin_when_he_lists_then_he_sees_all_sites_and_opens_nobody(house: House) -> None:
    house.worse("P-1", site="South")
    html = page(house, "/", ADMIN)
    assert "P-1" in html
    assert "/alerts/" not in html


def test_given_several_teams_when_one_is_chosen_then_the_list_is_that_teams(house: House) -> None:
    house.worse("P-1", site="North")
    house.worse("P-2", site="South")
    assert "P-2" in page(house, "/", AUDITOR)
    narrowed = page(house, "/?team=north", AUDITOR)
    assert "P-1" in narrowed
    assert "P-2" not in narrowed


def test_given_an_acknowledged_alert_that_still_holds_when_listed_then_it_is_in_the_second_list(house: House) -> None:
    house.worse("P-1")
    for alert in house.clinic.alerts(open_only=True):
        acknowledge(house.clinic.site, f"A-{alert.alert_id}", by="Nurse North", note=None, now=house.now)
    words = words_of(page(house, "/"))
    assert "No alert is open." in words
    assert "acknowledged by Nurse North" in words.partition("Acknowledged, and still holding")[2]


def test_given_a_snoozed_alert_when_listed_then_it_says_until_when_by_whom_and_why(house: House) -> None:
    house.clinic.on_bortezomib("P-1")
    house.clinic.assess("P-1", 35, sensory_grade=2, motor_grade=0, neuropathic_pain="no")
    house.clinic.poll(on(36, 8))
    alert = house.clinic.alerts(open_only=True)[0]
    until = house.now + timedelta(hours=5)
    snooze(house.clinic.site, f"A-{alert.alert_id}", until=until, by="Nurse North", reason="dose is tomorrow", now=house.now)
    assert "Held back until 10 Feb 2026, 14:00: Nurse North, dose is tomorrow" in words_of(page(house, "/"))


def test_given_the_list_when_it_is_to_stand_still_then_it_does_not_renew_itself(house: House) -> None:
    assert house.browser_of(NURSE).get("/").headers["refresh"] == "60"
    assert "refresh" not in house.browser_of(NURSE).get("/?still=1").headers


@pytest.mark.parametrize("level", ["none", "pseudonym", "identified"])
def test_given_a_level_of_privacy_when_pages_are_shown_then_a_name_is_there_where_people_are_identified(
    house: House, level: str
) -> None:
    house.worse("P-1", display_name="Muster, Erika")
    house.reconfigure(privacy=level)
    for path in ("/", "/alerts/1"):
        assert ("Muster, Erika" in page(house, path)) == (level == "identified")
        assert "P-1" in page(house, path)
    assert "Muster" not in page(house, "/", ADMIN)


def test_given_hostile_names_and_notes_when_shown_then_they_are_text(house: House) -> None:
    hostile = "<script>alert(1)</script>\u202e"
    house.worse("P-1", display_name=hostile, site="North <b>")
    house.reconfigure(privacy="identified")
    acknowledge(house.clinic.site, "A-1", by="Nurse North", note="<img src=x onerror=alert(1)>\nsecond line", now=house.now)
    for path in ("/", "/alerts/1"):
        html = page(house, path)
        assert not any(each in html for each in ("<script", "<img", "North <b>", "\u202e"))
        assert "&lt;script&gt;" in html


def test_given_a_patients_page_when_read_then_criteria_history_and_mails_are_on_it(house: House) -> None:
    house.worse("P-1")
    acknowledge(house.clinic.site, "A-1", by="Nurse North", note="neurology called", now=house.now)
    words = words_of(page(house, "/alerts/1"))
    for each in (
        "What changed",
        "On bortezomib",
        "Met:",
        "Not met:",
        "source:",
        "neurology called",
        "acknowledged",
        "Approved by",
    ):
        assert each in words
    assert "Nurse North, north-1@hospital.example accepted by the mail relay" in words
    assert "None" not in words


def test_given_a_closed_alert_when_its_page_is_opened_then_it_says_so_and_asks_for_nothing(house: House) -> None:
    house.worse("P-1")
    house.clinic.assess("P-1", 35, source="P-1-a35", motor_grade=0, walking="unaided", known=on(36, 8, 30))
    house.clinic.poll(on(36, 8, 40))
    assert house.clinic.alert("P-1", "rapid-motor-decline").state == "withdrawn"
    number = house.clinic.alert("P-1", "rapid-motor-decline").alert_id
    html = page(house, f"/alerts/{number}")
    assert "withdrawn" in words_of(html)
    assert "/acknowledge" not in html


def test_given_an_unreadable_record_when_its_page_is_opened_then_the_alert_is_there_and_the_trouble_is_said(house: House) -> None:
    house.worse("P-1")
    with house.clinic.another_program() as connection:
        connection.execute("UPDATE assessments SET assessed_at = '2026-02-30' WHERE patient_id = 'P-1'")
    words = words_of(page(house, "/alerts/1"))
    assert "cannot be read" in words
    assert "wheelchair" in words


def test_given_an_identifier_when_looked_for_then_it_is_in_no_address_and_the_view_is_kept(house: House) -> None:
    house.worse("P-1", site="North")
    answer = house.browser_of(NURSE).post("/find", data={"patient": " P-1 "})
    assert 'href="/alerts/1"' in answer.text
    assert str(answer.url).endswith("/find")
    assert [body["patient_id"] for _, body in house.journaled("view")] == ["P-1"]


def test_given_a_foreign_or_unknown_identifier_when_looked_for_then_the_answers_are_the_same(house: House) -> None:
    house.worse("P-1", site="North")
    browser = house.browser_of(FOREIGN_NURSE)
    foreign, unknown = (browser.post("/find", data={"patient": each}).text.replace(each, "X") for each in ("P-1", "P-9"))
    assert foreign == unknown
    assert house.journaled("view") == []


def test_given_a_patient_without_alerts_when_looked_for_then_silence_is_not_called_health(house: House) -> None:
    house.clinic.on_bortezomib("P-1")
    words = words_of(house.browser_of(NURSE).post("/find", data={"patient": "P-1"}).text)
    assert "P-1 is known, and no alert was ever raised." in words
    assert "Silence is not health" in words


def test_given_the_policy_page_when_read_then_every_threshold_has_unit_source_and_mark(house: House) -> None:
    html = page(house, "/policy")
    words = words_of(html)
    for each in (
        "No number here is validated.",
        "motor.sum_fall",
        "points: 6 points of the MRC sum",
        "J:",
        "Dose table",
        "sha256",
    ):
        assert each in words
    assert house.clinic.site.policy.sha256 in html
    rows = re.findall(r"<tr role=\"row\"><th scope=\"row\" role=\"rowheader\"><code>.*?</tr>", html, re.DOTALL)
    assert len(rows) > 35
    for row in rows:
        marked = re.findall(r'<td [^>]*lang="en">(.*?)</td>', row)
        assert all(marked) if marked else "none of its own; see the clauses below" in row
    numbers = re.findall(r"<li><code>(\w+)</code>: <strong>[\d.e+-]+</strong>(.*?)</li>", html)
    assert len(numbers) > 80
    assert [name for name, unit in numbers if not unit.strip()] == []


def test_given_a_statement_when_the_coverage_page_is_read_then_it_is_there_with_its_hash(house: House) -> None:
    house.worse("P-1")
    assert "No statement was ever made." in page(house, "/coverage", ADMIN)
    house.reconfigure(coverage=Coverage())
    daily_statement(house.clinic.site, house.now)
    words = words_of(page(house, "/coverage", ADMIN))
    assert "Clean: everybody who had to be told was told." in words
    assert re.search(r"Assessments read \d", words)


def test_given_a_relay_and_rounds_when_the_health_page_is_read_then_their_state_is_there(house: House) -> None:
    house.worse("P-1")
    words = words_of(page(house, "/health", ADMIN))
    assert "Accepted by the relay 2" in words
    assert "■ IMMEDIATE" in words
    assert "P-1" not in words


def test_given_views_when_the_journal_page_is_read_then_who_looked_at_whom_is_there_page_by_page(house: House) -> None:
    house.worse("P-1")
    page(house, "/alerts/1")
    words = words_of(page(house, "/journal?event=view", AUDITOR))
    assert "patient P-1" in words
    assert "by: Nurse North" in words
    first = page(house, "/journal", AUDITOR)
    number = max(int(each) for each in re.findall(r'class="number">(\d+)<', first))
    assert f'class="number">{number}<' not in page(house, f"/journal?before={number}", AUDITOR)


@pytest.mark.sqlite_only("as SQLite explains its plans")
def test_given_many_patients_and_closed_alerts_when_the_list_is_read_then_only_what_is_open_is(house: House) -> None:
    house.worse("P-1")
    statements: list[tuple[str, Any]] = []
    engine = house.clinic.site.database.engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append((given[2], given[3])))
    with house.clinic.site.database.read() as connection:
        every = board.still_open(connection)
        board.names_of(connection, ["P-1"])
        board.told(connection, {each.alert_id: each.patient_id for each in every}, since=every[0].opened_at)
        board.last_event_at(connection)
        asked = [each for each in statements if each[0].startswith("SELECT")]
        plans = [
            " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)) for text, values in asked
        ]
    assert len(plans) >= 5
    for plan in plans:
        assert not SCAN.search(plan), plan


def test_given_more_patients_than_a_page_shows_when_listed_then_only_what_is_shown_is_read_whole(house: House) -> None:
    house.worse(*(f"P-{number:03}" for number in range(102)))
    with house.clinic.site.database.write() as connection:
        last = connection.execute(select(ALERTS.c.id).where(ALERTS.c.patient_id == "P-101")).scalars()
        connection.execute(update(ALERTS).where(ALERTS.c.id.in_(list(last))).values(criteria="["))  # cannot be read
    assert "P-099" in page(house, "/")
