"""Messages: claimed before they are sent, moved on by the claim's owner alone, never lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import DatabaseError
from monitor.store import outbox
from monitor.store.database import Database
from monitor.store.outbox import NewMessage, StoredMessage
from tests.store.databases import NOW, a_database

MINUTE = timedelta(minutes=1)


def a_message(number: int = 1, *, priority: int = 0) -> NewMessage:
    return NewMessage(
        message_id=f"<{number}@clinic>",
        kind="alert",
        recipient_address="nurse@hospital.example",
        recipient_name="Nurse on duty",
        subject="Look today",
        text="…",
        html="<p>…</p>",
        headers={"X-Bipn-Urgency": "same-day"},
        alert_ids=(7, 9),
        patient_id="P-1",
        priority=priority,
    )


def claim(database: Database, *, minutes: int = 0, limit: int = 10) -> list[StoredMessage]:
    with database.write() as connection:
        return outbox.claim_due(connection, now=NOW + minutes * MINUTE, limit=limit, lease=5 * MINUTE)


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
        assert outbox.record_outcome(connection, message, "accepted", "250 queued", now=NOW)
        assert outbox.counts(connection) == {"pending": 0, "sending": 0, "accepted": 1, "dead": 0}
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
        ("relay_fault", True, "pending", 0, False),
        ("indeterminate", True, "pending", 1, True),
    ],
)
def test_given_an_outcome_when_recorded_then_the_message_moves_on(
    outcome: outbox.Outcome, again: bool, state: str, attempts: int, maybe_repeat: bool, tmp_path: Path
) -> None:
    database = with_one_message(tmp_path)
    (message,) = claim(database)
    later = NOW + 10 * MINUTE if again else None
    with database.write() as connection:
        assert outbox.record_outcome(connection, message, outcome, "…", now=NOW, next_attempt_at=later)
        (found,) = outbox.with_ids(connection, [message.id])
    assert (found.state, found.attempts, found.maybe_repeat) == (state, attempts, maybe_repeat)
    assert claim(database, minutes=9) == []
    assert len(claim(database, minutes=10)) == (state == "pending")


def test_given_a_claim_whose_lease_is_over_when_released_then_it_is_sent_again_as_a_repetition(tmp_path: Path) -> None:
    database = with_one_message(tmp_path)
    (first,) = claim(database)
    with database.write() as connection:
        assert outbox.release_expired(connection, NOW + 4 * MINUTE) == 0
        assert outbox.release_expired(connection, NOW + 5 * MINUTE) == 1
        assert [attempt.outcome for attempt in outbox.attempts_of(connection, [1])[1]] == ["indeterminate"]
        assert outbox.oldest_waiting(connection) == NOW
    (second,) = claim(database, minutes=5)
    assert (second.message_id, second.maybe_repeat, second.fencing_token) == (first.message_id, True, 2)
    with database.write() as connection:
        assert not outbox.record_outcome(connection, first, "refused_for_good", "550", now=NOW)
        assert outbox.record_outcome(connection, second, "accepted", "250", now=NOW)
        outcomes = [attempt.outcome for attempt in outbox.attempts_of(connection, [1])[1]]
    assert outcomes == ["indeterminate", "refused_for_good", "accepted"]


def test_given_a_released_claim_when_its_outcome_comes_late_then_it_is_not_sent_again(tmp_path: Path) -> None:
    database = with_one_message(tmp_path)
    (message,) = claim(database)
    with database.write() as connection:
        outbox.release_expired(connection, NOW + 5 * MINUTE)
        assert outbox.record_outcome(connection, message, "accepted", "250", now=NOW + 6 * MINUTE)
    assert claim(database, minutes=10) == []


def test_given_a_message_id_when_enqueued_twice_then_it_is_refused(tmp_path: Path) -> None:
    database = with_one_message(tmp_path)
    with pytest.raises(DatabaseError, match="message_id"), database.write() as connection:
        outbox.enqueue(connection, [a_message()], now=NOW)
