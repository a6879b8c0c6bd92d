"""What ``status`` calls a problem, what it does not, and its one line for a monitoring system."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.service.holder import own_holder
from monitor.service.opening import open_site
from monitor.service.status import StatusReport, status
from monitor.store import escalations, journal, lease, outbox
from monitor.store.rounds import RoundRecord, record_round
from monitor.store.tables import ATTEMPTS, MESSAGES
from monitor.store.troubles import set_trouble
from monitor.store.watch_tables import CIRCUITS
from tests.service.clinic import NORTH, Clinic, a_clinic, on
from tests.service.test_figures import an_alert, an_attempt

pytestmark = pytest.mark.both_engines

NOW = on(36, 15)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def watched(clinic: Clinic, at: datetime = NOW) -> None:
    """A round was done at an instant."""
    with clinic.site.database.write() as connection:
        record_round(connection, RoundRecord(at, at, 0, 0, clinic.site.policy.sha256))


def a_message(
    clinic: Clinic, address: str = NORTH[0], *, due_at: datetime | None = None, now: datetime = NOW, **more: Any
) -> int:
    """A message that waits."""
    with clinic.site.database.write() as connection:
        number = connection.execute(MESSAGES.select()).all()
        message = outbox.NewMessage(
            message_id=f"<{len(number)}@hospital.example>",
            kind="alert",
            recipient_address=address,
            recipient_name="Nurse",
            subject="s",
            text="t",
            html=None,
            due_at=due_at,
        )
        (id_,) = outbox.enqueue(connection, [message], now=now)
        if more:
            connection.execute(MESSAGES.update().where(MESSAGES.c.id == id_).values(**more))
    return id_


def report(clinic: Clinic, now: datetime = NOW) -> StatusReport:
    return status(clinic.site, now)


def test_given_the_process_that_holds_the_lease_when_it_asks_for_itself_then_the_daemon_runs(clinic: Clinic) -> None:
    with clinic.site.database.write() as connection:
        held = lease.acquire(connection, own_holder(NOW), now=NOW, ttl=HOUR)
    assert held is not None
    assert report(clinic).as_json()["daemon"] == "running"
    assert report(clinic, NOW + HOUR).as_json()["daemon"] == "not running"


def the_problem(clinic: Clinic, now: datetime = NOW) -> str:
    (words,) = report(clinic, now).problems
    return words


def test_given_a_round_and_nothing_else_when_asked_then_healthy_and_every_key_is_there(clinic: Clinic) -> None:
    watched(clinic)
    found = report(clinic).as_json()
    assert (found["healthy"], found["problems"]) == (True, [])
    assert found["outbox"] == {"waiting": 0, "accepted": 0, "dead": 0}
    assert found["circuits"] == found["troubles"] == found["nobody_home"] == []
    assert (found["escalations_overdue"], found["alerts_withheld"], found["mails_held_for_later"]) == (0, 0, 0)
    assert (found["last_statement_at"], found["last_good_configuration"]) == (None, False)
    assert found["feed_quiet_after_seconds"] == 7 * 86400


def test_given_a_trouble_when_asked_then_its_words_are_a_problem_with_its_beginning(clinic: Clinic) -> None:
    watched(clinic)
    with clinic.site.database.write() as connection:
        set_trouble(connection, "configuration", "the configuration is refused", NOW - HOUR)
    assert the_problem(clinic) == "the configuration is refused (since 2026-02-10 14:00 CET)"
    assert report(clinic).data["last_good_configuration"] is True


def test_given_an_open_circuit_when_asked_then_which_relay_since_when_and_its_words(clinic: Clinic) -> None:
    watched(clinic)
    row = {"relay": "fallback", "open_since": NOW - HOUR, "failures": 3, "probe_at": NOW, "words": "no answer (at CONNECT)"}
    with clinic.site.database.write() as connection:
        connection.execute(CIRCUITS.insert(), [row, {**row, "relay": "relay", "open_since": None}])
        set_trouble(connection, "fallback-relay", "the fallback relay takes no mail", NOW)  # the same, not said twice
    assert the_problem(clinic).startswith("mail is not going out by the fallback relay since 2026-02-10 14:00 CET: no answer")
    assert [each["relay"] for each in report(clinic).data["circuits"]] == ["fallback"]


def test_given_mail_held_for_the_morning_when_asked_in_the_night_then_it_is_counted_and_no_problem(clinic: Clinic) -> None:
    watched(clinic)
    a_message(clinic, due_at=NOW + HOUR, now=NOW - 9 * HOUR)
    assert report(clinic).problems == ()
    assert report(clinic).data["mails_held_for_later"] == 1
    later = NOW + HOUR + 16 * MINUTE
    watched(clinic, later)
    assert "a message has waited for 16 min" in the_problem(clinic, later)


def test_given_a_mail_refused_for_good_when_a_later_one_is_taken_then_the_problem_is_over(clinic: Clinic) -> None:
    watched(clinic)
    a_message(clinic, state="dead")
    assert "1 message(s) were refused for good" in the_problem(clinic)
    a_message(clinic, state="accepted")
    assert report(clinic).problems == ()
    assert report(clinic).data["outbox"]["dead"] == 1


def test_given_a_mail_refused_for_good_when_the_address_is_not_configured_any_more_then_no_problem(clinic: Clinic) -> None:
    watched(clinic)
    a_message(clinic, "left@hospital.example", state="dead")
    assert report(clinic).problems == ()


@pytest.mark.parametrize(("late", "told"), [(14, False), (16, True)])
def test_given_a_step_of_an_escalation_that_rounds_passed_by_when_asked_then_a_problem(
    clinic: Clinic, late: int, told: bool
) -> None:
    watched(clinic)
    with clinic.site.database.write() as connection:
        due = NOW - late * MINUTE
        alert = an_alert(connection, NOW - HOUR)
        escalations.add(connection, [escalations.Next(alert_id=alert, raised_at=NOW - HOUR, step=1, due_at=due)])
    assert any("should have gone to the next people" in words for words in report(clinic).problems) is told
    assert report(clinic).data["escalations_overdue"] == 1


def test_given_a_quiet_feed_when_asked_then_only_after_the_configured_days_and_only_if_it_ever_spoke(clinic: Clinic) -> None:
    week = timedelta(days=7)
    watched(clinic)
    assert report(clinic).problems == ()
    clinic.tell("patients", {"patient_id": "P-1"}, now=NOW)
    stored_at = datetime.fromisoformat(report(clinic).data["newest_fact_at"])
    for now, count in ((stored_at + week - MINUTE, 0), (stored_at + week + MINUTE, 1)):
        watched(clinic, now)
        assert len(report(clinic, now).problems) == count
    assert "no fact has come in for 7 d" in the_problem(clinic, stored_at + week + MINUTE)


def test_given_a_daily_statement_when_it_is_late_or_has_unexplained_findings_then_a_problem(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more="operations: {address: it@hospital.example}\ncoverage: {}\n") as clinic:
        watched(clinic)
        assert report(clinic).problems == ()
        for unexplained, now, words in (
            (0, NOW + 35 * HOUR, None),
            (0, NOW + 37 * HOUR, "the last daily statement is 37 h old"),
            (2, NOW + HOUR, "2 finding(s) that nobody was told of"),
        ):
            with clinic.site.database.write() as connection:
                journal.append(connection, NOW, journal.Entry("coverage", "statement", {"unexplained": unexplained}))
            watched(clinic, now)
            assert [words in problem for problem in report(clinic, now).problems if words] == ([True] if words else [])
        assert "daily statement   2026-02-10 15:00 CET" in "\n".join(report(clinic).lines)


ROTA = """\
people: {berger: {name: N. Berger, address: berger@hospital.example}}
on_call: {ward: [{days: mon-fri, from: "00:00", until: "24:00", people: [berger]}]}
"""


def test_given_hours_that_would_reach_nobody_when_asked_then_they_are_named(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more=ROTA):
        config = (tmp_path / "monitor.yaml").read_text(encoding="utf-8")
        (tmp_path / "monitor.yaml").write_text(
            config.replace('    sites: ["*"]\n', '    sites: ["*"]\n    escalation: {immediate: [{to: [ward]}]}\n'),
            encoding="utf-8",
        )
    with open_site(tmp_path / "monitor.yaml") as site:
        (gap,) = status(site, NOW).data["nobody_home"]
        assert "escalation step 1 would reach nobody Saturday" in gap
        assert any(gap in words for words in status(site, NOW).problems)


def test_given_health_when_asked_as_a_plug_in_then_one_line_with_figures(clinic: Clinic) -> None:
    watched(clinic)
    line = report(clinic).plugin_line
    assert line.startswith("OK - evaluated up to 15:00, 0 waiting | waiting=0;;;0 dead=0;;;0 ")
    assert all(re.fullmatch(r"[a-z_]+=\d+;;;0", figure) for figure in line.partition(" | ")[2].split(" "))


def test_given_many_problems_when_asked_as_a_plug_in_then_the_first_on_one_line_without_another_bar(clinic: Clinic) -> None:
    watched(clinic)
    with clinic.site.database.write() as connection:
        for number in range(5):
            set_trouble(connection, f"trouble-{number}", "a | b\nc", NOW)
    line = report(clinic).plugin_line
    assert line.startswith("CRITICAL - a / b c (since ")
    assert "(and 2 more) | waiting=0" in line
    assert (line.count("|"), line.count("\n")) == (1, 0)


def test_given_messages_attempts_and_troubles_when_shown_then_no_address_is(clinic: Clinic) -> None:
    watched(clinic)
    number = a_message(clinic, state="dead")
    with clinic.site.database.write() as connection:
        connection.execute(ATTEMPTS.insert(), an_attempt(number, NOW, "refused_for_good"))
    found = report(clinic)
    assert NORTH[0] not in f"{found.as_json()} {found.lines} {found.plugin_line}"


def test_given_a_trigger_that_is_off_when_asked_then_the_table_is_named(clinic: Clinic) -> None:
    watched(clinic)
    assert not status(clinic.site, NOW).problems
    with clinic.another_program() as sql:
        sql.execute(
            "DROP TRIGGER doses_inserted" if sql.engine == "sqlite" else "ALTER TABLE doses DISABLE TRIGGER doses_inserted"
        )
    (problem,) = status(clinic.site, NOW).problems
    assert "into doses is not noticed" in problem
