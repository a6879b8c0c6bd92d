"""The daily statement: what the facts demand, what was said, and what nothing explains."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.service import acts
from monitor.service.coverage import daily_statement
from monitor.service.coverage_compare import Case
from monitor.service.coverage_read import Covered, read
from monitor.service.post import send_due
from monitor.store import feeds, journal
from monitor.store.troubles import all_troubles
from tests.service.clinic import Clinic, a_clinic, local, on
from tests.smtp_server import ReceivedMail

pytestmark = pytest.mark.both_engines

COVERAGE = 'operations: {address: admin@hospital.example}\ncoverage: {at: "06:30", days: 7}\n'
UNAIDED: dict[str, Any] = {"walking": "unaided", "motor_grade": 0, "sensory_grade": 1, "neuropathic_pain": "no"}
WHEELCHAIR: dict[str, Any] = {"walking": "wheelchair", "motor_grade": 3, "sensory_grade": 1, "neuropathic_pain": "no"}
GUARDED = ("journal", "attempts", "alert_events")


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with a_clinic(tmp_path, more=COVERAGE) as found:
        yield found


def a_fall(clinic: Clinic, patient: str = "P-1") -> None:
    """Unaided on day 27, in a wheelchair on day 28; polled when each was known."""
    clinic.on_bortezomib(patient, until_day=28)
    clinic.assess(patient, 27, **UNAIDED)
    clinic.poll(on(27, 15))
    clinic.assess(patient, 28, **WHEELCHAIR)


def covered(clinic: Clinic, at: datetime, days: int = 7) -> Covered:
    return read(clinic.site, at, days)


def rules(cases: list[Case]) -> set[tuple[str, str]]:
    return {(case.patient_id, case.rule) for case in cases}


def edited(clinic: Clinic, *statements: str) -> None:
    """The database as somebody left it who took the triggers away."""
    with clinic.another_program() as connection:
        for table in GUARDED:
            connection.drop_triggers(table)
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement


def statement_of(clinic: Clinic, at: datetime) -> ReceivedMail:
    """Make the statement that is due, and read its mail."""
    before = len(clinic.relay.mails)
    assert daily_statement(clinic.site, at) >= 1
    send_due(clinic.site, at)
    (mail,) = [mail for mail in clinic.relay.mails[before:] if "coverage" in mail.message["Subject"].lower()]
    return mail


def test_given_a_patient_who_was_told_of_when_covered_then_nothing_is_unexplained(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    found = covered(clinic, on(28, 16))
    assert found.unexplained == 0
    assert ("P-1", "rapid-motor-decline") in rules(found.of("told"))
    assert found.assessments == 2


def test_given_facts_that_no_round_has_seen_when_they_are_young_then_they_wait_and_later_they_are_unexplained(
    clinic: Clinic,
) -> None:
    a_fall(clinic)
    young = covered(clinic, on(28, 14, 5))
    assert young.unexplained == 0
    assert ("P-1", "rapid-motor-decline") in rules(young.of("waiting"))
    assert ("P-1", "rapid-motor-decline") in rules(covered(clinic, on(28, 15)).of("unexplained"))


def test_given_a_change_that_was_lost_when_covered_then_the_patient_is_unexplained(clinic: Clinic) -> None:
    a_fall(clinic)
    edited(clinic, "DELETE FROM changes", "DELETE FROM look_again")
    clinic.poll(on(28, 15))
    assert ("P-1", "rapid-motor-decline") in rules(covered(clinic, on(28, 16)).of("unexplained"))


def test_given_a_message_that_is_gone_when_covered_then_it_is_found(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    edited(clinic, "DELETE FROM attempts", "DELETE FROM messages")
    found = covered(clinic, on(28, 16))
    assert ("P-1", "rapid-motor-decline") in rules(found.of("unexplained"))
    assert found.unexplained > 0


def test_given_one_of_two_recipients_whose_message_is_gone_when_covered_then_the_journal_knows_it(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    last = "(SELECT max(id) FROM messages WHERE kind = 'alert')"
    edited(clinic, f"DELETE FROM attempts WHERE message = {last}", f"DELETE FROM messages WHERE id = {last}")
    found = covered(clinic, on(28, 16))
    assert found.of("unexplained") == []
    assert found.unexplained == 1
    assert "gone from the outbox" in found.lost[0].words


def test_given_an_acceptance_that_is_gone_when_covered_then_the_mail_counts_as_not_told(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    edited(clinic, "DELETE FROM attempts")
    (case,) = [each for each in covered(clinic, on(28, 16)).of("unexplained") if each.rule == "rapid-motor-decline"]
    assert "no relay's word" in case.why


def test_given_an_alert_that_is_gone_when_covered_then_it_is_found(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    theirs = "(SELECT id FROM alerts WHERE rule = 'rapid-motor-decline')"
    edited(
        clinic,
        f"DELETE FROM escalations WHERE alert_id IN {theirs}",
        f"DELETE FROM alert_events WHERE alert_id IN {theirs}",
        "DELETE FROM alerts WHERE rule = 'rapid-motor-decline'",
    )
    found = covered(clinic, on(28, 16))
    assert ("P-1", "rapid-motor-decline") in rules(found.of("unexplained"))


def test_given_a_relay_that_takes_nothing_when_covered_then_what_waits_is_unexplained_after_a_quarter_of_an_hour(
    clinic: Clinic,
) -> None:
    a_fall(clinic)
    clinic.relay.always("MAIL", "451 4.3.0 later")
    clinic.poll(on(28, 15))
    assert covered(clinic, on(28, 15, 10)).unexplained == 0
    assert ("P-1", "rapid-motor-decline") in rules(covered(clinic, on(28, 15, 20)).of("unexplained"))


def test_given_facts_that_came_late_when_told_at_once_then_nothing_is_unexplained(clinic: Clinic) -> None:
    clinic.on_bortezomib("P-1", until_day=28)
    clinic.assess("P-1", 20, known=on(20, 14), **UNAIDED)
    clinic.poll(on(28, 10))
    clinic.assess("P-1", 26, known=on(26, 14), **WHEELCHAIR)
    edited(clinic, f"UPDATE assessments SET stored_at = '{on(29, 9).isoformat()}' WHERE source_id = 'P-1-a26'")
    clinic.poll(on(29, 9, 1))
    found = covered(clinic, on(29, 10))
    assert found.unexplained == 0
    assert [case.at for case in found.of("told") if case.rule == "rapid-motor-decline"] == [on(29, 9, 1)]


def test_given_findings_too_old_to_be_announced_when_the_digest_told_them_then_nothing_is_unexplained(clinic: Clinic) -> None:
    clinic.on_bortezomib("P-1", until_day=56)
    clinic.assess("P-1", 27, known=on(60, 9), source="a", **UNAIDED)
    clinic.assess("P-1", 28, known=on(60, 9), source="b", **WHEELCHAIR)
    clinic.poll(on(60, 10))
    found = covered(clinic, on(60, 12))
    assert found.unexplained == 0
    assert ("P-1", "rapid-motor-decline") in rules(found.of("told"))


def test_given_a_wrong_value_that_was_corrected_between_two_rounds_when_covered_then_nobody_had_to_be_told(
    clinic: Clinic,
) -> None:
    clinic.on_bortezomib("P-1", until_day=28)
    clinic.assess("P-1", 27, **UNAIDED)
    clinic.poll(on(28, 13))
    clinic.assess("P-1", 28, known=on(28, 14), source="typo", **WHEELCHAIR)
    clinic.assess("P-1", 28, known=on(28, 14, 10), source="typo", **UNAIDED)
    clinic.poll(on(28, 14, 11))
    found = covered(clinic, on(28, 18))
    assert found.unexplained == 0
    assert ("P-1", "rapid-motor-decline") not in rules(found.cases)


def test_given_a_daemon_that_was_down_while_a_value_came_and_was_corrected_when_covered_then_the_pause_explains_it(
    clinic: Clinic,
) -> None:
    clinic.on_bortezomib("P-1", until_day=28)
    clinic.assess("P-1", 27, **UNAIDED)
    clinic.poll(on(28, 13))
    clinic.assess("P-1", 28, known=on(28, 14), source="typo", **WHEELCHAIR)
    clinic.assess("P-1", 28, known=on(29, 14), source="typo", **UNAIDED)
    clinic.poll(on(30, 8))
    assert covered(clinic, on(30, 9)).unexplained == 0


def test_given_an_alert_that_was_withdrawn_when_the_correction_went_out_then_that_is_counted_and_nothing_is_unexplained(
    clinic: Clinic,
) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    clinic.assess("P-1", 28, known=on(29, 9), **UNAIDED)
    clinic.poll(on(29, 9, 1))
    found = covered(clinic, on(29, 10))
    assert found.unexplained == 0
    assert {(case.rule, case.fate) for case in found.cases if case.correction} >= {("rapid-motor-decline", "told")}


def test_given_a_correction_whose_mail_is_gone_when_covered_then_it_is_unexplained(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    clinic.assess("P-1", 28, known=on(29, 9), **UNAIDED)
    clinic.poll(on(29, 9, 1))
    theirs = "(SELECT id FROM messages WHERE kind = 'correction')"
    edited(clinic, f"DELETE FROM attempts WHERE message IN {theirs}", "DELETE FROM messages WHERE kind = 'correction'")
    missed = covered(clinic, on(29, 10)).of("unexplained")
    assert ("P-1", "rapid-motor-decline") in rules(missed)
    assert all(case.correction for case in missed)


def test_given_an_alert_that_was_acknowledged_when_another_event_comes_then_both_are_told(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    alert = clinic.alert("P-1", "rapid-motor-decline")
    acts.acknowledge(clinic.site, f"A-{alert.alert_id}", by="N. Berger", note=None, now=on(28, 16))
    found = covered(clinic, on(28, 17))
    assert found.unexplained == 0
    (case,) = [each for each in found.of("told") if each.rule == "rapid-motor-decline"]
    assert case.acknowledged


def test_given_a_policy_that_changed_when_covered_then_only_what_it_says_since_is_compared(clinic: Clinic) -> None:
    a_fall(clinic)
    edited(clinic, "UPDATE rounds SET policy_sha256 = 'another'")
    with clinic.site.database.write() as connection:
        journal.append(connection, on(27, 15), journal.Entry("policy", "another", {}))
    edited(clinic, "DELETE FROM changes")
    clinic.poll(on(29, 15))
    found = covered(clinic, on(29, 16))
    assert found.policy_since == on(29, 15)
    assert found.unexplained == 0
    assert ("P-1", "rapid-motor-decline") in rules(found.of("told"))


def test_given_a_clean_day_when_its_hour_has_come_then_one_statement_goes_to_operations(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    assert daily_statement(clinic.site, local(on(29).date(), 6, 29)) >= 1  # the one of the day before, caught up
    send_due(clinic.site, local(on(29).date(), 6, 29))
    mail = statement_of(clinic, local(on(29).date(), 6, 31))
    assert mail.recipient == "admin@hospital.example"
    assert mail.message["Subject"] == "Coverage: 0 unexplained"
    with clinic.site.database.read() as connection:
        (last,) = [each.sha256 for each in journal.entries(connection) if each.event == "coverage"][-1:]
    assert last in mail.text
    assert daily_statement(clinic.site, local(on(29).date(), 23)) == 0


def test_given_somebody_who_was_missed_when_stated_then_subject_alarm_and_journal_say_so(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    edited(clinic, "DELETE FROM attempts", "DELETE FROM messages WHERE kind <> 'operations'")
    mail = statement_of(clinic, on(29, 7))
    assert mail.message["Subject"].startswith("COVERAGE: ")
    assert "UNEXPLAINED" in mail.message["Subject"]
    assert "P-1" in mail.text
    assert any("nobody was told of" in other.text.replace("\n", " ") for other in clinic.relay.mails if other is not mail)
    with clinic.site.database.read() as connection:
        entry = journal.newest(connection, "coverage", "statement")
    assert entry is not None
    assert entry.body["unexplained"] > 0
    assert entry.body["clean"] is False


def test_given_a_site_that_shows_no_patients_when_somebody_was_missed_then_the_mail_names_the_alert_alone(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more=COVERAGE + "privacy: none\n") as clinic:
        a_fall(clinic)
        clinic.poll(on(28, 15))
        edited(clinic, "DELETE FROM attempts", "DELETE FROM messages WHERE kind <> 'operations'")
        mail = statement_of(clinic, on(29, 7))
    alert = "A-"
    assert "P-1" not in mail.text
    assert alert in mail.text


def test_given_a_feed_gone_quiet_when_stated_then_it_is_a_trouble_until_facts_come(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    clinic.poll(on(40, 6, 50))
    mail = statement_of(clinic, on(40, 7))
    assert "PROBLEM" in mail.message["Subject"]
    with clinic.site.database.read() as connection:
        assert "feed-quiet" in {trouble.name for trouble in all_troubles(connection)}
    clinic.tell("patients", {"patient_id": "P-2"}, now=on(40, 8))
    clinic.poll(on(40, 9))
    statement_of(clinic, on(41, 7))
    with clinic.site.database.read() as connection:
        assert "feed-quiet" not in {trouble.name for trouble in all_troubles(connection)}


def test_given_an_alert_that_nobody_takes_on_when_a_day_has_passed_then_the_statement_lists_it(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    number = clinic.alert("P-1", "rapid-motor-decline").alert_id
    later = covered(clinic, on(28, 15) + timedelta(days=1, minutes=1))
    assert number in {alert.alert_id for alert in later.not_acknowledged}
    assert covered(clinic, on(28, 16)).not_acknowledged == []


def test_given_a_journal_that_was_edited_when_stated_then_that_is_a_problem(clinic: Clinic) -> None:
    a_fall(clinic)
    clinic.poll(on(28, 15))
    edited(clinic, "UPDATE journal SET body = replace(body, 'immediate', 'review')")
    mail = statement_of(clinic, on(29, 7))
    assert "journal is broken" in mail.text.replace("\n", " ")


def test_given_a_record_that_cannot_be_read_when_stated_then_that_is_a_problem_and_the_others_are_covered(clinic: Clinic) -> None:
    a_fall(clinic, "P-1")
    clinic.on_bortezomib("P-2", until_day=28)
    clinic.poll(on(28, 15))
    edited(clinic, "UPDATE doses SET given_at = '2026-99-99' WHERE source_id = 'P-2-d7'")
    clinic.poll(on(28, 16))
    found = covered(clinic, on(28, 17))
    assert (found.not_evaluated, found.unexplained) == (1, 0)
    mail = statement_of(clinic, on(29, 7))
    assert "1 PROBLEM" in mail.message["Subject"]
    assert "P-2" not in mail.text


def test_given_one_feed_that_went_quiet_when_another_brings_news_then_the_statement_is_not_clean_and_names_it(
    tmp_path: Path, engine: str
) -> None:
    more = f"{COVERAGE}feeds:\n  ward: {{kind: folder, path: drop, quiet_after: 1 d}}\n  lab: {{kind: folder, path: lab}}\n"
    with a_clinic(tmp_path, more=more) as clinic:
        a_fall(clinic)
        clinic.poll(on(28, 15))
        with clinic.site.database.write() as connection:
            feeds.record(connection, "ward", "folder", now=on(26), received=True)
            feeds.record(connection, "lab", "folder", now=on(28), received=True)
        mail = statement_of(clinic, on(29, 8))
        text = " ".join(mail.text.split())
        assert "the feed ward: 2 days old, quiet; is it still running?" in text
        assert "NEWEST FROM LAB" in text.upper()
        assert "the feed lab" not in text


def test_given_facts_that_another_program_wrote_when_covered_then_their_age_is_said_apart(clinic: Clinic) -> None:
    a_fall(clinic)
    with clinic.another_program() as connection:
        connection.execute("INSERT INTO patients (patient_id) VALUES ('P-SQL')")
    assert [feed.name for feed in covered(clinic, on(28, 15)).feeds] == ["files", "sql"]
