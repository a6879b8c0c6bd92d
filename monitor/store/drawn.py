"""What is drawn in mails: the data of a figure by its hash, kept with the message that shows it, drawn when it leaves."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Connection, select

from monitor.store.tables import FIGURES


def keep(connection: Connection, data: str) -> str:
    """Keep the data, once however often it is shown. Returns its sha256, as 64 digits."""
    name = sha256(data.encode()).hexdigest()
    if load(connection, name) is None:
        connection.execute(FIGURES.insert(), {"sha256": name, "data": data})
    return name


def load(connection: Connection, name: str) -> str | None:
    """The data of a hash, or None."""
    return connection.execute(select(FIGURES.c.data).where(FIGURES.c.sha256 == name)).scalar()
