"""The tables of whoever is told next, of what is withheld and wrong, and of what answers bring; and the journal.

Instants are aware and in UTC. ``tables.py`` has alerts and messages, which some of these refer to.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Table, Text
from sqlmodel import Field

import monitor.store.tables  # noqa: F401  # what is referred to must be known first
from monitor.store.dialect import Key
from monitor.store.fact_tables import Stored, partial


class EscalationRow(Stored, table=True):
    """One step of telling the next people about an alert, for each time it spoke (``raised_at``). Waits while not done."""

    __tablename__ = "escalations"
    __table_args__ = (
        Index("uq_escalations_step", "alert_id", "raised_at", "step", unique=True),
        partial("ix_escalations_waiting", "due_at", where="done_at IS NULL"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    alert_id: int = Field(foreign_key="alerts.id", sa_type=Key)
    raised_at: datetime
    step: int
    due_at: datetime
    done_at: datetime | None = None
    outcome: str | None = Field(default=None, sa_type=Text)


class WithheldRow(Stored, table=True):
    """What was not said, or not yet: whose decision that is, why, and until when (None: until it is told otherwise)."""

    __tablename__ = "withheld"
    __table_args__ = (Index("ix_withheld_alert_id", "alert_id"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    alert_id: int = Field(foreign_key="alerts.id", sa_type=Key)
    since: datetime
    until: datetime | None = None
    owner: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)


class JournalRow(Stored, table=True):
    """What happened, in order. Appended, never changed: each row carries the hash of the one before it."""

    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_subject", "subject"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    at: datetime
    event: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    previous_sha256: str = Field(sa_type=Text)
    sha256: str = Field(sa_type=Text)


class DailyRow(Stored, table=True):
    """The last local day on which a daily job was done; so none is done twice, whatever the clock does."""

    __tablename__ = "daily"
    name: str = Field(primary_key=True, sa_type=Text)
    last_on: str = Field(sa_type=Text)


class CircuitRow(Stored, table=True):
    """Whether a relay takes mail. Open since a fault of its own: it is tried again with one message at ``probe_at``."""

    __tablename__ = "circuits"
    relay: str = Field(primary_key=True, sa_type=Text)
    open_since: datetime | None = None
    failures: int
    probe_at: datetime | None = None
    words: str = Field(sa_type=Text)


class AnswerRow(Stored, table=True):
    """One mail of the answers' mailbox that was dealt with. ``key`` is the hash of its bytes."""

    __tablename__ = "answers"
    key: str = Field(primary_key=True, sa_type=Text)
    at: datetime
    kind: str = Field(sa_type=Text)
    message: int | None = Field(default=None, sa_type=Key)
    words: str = Field(sa_type=Text)


class KeyRow(Stored, table=True):
    """A random secret of this installation, such as what answers by mail are signed with."""

    __tablename__ = "keys"
    name: str = Field(primary_key=True, sa_type=Text)
    secret: str = Field(sa_type=Text)


class TroubleRow(Stored, table=True):
    """What is wrong with the program now, in a sentence with its remedy; gone when it is mended."""

    __tablename__ = "troubles"
    name: str = Field(primary_key=True, sa_type=Text)
    since: datetime
    words: str = Field(sa_type=Text)


def _table(name: str) -> Table:
    return Stored.metadata.tables[name]


ESCALATIONS = _table("escalations")
WITHHELD = _table("withheld")
JOURNAL = _table("journal")
DAILY = _table("daily")
CIRCUITS = _table("circuits")
ANSWERS = _table("answers")
KEYS = _table("keys")
TROUBLES = _table("troubles")
