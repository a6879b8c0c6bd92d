"""Answers by mail: what the mailbox brings changes alerts as it should, once, and a mailbox that fails stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.service import acts
from monitor.service.answers import AnswersSummary, read_answers
from monitor.store import answers, escalations, journal, troubles
from tests.delivery.test_inbound import RECEIVED
from tests.dovecot import PASSWORD, USER, Dovecot
from tests.service.clinic import NORTH, Clinic, a_clinic, on
from tests.smtp_server import ReceivedMail

pytestmark = pytest.mark.both_engines

OPERATIONS = "it-duty@hospital.example"
ADDRESS = "alerts-reply@hospital.example"
MORE = f"""\
operations:
  address: {OPERATIONS}
answers:
  address: {ADDRESS}
  maildir: answers
"""
TOLD_AT, ANSWERED_AT = on(14, 15), on(14, 15, 10)  # before anybody else would be told
RULE = "rapid-motor-decline"


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Clinic]:
    """A clinic that reads answers, whose nurses have just been told of one patient."""
    for place in ("new", "cur", "tmp"):
        (tmp_path / "answers" / place).mkdir(parents=True)
    with a_clinic(tmp_path, more=MORE) as clinic:
        clinic.on_bortezomib("P-1", until_day=7)
        clinic.assess("P-1", 7, walking="unaided")
        clinic.assess("P-1", 14, walking="wheelchair")
        clinic.poll(TOLD_AT)
        yield clinic


def told(clinic: Clinic, nurse: str = NORTH[0]) -> ReceivedMail:
    """The last mail a nurse had."""
    return [mail for mail in clinic.relay.mails if mail.recipient == nurse][-1]


def mailto_of(mail: ReceivedMail) -> tuple[str, str]:
    """Address and subject of the mail that the first link of an alert begins."""
    page = mail.message.get_body(preferencelist=("html",))
    assert page is not None
    link = str(page.get_content()).split('href="mailto:', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    parts = urlsplit(f"mailto:{link}")
    return parts.path, parse_qs(parts.query)["subject"][0]


def arrives(clinic: Clinic, *headers: str, subject: str = "", sender: str = NORTH[0], body: str = "") -> None:
    """A mail in the answers' mailbox."""
    number = len(list((clinic.folder / "answers").rglob("*.mail*")))
    lines = [*headers, f"From: Nurse North <{sender}>", f"To: {ADDRESS}", f"Subject: {subject}", f"Message-ID: <{number}@x>"]
    (clinic.folder / "answers" / "new" / f"{number}.mail").write_text("\n".join([*lines, "", body, ""]), encoding="utf-8")


def arrives_sample(clinic: Clinic, name: str, mail: ReceivedMail) -> None:
    """A sample of tests/delivery/received that answers ``mail``."""
    sample = (RECEIVED / f"{name}.eml").read_text(encoding="utf-8")
    sample = sample.replace("<0f3a5c7e9b1d2f4a6c8e0a1b2c3d4e5f@hospital.example>", mail.message["Message-ID"])
    sample = sample.replace("alerts-reply+b-57-0123456789abcdef@hospital.example", mail.sender)
    (clinic.folder / "answers" / "new" / f"{name}.mail").write_text(sample, encoding="utf-8")


def read(clinic: Clinic) -> AnswersSummary:
    return read_answers(clinic.site, ANSWERED_AT)


def kinds(clinic: Clinic) -> dict[str, int]:
    with clinic.site.database.read() as connection:
        return answers.counts(connection)


def due(clinic: Clinic) -> int:
    """How many steps of escalation wait and are due now."""
    with clinic.site.database.read() as connection:
        return len(escalations.due(connection, ANSWERED_AT))


def waits(clinic: Clinic) -> int:
    with clinic.site.database.read() as connection:
        return len(escalations.waiting(connection))


