"""What the board reads: messages since an instant by halves, and who was told by a mail about several patients."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.store import board, claims, outbox
from tests.store.databases import NOW, a_database
from tests.store.test_outbox import a_message

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8])
def test_given_messages_when_the_first_since_an_instant_is_searched_then_it_is_that_one(tmp_path: Path, count: int) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        for number in range(count):
            outbox.enqueue(connection, [a_message(number)], now=NOW + number * MINUTE)
    with database.read() as connection:
        found = [board.first_message_since(connection, NOW + (place - 0.5) * MINUTE) for place in range(count + 1)]
    assert found == [place + 1 for place in range(count + 1)]
    database.close()


def test_given_a_digest_of_several_patients_when_read_then_each_alert_knows_who_was_told(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    digest = a_message(2, kind="digest", patient_id=None, alert_ids=(7, 8))
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(1, alert_ids=(7,)), a_message(3, alert_ids=(5,)), digest], now=NOW)
        claimed = claims.claim_due(connection, now=NOW, limit=1, lease=5 * MINUTE)
    with database.read() as connection:
        told = board.told(connection, {7: "P-1", 8: "P-8"}, since=NOW)
    assert {alert_id: [each.kind for each in several] for alert_id, several in told.items()} == {
        7: ["alert", "digest"],
        8: ["digest"],
    }
    assert [each.state for each in told[7]] == [claimed[0].state, "pending"]
    assert told[7][0].accepted_at is None
    database.close()


def test_given_messages_older_than_the_oldest_open_alert_when_read_then_they_are_passed_over(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        outbox.enqueue(connection, [a_message(1, alert_ids=(7,))], now=NOW)
    with database.read() as connection:
        assert board.told(connection, {7: "P-1"}, since=NOW + MINUTE) == {7: []}
    database.close()
