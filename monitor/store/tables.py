"""The tables that are ours alone: what changed, alerts and their events, messages and their attempts, rounds, the lease.

Instants are aware and in UTC (SQLModel's ``UTCDateTime``). ``fact_tables.py`` has the tables of facts.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Table, Text
from sqlmodel import Field

from monitor.store.dialect import Key
from monitor.store.fact_tables import Stored, between, one_of, partial

ALERT_STATES = ("open", "acknowledged", "resolved", "withdrawn")
URGENCIES = ("review", "same-day", "immediate")
MESSAGE_STATES = ("pending", "sending", "accepted", "dead", "cancelled")
OUTCOMES = ("accepted", "refused_for_good", "refused_for_now", "relay_fault", "indeterminate")


class ChangeRow(Stored, table=True):
    """A patient whose facts changed since the last look; written by triggers. Ids are never used twice."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_patient_id", "patient_id"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    patient_id: str = Field(sa_type=Text)


class LookAgainRow(Stored, table=True):
    """When time alone may change what the rules say of a patient."""

    __tablename__ = "look_again"
    __table_args__ = (Index("ix_look_again_at", "at"),)
    patient_id: str = Field(primary_key=True, sa_type=Text)
    at: datetime


class FailureRow(Stored, table=True):
    """A patient who could not be evaluated, and why, without any value of the record."""

    __tablename__ = "failures"
    patient_id: str = Field(primary_key=True, sa_type=Text)
    at: datetime
    problem: str = Field(sa_type=Text)


class PolicyRow(Stored, table=True):
    """A policy that was in force once."""

    __tablename__ = "policies"
    sha256: str = Field(primary_key=True, sa_type=Text)
    guideline: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    loaded_at: datetime


class AlertRow(Stored, table=True):
    """An alert as it is now. Its finding is spread over the columns; the finding's parts are JSON text."""

    __tablename__ = "alerts"
    __table_args__ = (
        one_of("state", ALERT_STATES),
        one_of("urgency", URGENCIES),
        Index("ix_alerts_patient_id", "patient_id"),
        partial("uq_alerts_still_open", "patient_id", "rule", where="state IN ('open', 'acknowledged')", unique=True),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    patient_id: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    urgency: str = Field(sa_type=Text)
    clinical_at: datetime
    headline: str = Field(sa_type=Text)
    action: str | None = Field(default=None, sa_type=Text)
    criteria: str = Field(sa_type=Text)
    evidence: str = Field(sa_type=Text)
    missing: str = Field(sa_type=Text)
    weight: int
    occasion: str = Field(sa_type=Text)
    opened_at: datetime
    raised_at: datetime
    holds: bool
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = Field(default=None, sa_type=Text)
    acknowledged_note: str | None = Field(default=None, sa_type=Text)
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None
    policy_sha256: str | None = Field(default=None, sa_type=Text)
    said: str | None = Field(default=None, sa_type=Text)  # its sentences as JSON, for other languages


class DigestEntryRow(Stored, table=True):
    """An alert that waits to be named in the next digest; a crash before that digest leaves it waiting."""

    __tablename__ = "digest_entries"
    alert_id: int = Field(primary_key=True, foreign_key="alerts.id", sa_type=Key, sa_column_kwargs={"autoincrement": False})
    since: datetime


class AlertEventRow(Stored, table=True):
    """What happened to an alert, when, and by whom. Appended, never changed."""

    __tablename__ = "alert_events"
    __table_args__ = (Index("ix_alert_events_alert_id", "alert_id"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    alert_id: int = Field(foreign_key="alerts.id", sa_type=Key)
    at: datetime
    reason: str = Field(sa_type=Text)
    urgency: str = Field(sa_type=Text)
    by: str | None = Field(default=None, sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    what: str | None = Field(default=None, sa_type=Text)  # of a person's act: "dose-reviewed", "re-test-booked", ...


class MessageRow(Stored, table=True):
    """One message to one recipient, as rendered when it was decided. ``alert_ids`` and ``headers`` are JSON text."""

    __tablename__ = "messages"
    __table_args__ = (
        one_of("state", MESSAGE_STATES),
        Index("uq_messages_message_id", "message_id", unique=True),
        Index("ix_messages_patient_id", "patient_id"),
        partial("ix_messages_pending", "next_attempt_at", where="state = 'pending'"),
        partial("ix_messages_sending", "lease_until", where="state = 'sending'"),
        partial("ix_messages_reply_key", "reply_key", where="reply_key IS NOT NULL"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    message_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    priority: int
    alert_ids: str = Field(sa_type=Text)
    patient_id: str | None = Field(default=None, sa_type=Text)
    recipient_address: str = Field(sa_type=Text)
    recipient_name: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)
    headers: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    next_attempt_at: datetime
    lease_until: datetime | None = None
    fencing_token: int
    attempts: int
    maybe_repeat: bool
    created_at: datetime
    reason: str | None = Field(default=None, sa_type=Text)  # why it was given up or cancelled
    claimed_by: str | None = Field(default=None, sa_type=Text)  # the process, as in the lease
    reply_key: str | None = Field(default=None, sa_type=Text)  # what an answer, a bounce or a link names it by
    figure: str | None = Field(default=None, sa_type=Text)  # sha256 of what is drawn in it


class FigureRow(Stored, table=True):
    """What a figure shows, as JSON text, by its hash. It is drawn when a mail with it leaves."""

    __tablename__ = "figures"
    sha256: str = Field(primary_key=True, sa_type=Text)
    data: str = Field(sa_type=Text)


class AttemptRow(Stored, table=True):
    """One attempt to hand a message over, and what came of it. Appended, never changed."""

    __tablename__ = "attempts"
    __table_args__ = (
        one_of("outcome", OUTCOMES),
        Index("ix_attempts_message", "message"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    message: int = Field(foreign_key="messages.id", sa_type=Key)
    at: datetime
    outcome: str = Field(sa_type=Text)
    reply: str = Field(sa_type=Text)
    relay: str | None = Field(default=None, sa_type=Text)  # "relay" or "fallback"


class RoundRow(Stored, table=True):
    """The last round; the table has one row."""

    __tablename__ = "rounds"
    __table_args__ = (between("id", 1, 1),)
    id: int = Field(primary_key=True)
    started_at: datetime
    finished_at: datetime
    evaluated: int
    failed: int
    policy_sha256: str = Field(sa_type=Text)


class LeaseRow(Stored, table=True):
    """Who runs the daemon on this database, or one of several, and until when unless renewed. See ``lease.py``."""

    __tablename__ = "leases"
    name: str = Field(primary_key=True, sa_type=Text)
    holder: str = Field(sa_type=Text)
    token: int
    until: datetime


def _table(name: str) -> Table:
    return Stored.metadata.tables[name]


CHANGES = _table("changes")
LOOK_AGAIN = _table("look_again")
FAILURES = _table("failures")
POLICIES = _table("policies")
ALERTS = _table("alerts")
DIGEST_ENTRIES = _table("digest_entries")
ALERT_EVENTS = _table("alert_events")
MESSAGES = _table("messages")
FIGURES = _table("figures")
ATTEMPTS = _table("attempts")
ROUNDS = _table("rounds")
LEASES = _table("leases")