def test_given_the_mail_that_a_link_begins_when_read_then_the_alert_is_acknowledged_with_its_note(ward: Clinic) -> None:
    address, subject = mailto_of(told(ward))
    assert address == ADDRESS
    assert " ".join(subject.split()) in " ".join(told(ward).text.split())
    arrives(ward, subject=f"AW: {subject}", body="Dose held.\n> quoted\n")
    assert read(ward) == AnswersSummary(acknowledged=1)
    alert = ward.alert("P-1", RULE)
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_note) == (
        "acknowledged",
        "Nurse North (by mail)",
        "Dose held.",
    )
    assert waits(ward) == 0
    with ward.site.database.read() as connection:
        acts_kept = [entry for entry in journal.entries(connection) if entry.event in ("act", "answer")]
    assert [(entry.event, entry.body.get("act") or entry.body.get("answer")) for entry in acts_kept] == [
        ("act", "acknowledged"),
        ("answer", "acknowledged"),
    ]


def test_given_both_nurses_answers_when_read_then_the_first_stands_and_nothing_fails(ward: Clinic) -> None:
    arrives(ward, subject=mailto_of(told(ward))[1])
    arrives(ward, subject=mailto_of(told(ward, NORTH[1]))[1], sender=NORTH[1])
    arrives(ward, subject=mailto_of(told(ward))[1], body="again")
    assert read(ward) == AnswersSummary(acknowledged=1, without_effect=2)
    assert ward.alert("P-1", RULE).acknowledged_by == "Nurse North (by mail)"


def test_given_a_delegate_who_answers_when_read_then_it_counts_and_says_so(ward: Clinic) -> None:
    arrives(ward, subject=mailto_of(told(ward))[1], sender="secretary@hospital.example")
    assert read(ward).acknowledged == 1
    assert ward.alert("P-1", RULE).acknowledged_by == "Nurse North (by mail, answered from another address)"


def test_given_a_crash_between_commit_and_flag_when_read_again_then_it_counts_once(ward: Clinic) -> None:
    arrives(ward, subject=mailto_of(told(ward))[1])
    (sent,) = (ward.folder / "answers" / "new").iterdir()
    data = sent.read_bytes()
    assert read(ward).acknowledged == 1
    (ward.folder / "answers" / "new" / "9.unflagged").write_bytes(data)
    assert read(ward) == AnswersSummary()
    assert kinds(ward) == {"acknowledged": 1}
    assert list((ward.folder / "answers" / "new").iterdir()) == []


@pytest.mark.parametrize("change", ["forged", "expired", "unnamed"])
def test_given_a_token_that_is_not_believed_when_read_then_it_is_recorded_and_changes_nothing(ward: Clinic, change: str) -> None:
    subject = mailto_of(told(ward))[1]
    at = ANSWERED_AT
    if change == "forged":
        place = subject.index("[") + 3
        subject = subject[:place] + ("A" if subject[place] != "A" else "B") + subject[place + 1 :]
    elif change == "expired":
        at += timedelta(days=61)
    else:
        subject = subject[subject.index("[") :]
    arrives(ward, subject=subject)
    assert read_answers(ward.site, at) == AnswersSummary(without_effect=1)
    assert kinds(ward) == ({"no effect": 1} if change == "unnamed" else {"not believed": 1})
    assert ward.alert("P-1", RULE).state == "open"


def test_given_an_alert_that_became_worse_when_the_earlier_mail_is_answered_then_it_stays_open(tmp_path: Path) -> None:
    for place in ("new", "cur"):
        (tmp_path / "answers" / place).mkdir(parents=True)
    with a_clinic(tmp_path, more=MORE) as clinic:
        clinic.on_bortezomib("P-1", until_day=14)
        clinic.assess("P-1", 0, sensory_grade=0, motor_grade=0)
        clinic.assess("P-1", 7, sensory_grade=1, neuropathic_pain="yes")
        clinic.poll(on(7, 15))
        earlier = told(clinic)
        clinic.assess("P-1", 14, sensory_grade=3, neuropathic_pain="yes")
        clinic.poll(on(14, 15))
        assert len({alert.alert_id for alert in clinic.alerts() if alert.finding.rule == "dose-modification"}) == 1
        arrives(clinic, subject=mailto_of(earlier)[1])
        read(clinic)
        assert clinic.alert("P-1", "dose-modification").state == "open"
        arrives(clinic, subject=mailto_of(told(clinic))[1])
        read(clinic)
        assert clinic.alert("P-1", "dose-modification").state == "acknowledged"


