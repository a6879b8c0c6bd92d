"""The clock of the database server, which all who share the database can compare their own with."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection


def ahead_by(connection: Connection, now: datetime) -> timedelta | None:
    """How far ``now`` is ahead of the server's clock; None where the database has none of its own, as SQLite."""
    if connection.dialect.name != "postgresql":
        return None
    theirs: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return now - theirs
