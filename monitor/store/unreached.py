"""Who is known not to be there: a mail about the alert was given up, came back, or was answered by a machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from monitor.store.tables import MESSAGES
from monitor.store.watch_tables import ANSWERS

_BY_MACHINE = ("automatic answer", "bounce")


def known_before(
    connection: Connection, address: str, spoke_at: Mapping[int, datetime], *, but: int, tries: int, plain_kind: str
) -> set[int]:
    """The alerts of ``spoke_at`` of which an earlier mail to ``address`` showed that nobody reads it, since they spoke.

    ``but`` is the message that shows it now. A mail refused ``tries`` times shows it too; one that a mail of
    ``plain_kind`` stands in for does not: it was refused for what it said. Nor does a digest.
    """
    columns = MESSAGES.c
    plain = MESSAGES.alias("plain")
    stood_in_for = (
        select(plain.c.id)
        .where(plain.c.kind == plain_kind, columns.kind != plain_kind, plain.c.id > columns.id)
        .where(plain.c.recipient_address == columns.recipient_address, plain.c.alert_ids == columns.alert_ids)
        .exists()
    )
    answered = select(ANSWERS.c.key).where(ANSWERS.c.message == columns.id, ANSWERS.c.kind.in_(_BY_MACHINE)).exists()
    given_up = and_(columns.state == "dead", ~stood_in_for)
    held_up = and_(columns.attempts >= tries, columns.state != "accepted")
    query = (
        select(columns.alert_ids, columns.created_at)
        .where(func.lower(columns.recipient_address) == address.lower(), columns.id != but)
        .where(columns.kind.not_in(("digest", "operations")), or_(given_up, held_up, answered))
    )
    found = set()
    for alert_ids, created_at in connection.execute(query):
        found |= {each for each in json.loads(alert_ids) if each in spoke_at and created_at >= spoke_at[each]}
    return found