@pytest.mark.parametrize("name", ["oof-exchange", "vacation-gmail", "vacation-sieve", "ndr-exchange", "dsn-postfix-expired"])
def test_given_nobody_there_when_the_machine_says_so_then_the_next_is_told_at_once(ward: Clinic, name: str) -> None:
    assert (waits(ward), due(ward)) == (1, 0)
    arrives_sample(ward, name, told(ward))
    assert read(ward).handed_over == 1
    assert due(ward) == 1
    assert ward.alert("P-1", RULE).state == "open"


@pytest.mark.parametrize("name", ["dsn-postfix", "ndr-exchange"])
def test_given_an_address_nobody_has_when_the_mail_bounces_then_operations_are_told(ward: Clinic, name: str) -> None:
    arrives_sample(ward, name, told(ward))
    read(ward)
    ward.poll(ANSWERED_AT)
    alarm = told(ward, OPERATIONS)
    assert "came back: not delivered, status 5.1.1" in " ".join(alarm.text.split())
    assert NORTH[0].encode() not in alarm.data


@pytest.mark.parametrize("name", ["dsn-postfix-delayed", "receipt-outlook", "plain-reply", "bounce-qmail"])
def test_given_mails_that_say_nothing_of_ours_when_read_then_nothing_changes(ward: Clinic, name: str) -> None:
    (ward.folder / "answers" / "new" / "1.mail").write_bytes((RECEIVED / f"{name}.eml").read_bytes())
    assert read(ward) == AnswersSummary(without_effect=1)
    assert due(ward) == 0


def test_given_our_own_mail_in_the_mailbox_when_read_then_nothing_is_handed_over(ward: Clinic) -> None:
    (ward.folder / "answers" / "new" / "1.mail").write_bytes(told(ward).data)
    assert read(ward) == AnswersSummary(without_effect=1)
    assert (kinds(ward), due(ward)) == ({"other": 1}, 0)


def test_given_a_mail_that_cannot_be_read_when_others_wait_then_they_count(ward: Clinic) -> None:
    (ward.folder / "answers" / "new" / "0.mail").write_bytes(b"\xff\x00" * 500_000)
    arrives(ward, subject=mailto_of(told(ward))[1])
    assert read(ward) == AnswersSummary(acknowledged=1, without_effect=1)


def test_given_a_mail_that_no_database_can_hold_when_others_wait_then_they_count_and_it_is_told(ward: Clinic) -> None:
    half_a_character = "=?utf-7?q?=3Ca+2AA-b=40c=3E?="  # decodes to a lone surrogate
    arrives(ward, "Auto-Submitted: auto-replied", f"In-Reply-To: {half_a_character}", subject="Away")
    arrives(ward, subject=mailto_of(told(ward))[1])
    found = read(ward)
    assert (found.acknowledged, found.without_effect) == (1, 1)


def test_given_a_mail_that_may_not_be_opened_when_others_wait_then_they_count_and_it_is_a_trouble(ward: Clinic) -> None:
    (ward.folder / "answers" / "new" / "0.locked").symlink_to("/proc/self/mem")  # root may open everything; this fails
    arrives(ward, subject=mailto_of(told(ward))[1])
    found = read(ward)
    assert found.acknowledged == 1
    assert found.problem is not None
    assert "1 mail in" in found.problem


def test_given_a_mail_that_cannot_be_dealt_with_when_others_wait_then_they_count_and_it_is_a_trouble(ward: Clinic) -> None:
    arrives(ward, "Auto-Submitted: auto-replied", subject="Away")
    arrives(ward, subject=mailto_of(told(ward))[1])
    with ward.another_program() as sql:
        sql.refuse("odd", "answers", "new.kind = 'automatic answer'")
    found = read(ward)
    assert found.acknowledged == 1
    assert found.problem is not None


def test_given_a_mailbox_that_is_gone_when_read_then_a_trouble_and_after_half_an_hour_an_alarm(ward: Clinic) -> None:
    (ward.folder / "answers").rename(ward.folder / "elsewhere")
    for minutes in (0, 29):
        assert read_answers(ward.site, ANSWERED_AT + timedelta(minutes=minutes)).problem is not None
        assert [mail.recipient for mail in ward.poll(ANSWERED_AT + timedelta(minutes=minutes)).mails].count(OPERATIONS) == 0
    with ward.site.database.read() as connection:
        (trouble,) = [each for each in troubles.all_troubles(connection) if each.name == "answers"]
    assert "needs the folders new and cur" in trouble.words
    assert trouble.since == ANSWERED_AT
    read_answers(ward.site, ANSWERED_AT + timedelta(minutes=30))
    ward.poll(ANSWERED_AT + timedelta(minutes=30))
    assert "answers by mail are not read" in " ".join(told(ward, OPERATIONS).text.split())
    (ward.folder / "elsewhere").rename(ward.folder / "answers")
    assert read(ward) == AnswersSummary()
    with ward.site.database.read() as connection:
        assert [each for each in troubles.all_troubles(connection) if each.name == "answers"] == []


