"""Nobody waits for the answer of somebody who is not there: the next people are told at once.

Once for each address while an alert speaks: whoever is away is away for the reminders too, and what shows that again is no
reason to wake the next ones while those just told have hardly read it. They are told when it is their time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.findings import Urgency
from monitor.delivery import plain
from monitor.store import alerts, escalations, unreached

HELD_UP_AFTER = 4
"""Attempts (J): then a message is about twenty minutes old, and greylisting or a relay's restart is over."""


def hand_over(
    connection: Connection, message: int, kind: str, alert_ids: Sequence[int], address: str, now: datetime, *, why: str
) -> int:
    """Tell the next people of the alerts of a message that reached nobody; how many alerts that brought forward.

    A digest names a whole house: of its alerts only what is immediate.
    """
    named = alerts.by_ids(connection, alert_ids)
    urgent = [alert for alert in named if kind != "digest" or alert.urgency is Urgency.IMMEDIATE]
    spoke_at = {alert.alert_id: alert.raised_at for alert in urgent if alert.alert_id is not None}
    known = unreached.known_before(connection, address, spoke_at, but=message, tries=HELD_UP_AFTER, plain_kind=plain.KIND)
    return escalations.bring_forward(connection, spoke_at.keys() - known, now, why=why)
