"""Who is sending which message, and what came of it. At least once, visibly, never silently.

claim_due          committed before any network: pending -> sending, with its holder, a lease and a fencing token
record_outcome     what came of it is appended; the state moves only for the token's owner
release_expired    whose lease is over, or was left behind: the outcome is unknown, to be sent again, saying so
release_dead       the same at once for the claims of processes that are no more

Where several processes send, each of these runs alone: ``one_at_a_time`` for the first two, a writer's own turn for the
others. So what one recipient is told of one patient keeps its order between them too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Integer, Select, UnaryExpression, and_, bindparam, literal_column, or_, select

from monitor.store import journal
from monitor.store.outbox import REMINDERS, StoredMessage, give_way, stored
from monitor.store.tables import ATTEMPTS, MESSAGES

Outcome = Literal["accepted", "refused_for_good", "refused_for_now", "relay_fault", "indeterminate"]

WAITS_FOR_EARLIER = ("correction", *REMINDERS)
"""Kinds that make no sense before what they are about: nobody is told of an alert after its withdrawal."""

WIDER = 8
"""Where none of the first may go, so many times more are looked at."""

_SENDING = MESSAGES.c.state == literal_column("'sending'")  # literal: so that the partial index is used
_PENDING = MESSAGES.c.state == literal_column("'pending'")


def _due(*first: UnaryExpression[Any]) -> Select[Any]:
    other = MESSAGES.alias("other")
    same = and_(
        other.c.patient_id == MESSAGES.c.patient_id,
        other.c.recipient_address == MESSAGES.c.recipient_address,
        other.c.id != MESSAGES.c.id,
    )
    on_its_way = select(other.c.id).where(same, other.c.state == literal_column("'sending'")).exists()
    earlier = other.c.id < MESSAGES.c.id
    still_waits = select(other.c.id).where(same, earlier, other.c.state == literal_column("'pending'")).exists()
    return (
        select(MESSAGES)
        .where(_PENDING, MESSAGES.c.next_attempt_at <= bindparam("at"))
        .where(~on_its_way)
        .where(MESSAGES.c.kind.not_in([literal_column(f"'{kind}'") for kind in WAITS_FOR_EARLIER]) | ~still_waits)
        .order_by(*first, MESSAGES.c.priority.desc(), MESSAGES.c.next_attempt_at, MESSAGES.c.id)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True)
    )


_DUE = _due()  # built once: it is asked before every mail
_LEAST_TRIED = _due(MESSAGES.c.attempts.asc())
_CLAIM = (
    MESSAGES.update()
    .where(MESSAGES.c.id == bindparam("taken"))
    .values(
        state="sending",
        lease_until=bindparam("until"),
        claimed_by=bindparam("holder"),
        fencing_token=MESSAGES.c.fencing_token + 1,
        attempts=MESSAGES.c.attempts + 1,
    )
)
_STILL_TO_BE_TOLD = select(MESSAGES.c.alert_ids).where(
    or_(_PENDING, _SENDING),
    MESSAGES.c.recipient_address == bindparam("address"),
    MESSAGES.c.id < bindparam("before"),
    MESSAGES.c.kind != "operations",
)
_ATTEMPT = ATTEMPTS.insert()


def due_query(now: datetime, limit: int) -> Select[Any]:
    """The due messages, the most urgent and then the oldest first; on PostgreSQL those that nobody else is claiming.

    What one recipient is told of one patient keeps its order: nothing goes while another is on its way, a correction, a
    reminder or an escalation not while an earlier one still waits. ``claim_due`` sees to mails about several patients.
    """
    return _DUE.params(at=now, at_most=limit)


def expired_query(now: datetime) -> Select[Any]:
    """The claims whose lease is over."""
    return select(MESSAGES.c.id).where(_SENDING, MESSAGES.c.lease_until <= now)


def anything_due(connection: Connection, now: datetime, *, holder: str | None = None) -> bool:
    """Whether a message waits to be sent at ``now``, or a claim on one has run out or was left behind by ``holder``."""
    pending = select(MESSAGES.c.id).where(_PENDING, MESSAGES.c.next_attempt_at <= now).exists()
    expired = select(MESSAGES.c.id).where(_SENDING, _over(now, holder)).exists()
    return bool(connection.execute(select(pending | expired)).scalar())


def anything_expired(connection: Connection, now: datetime, *, holder: str | None = None) -> bool:
    """Whether ``release_expired`` would find a claim."""
    return connection.execute(select(MESSAGES.c.id).where(_SENDING, _over(now, holder)).limit(1)).scalar() is not None


def due_count(connection: Connection, now: datetime, *, at_most: int) -> int:
    """How many messages wait to be sent at ``now``; counted no further than ``at_most``."""
    query = select(MESSAGES.c.id).where(_PENDING, MESSAGES.c.next_attempt_at <= now).limit(at_most)
    return len(connection.execute(query).all())


def claim_due(
    connection: Connection,
    *,
    now: datetime,
    limit: int,
    lease: timedelta,
    holder: str | None = None,
    least_tried_first: bool = False,
) -> list[StoredMessage]:
    """Take at most ``limit`` due messages for ``lease``, one for each patient and recipient. Commit before sending any.

    ``least_tried_first``: what a relay failed at before is not what it is tried with again while there is anything else.
    """
    rows = _takeable(connection, _LEAST_TRIED if least_tried_first else _DUE, now, limit)
    if rows:
        connection.execute(_CLAIM, [{"taken": row.id, "until": now + lease, "holder": holder} for row in rows])
    return [
        stored(row, state="sending", claimed_by=holder, fencing_token=row.fencing_token + 1, attempts=row.attempts + 1)
        for row in rows
    ]


def record_outcome(
    connection: Connection,
    message: StoredMessage,
    outcome: Outcome,
    reply: str,
    *,
    now: datetime,
    next_attempt_at: datetime | None = None,
    relay: str | None = None,
) -> bool:
    """Append what came of an attempt, and move the message on. ``next_attempt_at`` is None to give up.

    A fault of the relay that may lie in the message, or in whom it is for, has a ``next_attempt_at``: the others go first.
    Any other burns no attempt and keeps the message's time: it waits for a relay, not for an hour. Returns False, with
    the attempt appended all the same, if another owner has the message since: its token is not the claim's.
    """
    record_attempt(connection, message, outcome, reply, now=now, relay=relay)
    changes: dict[str, Any] = {"lease_until": None, "claimed_by": None}
    if outcome == "accepted":
        changes["state"] = "accepted"
    elif outcome == "relay_fault" and next_attempt_at is None:
        changes |= {"state": "pending", "attempts": MESSAGES.c.attempts - 1}
    elif outcome == "refused_for_good" or next_attempt_at is None:
        changes |= {"state": "dead", "reason": reply}
    else:
        changes |= {"state": "pending", "next_attempt_at": next_attempt_at}
    if outcome == "indeterminate":
        changes["maybe_repeat"] = True
    owned = MESSAGES.c.fencing_token == message.fencing_token
    still = MESSAGES.c.state.in_(("sending", "pending"))  # pending: released at the lease's end, not claimed again yet
    done = connection.execute(MESSAGES.update().where(MESSAGES.c.id == message.id, owned, still).values(**changes))
    if done.rowcount == 1 and changes["state"] == "pending":
        give_way(connection, message.id, now)
    return done.rowcount == 1


def record_attempt(
    connection: Connection, message: StoredMessage, outcome: Outcome, reply: str, *, now: datetime, relay: str | None
) -> None:
    """Append what came of an attempt after which another relay is tried with the same claim."""
    connection.execute(_ATTEMPT, {"message": message.id, "at": now, "outcome": outcome, "reply": reply, "relay": relay})
    journal.append(connection, now, _attempted(message.id, outcome, reply, relay))


def release_expired(connection: Connection, now: datetime, *, holder: str | None = None) -> int:
    """Give up the claims whose lease is over: their outcome is unknown, they are due again. Returns how many.

    And those of ``holder``, which is the caller's own process and sends nothing while it asks: an outcome was not recorded.
    """
    ids = connection.execute(select(MESSAGES.c.id).where(_SENDING, _over(now, holder))).scalars().all()
    return _release(connection, ids, now, "no outcome was recorded before the end of the lease")


def release_dead(connection: Connection, now: datetime, holder_is_dead: Callable[[str], bool]) -> int:
    """Give up the claims whose holder is dead, without waiting for the end of their lease. Returns how many.

    ``holder_is_dead`` is asked once for each holder. Not to be called while this process is sending.
    """
    rows = connection.execute(select(MESSAGES.c.id, MESSAGES.c.claimed_by).where(_SENDING, MESSAGES.c.claimed_by.is_not(None)))
    claims = [(row.id, row.claimed_by) for row in rows]
    dead = {holder for holder in {holder for _, holder in claims} if holder_is_dead(holder)}
    ids = [id_ for id_, holder in claims if holder in dead]
    return _release(connection, ids, now, "the process that was sending it ended before an outcome was recorded")


def _over(now: datetime, holder: str | None) -> ColumnElement[bool]:
    over = MESSAGES.c.lease_until <= now
    return over if holder is None else or_(over, MESSAGES.c.claimed_by == holder)


def _release(connection: Connection, ids: Sequence[int], now: datetime, reply: str) -> int:
    if ids:
        rows = [{"message": id_, "at": now, "outcome": "indeterminate", "reply": reply} for id_ in ids]
        connection.execute(_ATTEMPT, rows)
        journal.append(connection, now, *(_attempted(id_, "indeterminate", reply, None) for id_ in ids))
        back = {"state": "pending", "lease_until": None, "claimed_by": None, "next_attempt_at": now, "maybe_repeat": True}
        connection.execute(MESSAGES.update().where(MESSAGES.c.id.in_(ids)).values(**back))
        for id_ in ids:
            give_way(connection, id_, now)
    return len(ids)


def _attempted(id_: int, outcome: Outcome, reply: str, relay: str | None) -> journal.Entry:
    return journal.Entry("attempt", f"message {id_}", {"number": id_, "outcome": outcome, "reply": reply, "relay": relay})


def _takeable(connection: Connection, query: Select[Any], now: datetime, limit: int) -> list[Any]:
    """The first ``limit`` due messages that may go now: one that has to wait for an earlier one does not hold up the others."""
    at_most = limit
    while True:
        found = connection.execute(query, {"at": now, "at_most": at_most}).all()
        rows = [row for row in _one_of_each_pair(found) if not _comes_too_early(connection, row)]
        if rows or len(found) < at_most:
            return rows[:limit]
        at_most *= WIDER


def _comes_too_early(connection: Connection, row: Any) -> bool:
    """Whether a mail about several patients, or after one such, repeats what its recipient has not been told yet."""
    if row.kind not in WAITS_FOR_EARLIER:
        return False
    about = set(json.loads(row.alert_ids))
    rows = connection.execute(_STILL_TO_BE_TOLD, {"address": row.recipient_address, "before": row.id}).scalars()
    return any(about.intersection(json.loads(alert_ids)) for alert_ids in rows)


def _one_of_each_pair(rows: Sequence[Any]) -> Iterator[Any]:
    """The first message of each patient and recipient; all of those that are about no single patient."""
    seen = set()
    for row in rows:
        pair = (row.patient_id, row.recipient_address)
        if row.patient_id is None or pair not in seen:
            yield row
        seen.add(pair)
