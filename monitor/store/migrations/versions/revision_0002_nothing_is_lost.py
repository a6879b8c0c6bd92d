"""Escalations, suppressions, the journal, circuits, answers by mail; why a message was given up, and who claims it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from monitor.store.dialect import Key, Words
from monitor.store.migrations.columns import all_required, key, one_of, optional, partial, required
from monitor.store.triggers import append_only_statements

revision = "0002"
down_revision = "0001"

APPEND_ONLY = ("alert_events", "attempts", "journal")


def upgrade() -> None:
    _messages()
    _attempts()
    _watch()
    _open_alerts_wait_for_an_answer()
    for table in APPEND_ONLY:
        for statement in append_only_statements(op.get_bind().dialect.name, table):
            op.get_bind().exec_driver_sql(statement)


def _messages() -> None:
    """Made anew: SQLite changes neither a check nor the place of a column."""
    op.rename_table("messages", "messages_before")
    for index in ("uq_messages_message_id", "ix_messages_patient_id", "ix_messages_pending", "ix_messages_sending"):
        op.drop_index(index)
    op.create_table(
        "messages",
        key(),
        *all_required("message_id kind"),
        required("priority", sa.Integer),
        required("alert_ids"),
        *optional("patient_id"),
        *all_required("recipient_address recipient_name subject text"),
        *optional("html"),
        *all_required("headers state"),
        required("next_attempt_at", UTCDateTime),
        *optional("lease_until", UTCDateTime),
        *all_required("fencing_token attempts", sa.Integer),
        required("maybe_repeat", sa.Boolean),
        required("created_at", UTCDateTime),
        *optional("reason claimed_by reply_key"),
        *one_of("messages", "state", ("pending", "sending", "accepted", "dead", "cancelled")),
        sqlite_autoincrement=True,
    )
    kept = (
        "id, message_id, kind, priority, alert_ids, patient_id, recipient_address, recipient_name, subject, text, html,"
        " headers, state, next_attempt_at, lease_until, fencing_token, attempts, maybe_repeat, created_at"
    )
    op.execute(f"INSERT INTO messages ({kept}) SELECT {kept} FROM messages_before")
    op.create_index("uq_messages_message_id", "messages", ["message_id"], unique=True)
    op.create_index("ix_messages_patient_id", "messages", ["patient_id"])
    partial("ix_messages_pending", "messages", ["next_attempt_at"], "state = 'pending'")
    partial("ix_messages_sending", "messages", ["lease_until"], "state = 'sending'")
    partial("ix_messages_reply_key", "messages", ["reply_key"], "reply_key IS NOT NULL")


def _attempts() -> None:
    op.rename_table("attempts", "attempts_before")
    op.drop_index("ix_attempts_message")
    op.create_table(
        "attempts",
        key(),
        required("message", Key),
        required("at", UTCDateTime),
        *all_required("outcome reply"),
        *optional("relay"),
        *one_of("attempts", "outcome", ("accepted", "refused_for_good", "refused_for_now", "relay_fault", "indeterminate")),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name=op.f("fk_attempts_message_messages")),
        sqlite_autoincrement=True,
    )
    op.execute(
        "INSERT INTO attempts (id, message, at, outcome, reply) SELECT id, message, at, outcome, reply FROM attempts_before"
    )
    op.create_index("ix_attempts_message", "attempts", ["message"])
    op.drop_table("attempts_before")
    op.drop_table("messages_before")


def _open_alerts_wait_for_an_answer() -> None:
    """What was told before there was an escalation is passed on like the rest; what waits for a digest was not told."""
    op.execute(
        "INSERT INTO escalations (alert_id, raised_at, step, due_at) SELECT id, raised_at, 1, raised_at FROM alerts"
        " WHERE state = 'open' AND holds AND id NOT IN (SELECT alert_id FROM digest_entries)"
    )


def _watch() -> None:
    op.create_table(
        "escalations",
        key(),
        required("alert_id", Key),
        required("raised_at", UTCDateTime),
        required("step", sa.Integer),
        required("due_at", UTCDateTime),
        *optional("done_at", UTCDateTime),
        *optional("outcome"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_escalations_alert_id_alerts")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_escalations_step", "escalations", ["alert_id", "raised_at", "step"], unique=True)
    partial("ix_escalations_waiting", "escalations", ["due_at"], "done_at IS NULL")
    op.create_table(
        "withheld",
        key(),
        required("alert_id", Key),
        required("since", UTCDateTime),
        *optional("until", UTCDateTime),
        *all_required("owner reason"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_withheld_alert_id_alerts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_withheld_alert_id", "withheld", ["alert_id"])
    op.create_table(
        "journal",
        key(),
        required("at", UTCDateTime),
        *all_required("event subject body previous_sha256 sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_journal_subject", "journal", ["subject"])
    op.create_table("daily", sa.Column("name", Words, primary_key=True), required("last_on"))
    op.create_table(
        "circuits",
        sa.Column("relay", Words, primary_key=True),
        *optional("open_since", UTCDateTime),
        required("failures", sa.Integer),
        *optional("probe_at", UTCDateTime),
        required("words"),
    )
    op.create_table(
        "answers",
        sa.Column("key", Words, primary_key=True),
        required("at", UTCDateTime),
        required("kind"),
        *optional("message", Key),
        required("words"),
    )
    op.create_table("keys", sa.Column("name", Words, primary_key=True), required("secret"))
    op.create_table(
        "troubles",
        sa.Column("name", Words, primary_key=True),
        required("since", UTCDateTime),
        required("words"),
    )
