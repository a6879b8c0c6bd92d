"""The outbox's sender: order, refusals, faults, and what it does not do to the other messages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.delivery.message import REPEAT
from monitor.service.post import send_due
from monitor.service.round import run_round
from monitor.service.status import status
from tests.service.clinic import NORTH, Clinic, on
from tests.service.test_rounds_and_mails import LAME, LOST, watched
from tests.smtp_server import DROP

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
        sql.execute("UPDATE messages SET subject = 'one' || char(10) || 'two' WHERE id = (SELECT min(id) FROM messages)")
    sent = send_due(clinic.site, on(36, 15))
    assert (sent.accepted, sent.failed, sent.relay_fault) == (3, 1, None)
    assert any("refused for good" in problem for problem in status(clinic.site, on(36, 15)).problems)


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
            (due,) = sql.execute(
                "SELECT (julianday(next_attempt_at) - julianday(?)) * 1440 FROM messages WHERE state = 'pending'",
                (at.strftime("%Y-%m-%d %H:%M:%S"),),
            ).fetchone()
        waits.append(round(due))
        at += timedelta(minutes=round(due) + 1)
        assert clinic.poll(at).sent.failed == 1
    assert waits == [1, 5, 15, 60, 60, 60]
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
