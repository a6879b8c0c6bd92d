"""How much waits to be sent, and what becomes of that when the clock was set back."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, literal_column, or_, select

from monitor.store.tables import MESSAGES

_WAITS = MESSAGES.c.state == literal_column("'pending'")  # literal: so that the partial index is used

LONGEST_WAIT = timedelta(hours=36)
"""No mail waits longer of its own accord."""

SLACK = timedelta(minutes=5)


def count(connection: Connection) -> int:
    """How many messages wait for their next attempt."""
    return int(connection.execute(select(func.count()).select_from(MESSAGES).where(_WAITS)).scalar_one())


def is_of_the_future(connection: Connection, now: datetime) -> bool:
    """Whether something waits that was decided in what is now the future: the clock was set back while nobody watched it."""
    decided = MESSAGES.c.created_at > now + SLACK
    ahead = select(MESSAGES.c.id).where(_WAITS, MESSAGES.c.next_attempt_at > now, decided).limit(1)
    return connection.execute(ahead).scalar() is not None


def bring_forward(connection: Connection, now: datetime) -> int:
    """After the clock was set back: what was decided or tried in what is now the future is due at once; how many messages.

    Without it, a mail of ten o'clock would wait an hour if at five past ten it became five past nine. What waits for the
    end of somebody's quiet hours, not yet tried, keeps its time, unless no quiet hours last so long.
    """
    tried = MESSAGES.c.fencing_token > 0
    at_once = MESSAGES.c.next_attempt_at <= MESSAGES.c.created_at
    too_far = MESSAGES.c.next_attempt_at > now + LONGEST_WAIT
    early = MESSAGES.update().where(_WAITS, MESSAGES.c.next_attempt_at > now, or_(tried, at_once, too_far))
    return connection.execute(early.values(next_attempt_at=now)).rowcount
