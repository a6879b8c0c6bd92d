"""Messages: claimed before they are sent, moved on by the claim's owner alone, never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import DatabaseError
from monitor.store import claims, outbox
from monitor.store.database import Database
from monitor.store.outbox import NewMessage, StoredMessage
from tests.store.databases import NOW, a_database

MINUTE = timedelta(minutes=1)


A_MESSAGE = NewMessage(
    message_id="<0@clinic>",
    kind="alert",
    recipient_address="nurse@hospital.example",
    recipient_name="Nurse on duty",
    subject="Look today",
    text="…",
    html="<p>…</p>",
    headers={"X-Bipn-Urgency": "same-day"},
    alert_ids=(7, 9),
    patient_id="P-1",
)


def a_message(number: int = 1, **changed: Any) -> NewMessage:
    return replace(A_MESSAGE, message_id=f"<{number}@clinic>", **{"patient_id": f"P-{number}"} | changed)


def claim(database: Database, *, minutes: int = 0, limit: int = 10) -> list[StoredMessage]:
    with database.write() as connection:
        return claims.claim_due(connection, now=NOW + minutes * MINUTE, limit=limit, lease=5 * MINUTE)


def with_one_message(folder: Path) -> Database:
    database = a_database(folder)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message()], now=NOW)
    return database


def test_given_messages_when_claimed_then_the_most_urgent_come_first_and_nobody_claims_them_twice(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        assert outbox.enqueue(connection, [a_message(1), a_message(2, priority=2), a_message(3)], now=NOW) == (1, 2, 3)
        assert outbox.enqueue(connection, [], now=NOW) == ()
    assert [message.id for message in claim(database, limit=2)] == [2, 1]
    (message,) = claim(database)
    assert (message.id, message.state, message.attempts, message.fencing_token) == (3, "sending", 1, 1)
    assert (message.alert_ids, message.headers, message.html) == ((7, 9), {"X-Bipn-Urgency": "same-day"}, "<p>…</p>")
    assert claim(database) == []


def test_given_a_claim_when_accepted_then_it_is_done(tmp_path: Path) -> None:
    database = with_one_message(tmp_path)
    (message,) = claim(database)
    with database.write() as connection:
        assert claims.record_outcome(connection, message, "accepted", "250 queued", now=NOW)
        assert outbox.counts(connection) == {"pending": 0, "sending": 0, "accepted": 1, "dead": 0, "cancelled": 0}
        assert outbox.oldest_waiting(connection) is None
        assert [stored.state for stored in outbox.with_ids(connection, [1])] == ["accepted"]
        (attempt,) = outbox.attempts_of(connection, [1])[1]
    assert (attempt.outcome, attempt.reply) == ("accepted", "250 queued")


@pytest.mark.parametrize(
    ("outcome", "again", "state", "attempts", "maybe_repeat"),
    [
        ("refused_for_now", True, "pending", 1, False),
        ("refused_for_now", False, "dead", 1, False),
        ("refused_for_good", True, "dead", 1, False),
        ("relay_fault", True, "pending", 1, False),
        ("relay_fault", False, "pending", 0, False),
        ("indeterminate", True, "pending", 1, True),
    ],
)
def test_given_an_outcome_when_recorded_then_the_message_moves_on(
    outcome: claims.Outcome, again: bool, state: str, attempts: int, maybe_repeat: bool, tmp_path: Path
) -> None:
    database = with_one_message(tmp_path)
    (message,) = claim(database)
    later = NOW + 10 * MINUTE if again else None
    with database.write() as connection:
        assert claims.record_outcome(connection, message, outcome, "…", now=NOW, next_attempt_at=later)
        (found,) = outbox.with_ids(connection, [message.id])
    assert (found.state, found.attempts, found.maybe_repeat) == (state, attempts, maybe_repeat)
    if again:  # otherwise it waits for a relay, not for an hour
        assert claim(database, minutes=9) == []
    assert len(claim(database, minutes=10)) == (state == "pending")
    assert found.reason == ("…" if state == "dead" else None)


def test_given_a_claim_whose_lease_is_over_when_released_then_it_is_sent_again_as_a_repetition(tmp_path: Path) -> None:
    database = with_one_message(tmp_path)
    (first,) = claim(database)
    with database.write() as connection:
        assert claims.release_expired(connection, NOW + 4 * MINUTE) == 0
        assert claims.release_expired(connection, NOW + 5 * MINUTE) == 1
        assert [attempt.outcome for attempt in outbox.attempts_of(connection, [1])[1]] == ["indeterminate"]
        assert outbox.oldest_waiting(connection) == NOW
    (second,) = claim(database, minutes=5)
    assert (second.message_id, second.maybe_repeat, second.fencing_token) == (first.message_id, True, 2)
    with database.write() as connection:
        assert not claims.record_outcome(connection, first, "refused_for_good", "550", now=NOW)
        assert claims.record_outcome(connection, second, "accepted", "250", now=NOW)
        outcomes = [attempt.outcome for attempt in outbox.attempts_of(connection, [1])[1]]
    assert outcomes == ["indeterminate", "refused_for_good", "accepted"]


def test_given_a_released_claim_when_its_outcome_comes_late_then_it_is_not_sent_again(tmp_path: Path) -> None:
    database = with_one_message(tmp_path)
    (message,) = claim(database)
    with database.write() as connection:
        claims.release_expired(connection, NOW + 5 * MINUTE)
        assert claims.record_outcome(connection, message, "accepted", "250", now=NOW + 6 * MINUTE)
    assert claim(database, minutes=10) == []


def test_given_a_message_id_when_enqueued_twice_then_it_is_refused(tmp_path: Path) -> None:
    database = with_one_message(tmp_path)
    with pytest.raises(DatabaseError, match="message_id"), database.write() as connection:
        outbox.enqueue(connection, [a_message()], now=NOW)


def test_given_messages_of_dead_and_living_processes_when_released_then_only_the_dead_ones_are_due_at_once(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(1), a_message(2)], now=NOW)
        for holder in ("clinic:1:dead", "clinic:2:alive"):
            claims.claim_due(connection, now=NOW, limit=1, lease=5 * MINUTE, holder=holder)
        assert claims.release_dead(connection, NOW, lambda holder: holder.endswith("dead")) == 1
        states = {message.id: (message.state, message.claimed_by) for message in outbox.with_ids(connection, [1, 2])}
    assert states == {1: ("pending", None), 2: ("sending", "clinic:2:alive")}
    (again,) = claim(database)
    assert (again.id, again.maybe_repeat) == (1, True)


def test_given_a_claim_left_behind_by_the_caller_when_released_then_it_need_not_wait_for_its_lease(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(1), a_message(2)], now=NOW)
        for holder in ("ours", "another's"):
            claims.claim_due(connection, now=NOW, limit=1, lease=5 * MINUTE, holder=holder)
        assert not claims.anything_due(connection, NOW, holder="nobody")
        assert claims.anything_due(connection, NOW, holder="ours")
        assert claims.release_expired(connection, NOW, holder="ours") == 1
        assert [message.state for message in outbox.with_ids(connection, [1, 2])] == ["pending", "sending"]


def test_given_mails_to_one_nurse_about_one_patient_when_claimed_then_never_two_at_once(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    same = {"patient_id": "P-1"}
    with database.write() as connection:
        messages = [
            a_message(1, **same),
            a_message(2, **same, alert_ids=(8,)),
            a_message(3, **same, recipient_address="other@hospital.example"),
            a_message(4, patient_id=None),
            a_message(5, patient_id=None),
        ]
        outbox.enqueue(connection, messages, now=NOW)
    first, *_ = taken = claim(database)
    assert [message.id for message in taken] == [1, 3, 4, 5]
    assert claim(database) == []
    with database.write() as connection:
        claims.record_outcome(connection, first, "refused_for_now", "450", now=NOW, next_attempt_at=NOW + 60 * MINUTE)
    assert [message.id for message in claim(database)] == [2]  # the first only waits: nothing about it has to come before


@pytest.mark.parametrize("kind", ["correction", "reminder"])
def test_given_an_earlier_mail_that_still_waits_when_claimed_then_a_later_correction_or_reminder_waits_too(
    kind: str, tmp_path: Path
) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(1, patient_id="P-1", due_at=NOW + MINUTE)], now=NOW)
        outbox.enqueue(connection, [a_message(2, patient_id="P-1", kind=kind)], now=NOW)
    assert claim(database) == []
    assert [message.id for message in claim(database, minutes=1)] == [1]


def test_given_a_newer_mail_that_says_all_of_an_older_one_when_enqueued_then_the_older_is_cancelled(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    same = {"patient_id": "P-1"}
    with database.write() as connection:
        older = [
            a_message(1, **same, alert_ids=(7,)),
            a_message(2, **same, alert_ids=(6,)),
            a_message(3, **same, alert_ids=(7,), recipient_address="other@hospital.example"),
            a_message(4, **same, alert_ids=(7,), kind="correction"),
            a_message(5, **same, alert_ids=(7,), priority=2),
            a_message(8, **same, alert_ids=(6, 7), kind="reminder"),
        ]
        outbox.enqueue(connection, older, now=NOW)
        outbox.enqueue(connection, [a_message(6, **same, alert_ids=(7, 9), priority=1)], now=NOW)
        found = {message.id: message.reason for message in outbox.with_ids(connection, range(9)) if message.state == "cancelled"}
    assert set(found) == {1, 4}  # "corrected to lower" after "worse again" would take that back
    assert set(found.values()) == {outbox.SUPERSEDED}


@pytest.mark.parametrize("ended", ["refused", "unknown", "died"])
def test_given_a_mail_on_its_way_when_it_has_to_wait_after_a_newer_one_said_it_all_then_it_does_not_follow_it(
    ended: str, tmp_path: Path
) -> None:
    database = a_database(tmp_path)
    same = {"patient_id": "P-1"}
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(1, **same, alert_ids=(7,)), a_message(2, **same, alert_ids=(8,))], now=NOW)
    (first,) = claim(database)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(3, **same, alert_ids=(7, 9), priority=2)], now=NOW)
        if ended == "died":
            claims.release_expired(connection, NOW + 60 * MINUTE)
        else:
            outcome: claims.Outcome = "indeterminate" if ended == "unknown" else "refused_for_now"
            claims.record_outcome(connection, first, outcome, "…", now=NOW, next_attempt_at=NOW + MINUTE)
        states = [message.state for message in outbox.with_ids(connection, [1, 2, 3])]
    assert states == ["cancelled", "pending", "pending"]


def test_given_a_mail_on_its_way_when_the_newer_one_waits_for_the_morning_then_it_is_tried_on(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(1, patient_id="P-1")], now=NOW)
    (first,) = claim(database)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(2, patient_id="P-1", due_at=NOW + 60 * MINUTE)], now=NOW)
        claims.record_outcome(connection, first, "refused_for_now", "…", now=NOW, next_attempt_at=NOW + MINUTE)
        assert [message.state for message in outbox.with_ids(connection, [1, 2])] == ["pending", "pending"]


def test_given_a_newer_mail_for_the_morning_when_enqueued_then_one_that_goes_tonight_is_kept(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(1, patient_id="P-1")], now=NOW)
        outbox.enqueue(connection, [a_message(2, patient_id="P-1", due_at=NOW + 60 * MINUTE)], now=NOW)
        outbox.enqueue(connection, [a_message(3, patient_id="P-1", due_at=NOW + 60 * MINUTE)], now=NOW)
        states = [message.state for message in outbox.with_ids(connection, [1, 2, 3])]
    assert states == ["pending", "cancelled", "pending"]


def test_given_reminders_when_their_alerts_are_acknowledged_then_those_about_nothing_else_are_cancelled(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        outbox.enqueue(
            connection,
            [
                a_message(1, kind="reminder", alert_ids=(7,), priority=2),
                a_message(2, kind="reminder", alert_ids=(7,)),
                a_message(3, kind="reminder", alert_ids=(7, 8)),
                a_message(4, alert_ids=(7,)),
            ],
            now=NOW,
        )
    assert [message.id for message in claim(database, limit=1)] == [1]
    with database.write() as connection:
        assert outbox.cancel_reminders(connection, {7}, "acknowledged by N. Berger", NOW) == 1
        states = [message.state for message in outbox.with_ids(connection, [1, 2, 3, 4])]
    assert states == ["sending", "cancelled", "pending", "pending"]
