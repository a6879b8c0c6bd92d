"""How old the newest fact is: a quiet feed is not a healthy patient."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from monitor.clinical.synthetic import PREFIX
from monitor.store.fact_tables import KINDS

_NEWEST = (
    f"SELECT stored_at FROM {{kind}} WHERE substr(patient_id, 1, {len(PREFIX)}) <> '{PREFIX}'{{also}} ORDER BY id DESC LIMIT 1"
)


def newest_fact_at(connection: Connection) -> datetime | None:
    """When the fact that was stored last came in, in UTC, or None where nothing is stored.

    By the highest id of each table: ids are never reused, and no index on the time is needed. The synthetic patient's facts
    are this program's own, and say nothing of the feed.
    """
    return _newest(connection)


def newest_by_sql_at(connection: Connection) -> datetime | None:
    """As ``newest_fact_at``, of what another program wrote into the tables, which are the rows of no feed."""
    return _newest(connection, also=" AND feed IS NULL")


def _newest(connection: Connection, *, also: str = "") -> datetime | None:
    found: list[datetime] = []
    for kind in KINDS:
        text = connection.exec_driver_sql(_NEWEST.format(kind=kind, also=also)).scalar()
        if text is not None:
            stored_at = datetime.fromisoformat(str(text))
            found.append(stored_at if stored_at.tzinfo else stored_at.replace(tzinfo=UTC))
    return max(found, default=None)
