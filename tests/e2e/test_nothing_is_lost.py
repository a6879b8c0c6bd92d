"""``import`` and ``poll`` as processes against a real relay: killed, refused and unreachable, and still everybody is told."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.delivery.message import REPEAT
from tests.e2e.installation import BORN, CASE, NAME, NOTE, NURSES, Installation, until
from tests.smtp_server import SILENT, SmtpServer

EVENING = datetime(2011, 3, 15, 20, tzinfo=UTC)
FIRST_ADVICE, LOST_WALKING = "2011-02-15T21:00", "2011-03-15T21:00"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def installed(tmp_path: Path, relay: SmtpServer) -> Installation:
    return Installation(tmp_path / "site", relay.port)


def test_given_the_published_case_when_imported_and_polled_then_each_nurse_is_told_once_and_no_header_names_him(
    installed: Installation, relay: SmtpServer
) -> None:
    installed.run("import", installed.case_files(until=EVENING))
    first = installed.run("poll", "--at", FIRST_ADVICE, "--format", "json").json
    assert first["messages"] == {"queued": 2, "accepted": 2, "failed": 0}
    installed.run("poll", "--at", LOST_WALKING)
    again = installed.call("poll", "--at", LOST_WALKING, "--format", "json").json
    assert (again["patients_evaluated"], again["messages"]["queued"]) == (0, 0)
    subjects = [mail.message["Subject"] for mail in relay.mails]
    assert [subject.split(" - ")[0] for subject in subjects] == ["SAME DAY", "SAME DAY", "IMMEDIATE", "IMMEDIATE"]
    assert Counter(mail.recipients for mail in relay.mails) == {(NURSES[0],): 2, (NURSES[1],): 2}
    sent = {mail.message["Message-ID"]: mail.recipient for mail in relay.mails}
    assert sent == dict(installed.rows("SELECT message_id, recipient_address FROM messages"))
    assert len(sent) == 4
    for mail in relay.mails:
        headers = "\n".join(f"{name}: {value}" for name, value in mail.message.items())
        for private in (NAME, NAME.split()[1], BORN, NOTE, CASE):
            assert private not in headers
        for private in (NAME, NAME.split()[1], BORN, NOTE):
            assert private.encode() not in mail.data
        assert mail.sender == "alerts@hospital.example"
        assert REPEAT not in mail.text
        assert "wheelchair" in mail.text or "reduce to 1.0 mg/m2" in mail.text


def test_given_kill_9_between_rounds_and_in_the_middle_of_one_when_started_again_then_nothing_is_lost(
    installed: Installation, relay: SmtpServer
) -> None:
    feed = installed.case_files(until=EVENING)
    importing = installed.start("import", feed)
    until(lambda: installed.database.exists() and installed.database.stat().st_size > 0, what="the database")
    importing.send_signal(signal.SIGKILL)
    importing.communicate()
    installed.call("import", feed)  # again: what was in is in once
    assert installed.rows("SELECT count(*) FROM doses WHERE superseded_at IS NULL") == [(10,)]
    relay.script(".", SILENT)  # has the first mail, and says nothing
    polling = installed.start("poll", "--at", LOST_WALKING)
    until(lambda: relay.bodies == 1, what="the mail")
    polling.send_signal(signal.SIGKILL)
    polling.communicate()
    minted = dict(installed.rows("SELECT message_id, recipient_address FROM messages"))
    (claimed,) = installed.rows("SELECT message_id FROM messages WHERE state = 'sending'")
    assert len(minted) == 2
    installed.run("poll", "--at", "2011-03-15T21:01")  # the other nurse need not wait for the claim's end
    assert len(relay.mails) == 2
    installed.call("poll", "--at", "2011-03-15T21:02")
    assert len(relay.mails) == 2
    last = installed.run("poll", "--at", "2011-03-15T21:05", "--format", "json").json
    assert (last["alerts"]["opened"], last["messages"]) == (0, {"queued": 0, "accepted": 1, "failed": 0})
    copies = Counter(mail.message["Message-ID"] for mail in relay.mails)
    assert copies == Counter(minted.keys()) + Counter(claimed)
    assert {mail.message["Message-ID"]: mail.recipient for mail in relay.mails} == minted
    repeats = [mail for mail in relay.mails if REPEAT in mail.text]
    assert [mail.message["Message-ID"] for mail in repeats] == list(claimed)
    assert repeats == relay.mails[-1:]
    installed.call("poll", "--at", "2011-03-15T21:59")
    assert len(relay.mails) == 3
    installed.call("poll", "--at", "2011-03-15T22:30")  # an hour without an answer
    reminders = relay.mails[3:]
    assert sorted(mail.recipient for mail in reminders) == sorted(NURSES)
    assert all("not acknowledged" in mail.message["Subject"] for mail in reminders)


def test_given_a_relay_that_is_down_when_polled_then_4_and_the_mail_goes_with_the_next_poll_that_finds_it_up(
    installed: Installation, relay: SmtpServer
) -> None:
    installed.run("import", installed.case_files(until=EVENING))
    with SmtpServer() as gone:
        port = gone.port
    installed.config.write_text(installed.config.read_text(encoding="utf-8").replace(str(relay.port), str(port)), "utf-8")
    failed = installed.run("poll", "--at", LOST_WALKING, "--format", "json", code=4)
    assert failed.json["messages"]["queued"] == 2
    assert failed.json["messages"]["accepted"] == 0
    assert "kept" in failed.err
    status = installed.call("status", "--format", "json", code=1).json
    assert status["outbox"] == {"waiting": 2, "accepted": 0, "dead": 0}
    assert any("mail is not going out" in problem for problem in status["problems"])
    with SmtpServer(port=port) as up:
        installed.run("poll", "--at", "2011-03-15T21:02")
        assert sorted(mail.recipient for mail in up.mails) == sorted(NURSES)
        assert not any(REPEAT in mail.text for mail in up.mails)  # nothing had reached anyone: no doubt
    assert installed.call("status", "--format", "json").json["healthy"] is True


def test_given_one_nurse_refused_for_good_when_polled_then_the_other_is_told_and_status_says_so(
    installed: Installation, relay: SmtpServer
) -> None:
    relay.always(f"RCPT {NURSES[0]}", f"550 5.1.1 no such user {NURSES[0]} ({NAME})")
    installed.run("import", installed.case_files(until=EVENING))
    polled = installed.run("poll", "--at", LOST_WALKING, "--format", "json", code=4)
    assert polled.json["messages"] == {"queued": 2, "accepted": 1, "failed": 1}
    assert [mail.recipient for mail in relay.mails] == [NURSES[1]]
    status = installed.call("status", code=1)
    assert "1 message(s) were refused for good" in status.out
    assert NURSES[0] not in polled.out + polled.err + status.out + status.err
    assert installed.call("poll", "--at", "2011-03-15T21:59", "--format", "json").json["messages"]["failed"] == 0
    assert len(relay.mails) == 1


def test_given_three_polls_at_once_on_one_database_when_they_send_then_each_nurse_is_told_once(
    installed: Installation, relay: SmtpServer
) -> None:
    installed.run("import", installed.case_files(until=EVENING))
    relay.delay_seconds = 0.3
    polls = [installed.start("poll", "--at", LOST_WALKING) for _ in range(3)]
    for poll in polls:
        poll.communicate(timeout=60)
    installed.call("poll", "--at", LOST_WALKING)
    assert Counter(mail.recipient for mail in relay.mails) == Counter(NURSES)
    assert not any(REPEAT in mail.text for mail in relay.mails)
