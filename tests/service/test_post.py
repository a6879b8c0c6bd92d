"""The outbox's sender: order, refusals, faults, and what it does not do to the other messages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.delivery.message import REPEAT
from monitor.delivery.reply_tokens import bounce_token_in, read_bounce_token
from monitor.errors import DatabaseError
from monitor.service import clock
from monitor.service.post import PostSummary, send_due
from monitor.service.round import run_round
from monitor.store import claims, escalations, keys, outbox
from tests.e2e.installation import until
from tests.engines import instant_of
from tests.service.clinic import NORTH, SOUTH, Clinic, a_clinic, on
from tests.service.test_rounds_and_mails import LAME, LOST, watched
from tests.smtp_server import DROP, SILENT

pytestmark = pytest.mark.both_engines

MINUTE = timedelta(minutes=1)


def queued(clinic: Clinic) -> None:
    """Two patients' mails in the outbox, four messages: P-1 lost walking, P-2 uses a cane."""
    watched(clinic, "P-1", "P-2")
    clinic.assess("P-2", 36, **LAME)
    clinic.assess("P-1", 36, **LOST)
    assert run_round(clinic.site, on(36, 15)).queued == 4


def test_given_several_messages_when_sent_then_the_most_urgent_go_first(clinic: Clinic) -> None:
    queued(clinic)
    assert send_due(clinic.site, on(36, 15)).accepted == 4
    words = [mail.message["Subject"].split(" - ")[0] for mail in clinic.relay.mails]
    assert words == ["IMMEDIATE", "IMMEDIATE", "SAME DAY", "SAME DAY"]
    assert [mail.message["Importance"] for mail in clinic.relay.mails] == ["high", "high", None, None]


def test_given_a_header_that_cannot_be_written_when_sent_then_that_message_is_given_up_and_the_others_go(clinic: Clinic) -> None:
    queued(clinic)
    with clinic.another_program() as sql:
        sql.execute("UPDATE messages SET subject = ? WHERE id = (SELECT min(id) FROM messages)", ("one\ntwo",))
    sent = send_due(clinic.site, on(36, 15))
    assert (sent.accepted, sent.failed, sent.relay_fault) == (4, 1, None)  # a plain mail went in its place
    assert rows(clinic, "SELECT reason FROM messages WHERE state = 'dead'") == [("it cannot be written: ValueError",)]


def test_given_a_stop_when_sending_then_what_is_left_waits_unharmed(clinic: Clinic) -> None:
    queued(clinic)
    sent = send_due(clinic.site, on(36, 15), stopping=lambda: len(clinic.relay.mails) >= 1)
    assert (sent.accepted, len(clinic.relay.mails)) == (1, 1)
    assert send_due(clinic.site, on(36, 15)).accepted == 3


