"""Everybody is written to in the language he reads, whatever the mail is about and wherever his address comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.delivery.facts import KINDS
from monitor.service.alarms import broken_template, raise_alarm
from monitor.service.coverage import daily_statement
from monitor.service.people import recipient_known
from monitor.service.post import send_due
from tests.service.clinic import NORTH, Clinic, Polled, a_clinic, local, on
from tests.service.test_digests import overdue_on_day_59
from tests.service.test_rounds_and_mails import LOST, WELL, watched

LANG, OPERATIONS = "lang@hospital.example", "it-duty@hospital.example"
MORE = f"""\
templates: own
coverage: {{at: "06:30", days: 7}}
operations: {{address: {OPERATIONS}, language: de}}
people:
  lang: {{name: K. Lang, address: {LANG}, language: de}}
"""
TEAM = """\
    escalation:
      immediate: [{to: [lang], after: 30 min}]
"""


@pytest.fixture
def in_two(tmp_path: Path) -> Iterator[Clinic]:
    """North's first nurse reads English; its second, the next step and operations read German. Subjects name the language."""
    for kind in KINDS:
        subject = tmp_path / "own" / kind / "subject.txt"
        subject.parent.mkdir(parents=True)
        subject.write_text("{{ language }} " + kind, encoding="utf-8")
    with a_clinic(tmp_path, more=MORE, north=TEAM, second="de") as clinic:
        yield clinic


def languages(polled: Polled) -> dict[str, str]:
    """The subject each reader got: the language it was rendered in, and the kind."""
    return {mail.recipient: mail.message["Subject"] for mail in polled.mails}


def test_given_two_readers_of_one_alert_when_told_reminded_and_corrected_then_each_reads_his_language(in_two: Clinic) -> None:
    watched(in_two, "P-1")
    in_two.assess("P-1", 36, **LOST)
    assert languages(in_two.watch(on(36, 15))) == {NORTH[0]: "en alert", NORTH[1]: "de alert"}
    reminded = languages(in_two.watch(on(36, 15, 30)))
    assert reminded == {NORTH[0]: "en reminder", NORTH[1]: "de reminder", LANG: "de escalation"}
    in_two.assess("P-1", 36, known=on(37, 10), **WELL)
    corrected = languages(in_two.watch(on(37, 11)))
    assert corrected == {NORTH[0]: "en correction", NORTH[1]: "de correction", LANG: "de correction"}


def test_given_a_reminder_that_waits_when_one_of_its_alerts_is_withdrawn_then_it_is_written_anew_in_its_language(
    in_two: Clinic,
) -> None:
    watched(in_two, "P-1", "P-2")
    in_two.assess("P-1", 36, **LOST)
    in_two.assess("P-2", 36, **LOST)
    in_two.watch(on(36, 15))
    in_two.relay.always("DATA", "451 4.3.0 later")
    in_two.watch(on(36, 15, 30))
    in_two.assess("P-1", 36, known=on(36, 15, 32), **WELL)
    in_two.poll(on(36, 15, 33))
    in_two.relay.forget_script()
    left = [mail for mail in in_two.poll(on(36, 20)).mails if "P-2" in mail.text]
    assert {mail.recipient: mail.message["Subject"] for mail in left} == {
        NORTH[0]: "en reminder",
        NORTH[1]: "de reminder",
        LANG: "de escalation",
    }


def test_given_findings_for_review_when_the_digest_goes_then_each_reads_his_language(in_two: Clinic) -> None:
    overdue_on_day_59(in_two, "P-1")
    in_two.watch(on(59, 0, 30))
    assert languages(in_two.watch(on(59, 7, 30))) == {NORTH[0]: "en digest", NORTH[1]: "de digest"}


def test_given_operations_who_read_german_when_told_then_alarms_and_statements_are_german(in_two: Clinic) -> None:
    at = local(on(36).date(), 6, 30)
    with in_two.site.database.write("test") as connection:
        raise_alarm(in_two.site, connection, broken_template("alert/body.txt"), at)
    daily_statement(in_two.site, at)
    before = len(in_two.relay.mails)
    send_due(in_two.site, at)
    assert {mail.message["Subject"] for mail in in_two.relay.mails[before:]} == {"de operations", "de coverage"}


def test_given_a_mail_that_no_relay_takes_when_a_plain_one_stands_in_then_it_is_in_the_readers_language(in_two: Clinic) -> None:
    watched(in_two, "P-1")
    in_two.assess("P-1", 36, **LOST)
    in_two.relay.script(".", "554 5.6.0 message content not accepted", "554 5.6.0 message content not accepted")
    mails = [*in_two.watch(on(36, 15)).mails, *in_two.poll(on(36, 15, 1)).mails]
    plain = {mail.recipient: mail for mail in mails if mail.recipient in NORTH}
    assert "look up in the monitor" in plain[NORTH[0]].message["Subject"]
    assert "bitte im Monitor nachsehen" in plain[NORTH[1]].message["Subject"]
    assert plain[NORTH[1]].text.isascii()
    assert "Meldung" in plain[NORTH[1]].text


def test_given_an_address_out_of_the_database_when_looked_up_then_it_is_the_configured_person_whatever_its_case(
    in_two: Clinic,
) -> None:
    settings = in_two.site.settings
    assert recipient_known(settings, LANG.upper(), "somebody").name == "K. Lang"
    assert recipient_known(settings, OPERATIONS, "Operations").language == "de"
    gone = recipient_known(settings, "gone@hospital.example", "Who Left")
    assert (gone.name, gone.address, gone.language) == ("Who Left", "gone@hospital.example", "en")


def test_given_the_shipped_templates_when_a_german_and_an_english_nurse_are_told_then_each_reads_words_of_his_own(
    tmp_path: Path,
) -> None:
    with a_clinic(tmp_path, second="de") as clinic:
        watched(clinic, "P-1")
        clinic.assess("P-1", 36, **LOST)
        mails = {mail.recipient: mail for mail in clinic.watch(on(36, 15)).mails}
    assert mails[NORTH[0]].message["Subject"].startswith("IMMEDIATE")
    assert mails[NORTH[1]].message["Subject"].startswith("SOFORT")
    assert "10. Feb. 2026" in mails[NORTH[1]].text
    assert "Rollstuhl" in mails[NORTH[1]].text
    assert "unaided" not in mails[NORTH[1]].text
