"""Whether each relay takes mail. A circuit that is open since a fault is tried again at ``probe_at``, with one message."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from monitor.store.watch_tables import CIRCUITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """``relay`` is "relay" or "fallback"; open since ``open_since``, None while it takes mail. ``words`` are its last fault's.

    ``failures`` counts what went wrong in a row.
    """

    relay: str
    open_since: datetime | None = None
    failures: int = 0
    probe_at: datetime | None = None
    words: str = ""

    @property
    def is_open(self) -> bool:
        return self.open_since is not None


def load(connection: Connection, relay: str) -> Circuit:
    """The circuit of a relay; closed where nothing is known."""
    row = connection.execute(select(CIRCUITS).where(CIRCUITS.c.relay == relay)).one_or_none()
    if row is None:
        return Circuit(relay=relay)
    return Circuit(relay=row.relay, open_since=row.open_since, failures=row.failures, probe_at=row.probe_at, words=row.words)


def save(connection: Connection, circuit: Circuit) -> None:
    """Keep the circuit as it is now; nothing is kept of one that never failed."""
    forget(connection, circuit.relay)
    if circuit.failures:
        connection.execute(CIRCUITS.insert(), asdict(circuit))


def forget(connection: Connection, relay: str) -> None:
    """As if the relay had never failed."""
    connection.execute(delete(CIRCUITS).where(CIRCUITS.c.relay == relay))