def test_given_a_stop_when_a_round_begins_then_the_patients_stay_due(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    assert run_round(clinic.site, on(36, 15), stopping=lambda: True).patients_evaluated == 0
    assert run_round(clinic.site, on(36, 15)).patients_evaluated == 1


@pytest.mark.parametrize("key", [".", "DATA"])
def test_given_a_message_that_is_refused_for_what_it_says_when_sent_then_a_plain_mail_goes_and_names_no_patient(
    clinic: Clinic, key: str
) -> None:
    watched(clinic, "P-1", site="South")
    clinic.assess("P-1", 36, **LOST)
    clinic.relay.script(key, "554 5.7.1 content refused by policy")
    polled = clinic.poll(on(36, 15))
    assert (polled.sent.accepted, polled.sent.failed) == (1, 1)
    (mail,) = polled.mails
    alert = clinic.alert("P-1", "rapid-motor-decline")
    assert mail.message["Subject"].startswith("IMMEDIATE - look up in the monitor: A-")
    assert f"A-{alert.alert_id}" in mail.text
    assert "bipn-monitor alerts" in mail.text
    assert "P-1" not in mail.data.decode("ascii")
    assert mail.message.get_content_type() == "text/plain"
    assert rows(clinic, "SELECT state, reason FROM messages WHERE kind = 'alert'") == [
        ("dead", "5.7.1 content refused by policy")
    ]


def test_given_a_relay_that_refuses_every_content_when_sent_then_the_plain_mail_is_given_up_too_and_it_ends(
    tmp_path: Path,
) -> None:
    with a_clinic(tmp_path, more="operations: {address: it@hospital.example}\n") as clinic:
        watched(clinic, "P-1", site="South")
        clinic.assess("P-1", 36, **LOST)
        clinic.relay.always(".", "554 5.7.1 content refused")
        for minutes in range(0, 300, 30):
            clinic.poll(on(36, 15) + minutes * MINUTE)
        kinds = rows(clinic, "SELECT kind, count(*), min(state), max(state) FROM messages GROUP BY kind ORDER BY kind")
    assert kinds == [("alert", 1, "dead", "dead"), ("operations", 2, "dead", "dead"), ("plain", 3, "dead", "dead")]


def test_given_a_poison_message_when_sent_then_operations_are_told_which_and_why(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more="operations: {address: it@hospital.example}\n") as clinic:
        watched(clinic, "P-1", site="South")
        clinic.assess("P-1", 36, **LOST)
        clinic.relay.script(".", "554 5.7.1 content refused")
        polled = clinic.poll(on(36, 15))
    assert polled.recipients == ["it@hospital.example", SOUTH[0]]
    alarm = next(mail for mail in polled.mails if mail.recipient == "it@hospital.example")
    assert "cannot be sent as it is written" in " ".join(alarm.text.split())
    assert "content refused" in " ".join(alarm.text.split())


def test_given_a_recipient_refused_for_good_when_sent_then_the_next_step_s_people_are_told_now(clinic: Clinic) -> None:
    watched(clinic, "P-1", site="South")
    clinic.assess("P-1", 36, **LOST)
    run_round(clinic.site, on(36, 15))
    alert = clinic.alert("P-1", "rapid-motor-decline")
    assert alert.alert_id is not None
    later = escalations.Next(alert_id=alert.alert_id, raised_at=alert.raised_at, step=7, due_at=on(36, 17))
    with clinic.site.database.write() as connection:
        escalations.add(connection, [later])
    clinic.relay.always("RCPT", "550 5.1.1 no such user")
    assert send_due(clinic.site, on(36, 15, 1)).failed == 1
    with clinic.site.database.read() as connection:
        due = [waiting for waiting in escalations.due(connection, on(36, 15, 2)) if waiting.step == 7]
    assert [waiting.why for waiting in due] == ["a mail was given up"]


def test_given_a_relay_that_hangs_on_one_message_when_sent_then_the_others_do_not_wait_for_it(clinic: Clinic) -> None:
    queued(clinic)
    clinic.relay.script(".", SILENT)
    begun = clock.monotonic_seconds()
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(send_due, clinic.site, on(36, 15), stopping=lambda: False)
        until(lambda: len(clinic.relay.taken) == 3, what="the others' mails")
        assert clock.monotonic_seconds() - begun < 15
        assert not sending.done()
        clinic.relay.hang_up()
        sent = sending.result(timeout=15)
    assert (sent.accepted, sent.failed) == (3, 1)


def test_given_connections_busy_with_a_slow_relay_when_an_immediate_mail_is_decided_then_it_is_the_next(clinic: Clinic) -> None:
    enqueued(clinic, 40)
    clinic.relay.delay_seconds = 0.05
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(send_due, clinic.site, on(36, 15))
        clinic.relay.wait_for(4)
        one_to(clinic, "urgent@hospital.example", priority=2, patient_id="P-90")
        before = len(clinic.relay.mails)
        assert sending.result().accepted == 41
    place = [mail.recipient for mail in clinic.relay.mails].index("urgent@hospital.example")
    assert place - before <= 2 * clinic.site.settings.mail.relay.connections


def test_given_two_calls_at_once_when_one_is_sending_then_the_other_does_nothing(clinic: Clinic) -> None:
    queued(clinic)
    clinic.relay.script(".", SILENT)
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(send_due, clinic.site, on(36, 15))
        until(lambda: clinic.relay.bodies == 1, what="the first mail")
        assert send_due(clinic.site, on(36, 15)) == PostSummary()
        clinic.relay.hang_up()
        assert sending.result(timeout=15).accepted == 3


def test_given_a_big_burst_when_sent_then_four_connections_share_it_without_a_needless_word(tmp_path: Path) -> None:
    with a_clinic(tmp_path) as clinic:
        enqueued(clinic, 32)
        clinic.relay.delay_seconds = 0.02
        assert send_due(clinic.site, on(36, 15)).accepted == 32
        assert clinic.relay.most_at_once == 4
        assert "RSET" not in clinic.relay.commands


def test_given_answers_are_read_when_sent_then_the_mail_says_where_to_and_a_bounce_names_the_message(tmp_path: Path) -> None:
    (tmp_path / "maildir").mkdir()
    more = "answers: {address: answers@hospital.example, maildir: maildir}\n"
    with a_clinic(tmp_path, more=more) as clinic:
        enqueued(clinic, 1)
        assert send_due(clinic.site, on(36, 15)).accepted == 1
        (mail,) = clinic.relay.mails
        with clinic.site.database.write() as connection:
            secrets = keys.keys_for(connection, keys.REPLY_TOKENS, clock.now())
    assert mail.message["Reply-To"] == "answers@hospital.example"
    token = bounce_token_in(mail.sender)
    assert token is not None
    assert read_bounce_token(token, secrets) == 1


def test_given_an_outcome_that_cannot_be_recorded_when_it_can_be_again_then_the_mail_goes_once_more_and_says_so(
    clinic: Clinic,
) -> None:
    enqueued(clinic, 1)
    with clinic.another_program() as sql:
        sql.refuse("no_room", "attempts")
    with pytest.raises(DatabaseError):
        send_due(clinic.site, on(36, 15))
    assert len(clinic.relay.mails) == 1
    with clinic.another_program() as sql:
        sql.allow("no_room", "attempts")
    assert send_due(clinic.site, on(36, 15)).accepted == 1
    first, second = clinic.relay.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert [REPEAT in mail.text for mail in (first, second)] == [False, True]


def test_given_a_plain_mail_that_cannot_be_stored_when_a_mail_is_given_up_then_the_others_go_all_the_same(clinic: Clinic) -> None:
    enqueued(clinic, 3)
    clinic.relay.script(".", "554 5.7.1 content refused")
    with clinic.another_program() as sql:
        sql.refuse("no_room", "messages", "new.kind = 'plain'")
    assert send_due(clinic.site, on(36, 15)).accepted == 2
    assert dict(rows(clinic, "SELECT state, count(*) FROM messages GROUP BY state")) == {"accepted": 2, "dead": 1}


def enqueued(clinic: Clinic, count: int) -> None:
    """So many messages about as many patients, due at once."""
    messages = [
        outbox.NewMessage(
            message_id=f"<{number}@clinic>",
            kind="alert",
            recipient_address=NORTH[number % 2],
            recipient_name="Nurse",
            subject="Look today",
            text="text\n",
            html="<p>text</p>\n",
            patient_id=f"P-{number}",
        )
        for number in range(count)
    ]
    with clinic.site.database.write() as connection:
        outbox.enqueue(connection, messages, now=on(36, 15))


def rows(clinic: Clinic, statement: str) -> list[tuple[Any, ...]]:
    with clinic.another_program() as sql:
        return list(sql.execute(statement))


@pytest.mark.parametrize("step", ["banner", "EHLO", "MAIL"])
def test_given_a_fault_of_the_relay_when_sent_then_the_burst_ends_and_no_attempt_is_burnt(clinic: Clinic, step: str) -> None:
    queued(clinic)
    clinic.relay.always(step, "421 4.3.2 closing" if step != "MAIL" else "550 5.7.1 sender refused")
    sent = send_due(clinic.site, on(36, 15))
    assert sent.accepted == 0
    assert sent.relay_fault is not None
    assert sent.failed == 1
    with clinic.another_program() as sql:
        assert sql.execute("SELECT max(attempts), count(*) FROM messages WHERE state = 'pending'").fetchone() == (0, 4)
    clinic.relay.forget_script()
    assert send_due(clinic.site, on(36, 15) + 2 * MINUTE).accepted == 4
    assert not any(REPEAT in mail.text for mail in clinic.relay.mails)


def test_given_a_refusal_for_now_when_sent_again_then_it_waits_longer_each_time_and_is_never_given_up(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    clinic.relay.always(f"RCPT {NORTH[0]}", "451 4.7.1 greylisted")
    at = on(36, 15)
    assert clinic.poll(at).sent.accepted == 1
    waits = []
    for _ in range(6):
        with clinic.another_program() as sql:
            (again,) = sql.execute("SELECT next_attempt_at FROM messages WHERE state = 'pending'").fetchone()
        due = (instant_of(again) - at) / timedelta(minutes=1)
        waits.append(due)
        at += timedelta(minutes=round(due) + 1)
        assert clinic.poll(at).sent.failed == 1
    for wait, about in zip(waits, [1, 5, 15, 60, 60, 60], strict=True):
        assert about * 0.98 <= wait <= about * 1.22  # a fifth longer, so that not all come back at once
    assert len({round(wait / 60, 6) for wait in waits[3:]}) == 3
    clinic.relay.forget_script()
    assert clinic.poll(at + timedelta(hours=2)).recipients == [NORTH[0]]


def test_given_a_connection_that_ends_after_the_message_when_sent_again_then_the_copy_says_so(clinic: Clinic) -> None:
    watched(clinic, "P-1", site="South")
    clinic.assess("P-1", 36, **LOST)
    clinic.relay.script(".", DROP)
    first = clinic.poll(on(36, 15))
    assert (first.sent.failed, len(first.mails)) == (1, 1)
    second = clinic.poll(on(36, 15) + 2 * MINUTE)
    assert second.sent.accepted == 1
    (one,), (two,) = first.mails, second.mails
    assert one.message["Message-ID"] == two.message["Message-ID"]
    assert REPEAT not in one.text
    assert REPEAT in two.text


def one_to(clinic: Clinic, address: str, message_id: str = "<one@clinic>", **message: Any) -> None:
    """A message to somebody else, due at once."""
    words = {"kind": "alert", "recipient_name": "Nurse", "subject": "Look", "text": "text\n", "html": None}
    new = outbox.NewMessage(**words | {"message_id": message_id, "recipient_address": address} | message)
    with clinic.site.database.write() as connection:
        outbox.enqueue(connection, [new], now=on(36, 15))


def test_given_a_reminder_that_waits_for_an_earlier_mail_when_others_are_due_then_these_go(
    clinic: Clinic,
) -> None:
    one_to(clinic, "full@hospital.example", alert_ids=(1,), patient_id="P-90")
    clinic.relay.always("RCPT full@hospital.example", "452 4.2.2 mailbox full")
    assert send_due(clinic.site, on(36, 15)).failed == 1
    one_to(clinic, "full@hospital.example", "<two@clinic>", kind="reminder", alert_ids=(1, 2), priority=2)
    enqueued(clinic, 6)
    assert send_due(clinic.site, on(36, 15) + MINUTE / 2).accepted == 6


@pytest.mark.parametrize(
    "reply",
    [DROP, "530 5.7.1 authentication required", "554 5.7.1 relay access denied", "garbage", "\x00\xff \x7f", "9" * 40_000],
)
def test_given_a_recipient_whom_the_relay_cannot_bear_when_sent_then_the_others_get_theirs(clinic: Clinic, reply: str) -> None:
    one_to(clinic, "outside@elsewhere.example", priority=2, patient_id="P-90")
    one_to(clinic, "outside@elsewhere.example", "<two@clinic>", priority=2, patient_id="P-91")
    enqueued(clinic, 6)
    clinic.relay.always("RCPT outside@elsewhere.example", reply)
    assert send_due(clinic.site, on(36, 15)).accepted == 6
    assert rows(clinic, "SELECT DISTINCT state FROM messages WHERE priority = 2") == [("pending",)]
    clinic.relay.forget_script()
    assert send_due(clinic.site, on(36, 15) + 20 * MINUTE).accepted == 2


def test_given_a_mail_after_which_the_relay_wants_a_login_when_sent_then_the_others_get_theirs(clinic: Clinic) -> None:
    one_to(clinic, NORTH[0], priority=2, patient_id="P-90")
    clinic.relay.script(".", "530 5.7.0 login required")
    enqueued(clinic, 6)
    assert send_due(clinic.site, on(36, 15)).accepted == 6


def test_given_many_recipients_whom_the_relay_cannot_bear_when_tried_again_then_the_others_come_first(clinic: Clinic) -> None:
    for number in range(3):
        one_to(clinic, f"{number}@elsewhere.example", f"<x{number}@clinic>", priority=2, patient_id=f"P-9{number}")
        clinic.relay.always(f"RCPT {number}@elsewhere.example", DROP)
    enqueued(clinic, 6)
    at, accepted = on(36, 15), 0
    for _ in range(4):
        accepted += send_due(clinic.site, at).accepted
        at += MINUTE
    assert accepted == 6


@pytest.mark.parametrize("key", ["MAIL", "."])
def test_given_a_mail_too_big_for_the_relay_when_sent_then_a_plain_one_goes_in_its_place(clinic: Clinic, key: str) -> None:
    one_to(clinic, NORTH[0], patient_id="P-90", alert_ids=(1,), text="a long list\n" * 10_000)
    clinic.relay.script(key, "552 5.3.4 Message size exceeds fixed limit")
    sent = send_due(clinic.site, on(36, 15))
    assert (sent.accepted, sent.failed) == (1, 1)
    assert rows(clinic, "SELECT kind, state FROM messages") == [("alert", "dead"), ("plain", "accepted")]


def test_given_a_mail_refused_for_now_again_and_again_when_tried_on_then_the_next_people_and_operations_are_told(
    tmp_path: Path,
) -> None:
    with a_clinic(tmp_path, more="operations: {address: it@hospital.example}\n") as clinic:
        watched(clinic, "P-1", site="South")
        clinic.assess("P-1", 36, **LOST)
        clinic.relay.always(f"RCPT {SOUTH[0]}", "452 4.2.2 mailbox full")
        at = on(36, 15)
        clinic.poll(at)
        due = "SELECT min(due_at) FROM escalations WHERE done_at IS NULL"
        (first,) = rows(clinic, due)
        for minutes in (2, 9, 28):
            send_due(clinic.site, at + minutes * MINUTE)
        assert rows(clinic, due) < [first]
        (mail,) = [mail for mail in clinic.relay.mails if mail.recipient == "it@hospital.example"]
        assert "4 times" in mail.text
        assert "mailbox full" in " ".join(mail.text.split())


@pytest.mark.parametrize("reply", ["550 5.1.1 unknown", "554 5.7.1 not here"])
def test_given_a_digest_that_a_recipient_cannot_get_when_sent_then_only_what_is_immediate_is_passed_on(
    clinic: Clinic, reply: str
) -> None:
    queued(clinic)
    urgent = {alert.alert_id: alert.urgency.value for alert in clinic.alerts() if alert.alert_id is not None}
    send_due(clinic.site, on(36, 15))
    one_to(clinic, "gone@hospital.example", kind="digest", alert_ids=tuple(urgent))
    clinic.relay.always("RCPT gone@hospital.example", reply)
    send_due(clinic.site, on(36, 15) + MINUTE)
    with clinic.site.database.read() as connection:
        passed_on = [urgent[row.alert_id] for row in escalations.due(connection, on(36, 15) + 2 * MINUTE)]
    assert set(passed_on) == {"immediate"}
    assert set(urgent.values()) > {"immediate"}


@pytest.mark.parametrize("state", ["waits", "is being sent"])
def test_given_an_older_mail_that_cannot_go_when_one_of_its_alerts_gets_worse_then_the_newer_mail_says_all_and_is_the_only_one(
    clinic: Clinic, state: str
) -> None:
    watched(clinic, "P-1", site="South")
    clinic.assess("P-1", 36, **LAME)
    clinic.relay.always("RCPT", "451 4.3.0 later")
    run_round(clinic.site, on(36, 15))
    named = {alert.alert_id for alert in clinic.alerts()}
    assert len(named) > 1
    if state == "waits":
        send_due(clinic.site, on(36, 15))
    with clinic.site.database.write() as connection:
        taken = claims.claim_due(connection, now=on(36, 15), limit=1, lease=MINUTE)
    clinic.assess("P-1", 36, source="again", known=on(36, 16), **LOST)
    run_round(clinic.site, on(36, 16))
    with clinic.site.database.write() as connection:
        for message in taken:
            claims.record_outcome(connection, message, "refused_for_now", "451", now=on(36, 16), next_attempt_at=on(36, 16))
    clinic.relay.forget_script()
    send_due(clinic.site, on(36, 17))
    (mail,) = clinic.relay.mails
    still = {alert.alert_id for alert in clinic.alerts(open_only=True)}
    assert all(f"A-{number}" in mail.text for number in named & still)


def test_given_mails_decided_under_a_clock_that_was_a_year_ahead_when_it_is_right_again_then_they_go(tmp_path: Path) -> None:
    with a_clinic(tmp_path) as clinic:
        enqueued(clinic, 1)
        one_to(clinic, NORTH[0], patient_id="P-90", due_at=on(37, 7))
        with clinic.another_program() as sql:
            for column in ("created_at", "next_attempt_at"):
                (first,) = sql.execute(f"SELECT min({column}) FROM messages").fetchone()
                sql.execute(f"UPDATE messages SET {column} = ?", (sql.instant(instant_of(first) + timedelta(days=365)),))
        assert send_due(clinic.site, on(36, 16)).accepted == 2


def test_given_mails_decided_an_hour_ahead_when_the_clock_is_set_back_then_those_for_the_morning_wait_for_it(
    clinic: Clinic,
) -> None:
    enqueued(clinic, 1)
    one_to(clinic, NORTH[0], patient_id="P-90", due_at=on(37, 7))
    assert send_due(clinic.site, on(36, 14)).accepted == 1
