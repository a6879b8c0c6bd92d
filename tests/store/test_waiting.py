"""How much waits to be sent, and what becomes of that when the clock was set back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from monitor.store import claims, outbox, waiting
from monitor.store.tables import MESSAGES
from tests.store.databases import NOW, a_database
from tests.store.test_outbox import a_message

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_given_a_clock_that_was_set_back_when_mail_waits_then_only_quiet_hours_go_on(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        tried, fresh, quiet = outbox.enqueue(connection, [a_message(number) for number in (1, 2, 3)], now=NOW)
        connection.execute(MESSAGES.update().where(MESSAGES.c.id == quiet).values(next_attempt_at=NOW + 8 * HOUR))
        (claimed,) = claims.claim_due(connection, now=NOW, limit=1, lease=MINUTE)
        assert claimed.id == tried
        later = NOW + 5 * MINUTE
        claims.record_outcome(connection, claimed, "refused_for_now", "450 busy", now=NOW, next_attempt_at=later)
        assert waiting.count(connection) == 3
        assert waiting.bring_forward(connection, NOW - HOUR) == 2
        rows = connection.execute(select(MESSAGES.c.id, MESSAGES.c.next_attempt_at)).all()
        assert {row.id: row.next_attempt_at for row in rows} == {tried: NOW - HOUR, fresh: NOW - HOUR, quiet: NOW + 8 * HOUR}