def test_given_an_imap_mailbox_without_a_password_when_read_then_the_trouble_names_the_secret(tmp_path: Path) -> None:
    imap = f"answers:\n  address: {ADDRESS}\n  imap: {{host: localhost, username: alerts-reply}}\n"
    with a_clinic(tmp_path, more=imap) as clinic:
        problem = read(clinic).problem
    assert problem is not None
    assert "imap_password" in problem


def test_given_an_imap_mailbox_when_read_then_answers_count_and_are_flagged(tmp_path: Path) -> None:
    with Dovecot.here() as server:
        imap = f"{{host: 127.0.0.1, port: {server.port}, username: {USER}, insecure: true}}"
        (tmp_path / "imap_password").write_text(f"{PASSWORD}\n", encoding="utf-8")
        (tmp_path / "imap_password").chmod(0o600)
        with a_clinic(tmp_path, more=f"answers: {{address: {ADDRESS}, imap: {imap}}}\n") as clinic:
            clinic.on_bortezomib("P-1", until_day=7)
            clinic.assess("P-1", 7, walking="unaided")
            clinic.assess("P-1", 14, walking="wheelchair")
            clinic.poll(TOLD_AT)
            subject = mailto_of(told(clinic))[1]
            server.deliver(b"\xff\x00 nothing anybody can read")
            server.deliver(f"From: {NORTH[0]}\nSubject: {subject}\n\nSeen.\n".encode())
            assert read(clinic) == AnswersSummary(acknowledged=1, without_effect=1)
            assert read(clinic) == AnswersSummary()
            assert clinic.alert("P-1", RULE).acknowledged_note == "Seen."
        assert server.flags() == ["S", "S"]


def test_given_nobody_who_reads_answers_when_told_then_no_mail_offers_one(clinic: Clinic) -> None:
    clinic.on_bortezomib("P-1", until_day=7)
    clinic.assess("P-1", 7, walking="unaided")
    clinic.assess("P-1", 14, walking="wheelchair")
    clinic.poll(TOLD_AT)
    assert b"mailto:" not in told(clinic).data
    assert "Reply-To" not in told(clinic).message
    assert told(clinic).message["X-Auto-Response-Suppress"] == "All"
    assert read(clinic) == AnswersSummary()


def test_given_somebody_who_reads_answers_when_told_then_bounces_and_absences_come_to_that_mailbox(ward: Clinic) -> None:
    mail = told(ward)
    assert mail.sender.startswith("alerts-reply+b-")
    assert mail.message["Reply-To"] == ADDRESS
    assert "OOF" not in mail.message["X-Auto-Response-Suppress"]
    assert mail.message["X-Auto-Response-Suppress"] != "All"
    assert mailto_of(mail) != mailto_of(told(ward, NORTH[1]))


def test_given_a_snooze_when_it_begins_then_the_next_step_and_the_record_of_it_wait_for_its_end(ward: Clinic) -> None:
    ward.assess("P-1", 15, sensory_grade=2, known=on(15, 9))
    ward.poll(on(15, 10))
    alert = next(each for each in ward.alerts(open_only=True) if each.urgency == "same-day")
    until = on(16, 12)
    acts.snooze(ward.site, f"A-{alert.alert_id}", until=until, by="N. Berger", reason="seen tomorrow", now=on(15, 11))
    with ward.site.database.read() as connection:
        row = escalations.waiting(connection)[alert.alert_id or 0]
    assert row.due_at >= until
    with ward.another_program() as hospital:
        kept = hospital.execute("SELECT owner, reason FROM withheld WHERE alert_id = ?", (alert.alert_id,)).fetchall()
    assert ("N. Berger", "seen tomorrow") in kept
