"""The first schema: facts with their versions, changes by triggers, alerts, messages, rounds, the lease."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from monitor.store.dialect import Key, NowText, Real, Whole, Words
from monitor.store.migrations.columns import all_required, between, check, dated, key, one_of, optional, partial, required
from monitor.store.triggers import trigger_statements

revision = "0001"
down_revision = None

MUSCLES = (
    *("deltoid", "biceps", "triceps", "wrist_extensors", "finger_extensors", "first_dorsal_interosseous"),
    *("abductor_digiti_minimi", "abductor_pollicis_brevis", "iliopsoas", "quadriceps", "hamstrings"),
    *("tibialis_anterior", "gastrocnemius", "extensor_hallucis_longus"),
)
MRC = [f"mrc_{muscle}_{side}" for muscle in MUSCLES for side in ("right", "left")]
POWERS = ("5", "5-", "4+", "4", "4-", "3+", "3", "3-", "2+", "2", "2-", "1+", "1", "1-", "0+", "0")


def upgrade() -> None:
    _facts()
    _rounds()
    _alerts()
    _messages()


def _fact_table(
    table: str,
    columns: Sequence[sa.Column[Any]],
    checks: Sequence[sa.CheckConstraint],
    *,
    identity: str = "source_id",
    by_content: bool = False,
) -> None:
    op.create_table(
        table,
        key(),
        required("patient_id"),
        *optional("source_id recorded_at"),
        required("stored_at", default=NowText()),
        *optional("superseded_at fingerprint feed"),
        *optional("record version", Key),
        *columns,
        *checks,
        *dated(table, "recorded_at stored_at superseded_at"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(f"ix_{table}_patient_id", table, ["patient_id"])
    partial(f"uq_{table}_current", table, [identity], f"superseded_at IS NULL AND {identity} IS NOT NULL", unique=True)
    partial(f"ix_{table}_superseded", table, [identity], "superseded_at IS NOT NULL")
    if by_content:
        partial(f"ix_{table}_fingerprint", table, ["fingerprint"], "source_id IS NULL")
        partial(f"ix_{table}_foreign", table, ["patient_id"], "source_id IS NULL AND fingerprint IS NULL")
    for statement in trigger_statements(
        op.get_bind().dialect.name, table, ["patient_id", *(column.name for column in columns)], identity
    ):
        op.get_bind().exec_driver_sql(statement)  # not text(): the time formats have colons


def _facts() -> None:
    _fact_table(
        "patients",
        [
            *optional("display_name birth_date sex site team diagnosis comorbidities"),
            *optional("baseline_sensory_grade baseline_motor_grade", Whole),
        ],
        [*dated("patients", "birth_date"), *between("patients", "baseline_sensory_grade baseline_motor_grade", 0, 5)],
        identity="patient_id",
    )
    _fact_table(
        "courses",
        [
            required("drug", default="bortezomib"),
            required("started_on"),
            *optional("schedule"),
            *optional("cycle_days", Whole),
            *optional("discontinued_on discontinued_reason"),
        ],
        [
            *dated("courses", "started_on discontinued_on"),
            *one_of("courses", "schedule", ("twice-weekly", "weekly")),
            *between("courses", "cycle_days", 1, 1000),
        ],
    )
    _fact_table(
        "doses",
        [required("given_at"), required("drug", default="bortezomib"), required("dose_mg_per_m2", Real), *optional("route")],
        [*dated("doses", "given_at"), *between("doses", "dose_mg_per_m2", 0, 100000), *one_of("doses", "route", ("IV", "SC"))],
        by_content=True,
    )
    _assessments()
    _fact_table(
        "labs",
        [*all_required("collected_at analyte"), required("value", Real), required("unit")],
        [
            *dated("labs", "collected_at"),
            check(
                "labs",
                "value",
                "(analyte = 'csf_protein' AND unit = 'mg/dL' AND value BETWEEN 5 AND 1000)"
                " OR (analyte = 'csf_protein' AND unit = 'g/L' AND value BETWEEN 0.05 AND 10)"
                " OR (analyte = 'csf_protein' AND unit = 'mg/L' AND value BETWEEN 50 AND 10000)"
                " OR (analyte = 'csf_white_cells' AND unit IN ('/uL', '10*6/L', '/mm3') AND value >= 0)",
            ),
        ],
        by_content=True,
    )
    _fact_table(
        "investigations",
        all_required("performed_at kind findings"),
        [
            *dated("investigations", "performed_at"),
            *one_of("investigations", "kind", ("nerve_conduction", "csf_report", "mri_spine", "antibodies")),
        ],
        by_content=True,
    )
    _fact_table(
        "treatments",
        [*all_required("treatment started_on"), *optional("stopped_on")],
        dated("treatments", "started_on stopped_on"),
    )


def _assessments() -> None:
    table = "assessments"
    pressures = "systolic_lying systolic_standing diastolic_lying diastolic_standing"
    _fact_table(
        table,
        [
            required("assessed_at"),
            *optional("assessor ctcae_version"),
            *optional("sensory_grade motor_grade autonomic_grade", Whole),
            *optional("neuropathic_pain"),
            *optional("pain_nrs", Whole),
            *optional("walking"),
            *optional("gbs_disability", Whole),
            *optional("reflexes red_flags"),
            *optional(pressures, Whole),
            *optional("grip_kpa_right grip_kpa_left vibration_toe_right vibration_toe_left", Real),
            *optional("notes voided"),
            *optional(" ".join(MRC)),
        ],
        [
            *dated(table, "assessed_at"),
            *between(table, "sensory_grade motor_grade autonomic_grade", 0, 5),
            *one_of(table, "neuropathic_pain", ("yes", "no")),
            *between(table, "pain_nrs", 0, 10),
            *one_of(table, "walking", ("unaided", "cane", "walker", "wheelchair", "bedbound")),
            *between(table, "gbs_disability", 0, 6),
            *one_of(table, "reflexes", ("normal", "reduced", "absent")),
            *between(table, pressures, 0, 400),
            *between(table, "grip_kpa_right grip_kpa_left", 0, 1000),
            *between(table, "vibration_toe_right vibration_toe_left", 0, 8),
            *one_of(table, "voided", ("yes", "no")),
            *one_of(table, " ".join(MRC), POWERS),
        ],
        by_content=True,
    )


def _rounds() -> None:
    op.create_table("changes", key(), required("patient_id"), sqlite_autoincrement=True)
    op.create_index("ix_changes_patient_id", "changes", ["patient_id"])
    op.create_table("look_again", sa.Column("patient_id", Words, primary_key=True), required("at", UTCDateTime))
    op.create_index("ix_look_again_at", "look_again", ["at"])
    op.create_table(
        "failures", sa.Column("patient_id", Words, primary_key=True), required("at", UTCDateTime), required("problem")
    )
    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer, primary_key=True),
        *all_required("started_at finished_at", UTCDateTime),
        *all_required("evaluated failed", sa.Integer),
        required("policy_sha256"),
        *between("rounds", "id", 1, 1),
    )
    op.create_table(
        "leases",
        sa.Column("name", Words, primary_key=True),
        required("holder"),
        required("token", sa.Integer),
        required("until", UTCDateTime),
    )


def _alerts() -> None:
    op.create_table(
        "policies",
        sa.Column("sha256", Words, primary_key=True),
        *all_required("guideline version"),
        required("loaded_at", UTCDateTime),
    )
    op.create_table(
        "alerts",
        key(),
        *all_required("patient_id rule state urgency"),
        required("clinical_at", UTCDateTime),
        required("headline"),
        *optional("action"),
        *all_required("criteria evidence missing"),
        required("weight", sa.Integer),
        required("occasion"),
        *all_required("opened_at raised_at", UTCDateTime),
        required("holds", sa.Boolean),
        *optional("acknowledged_at", UTCDateTime),
        *optional("acknowledged_by acknowledged_note"),
        *optional("snoozed_until closed_at", UTCDateTime),
        *optional("policy_sha256"),
        *one_of("alerts", "state", ("open", "acknowledged", "resolved", "withdrawn")),
        *one_of("alerts", "urgency", ("review", "same-day", "immediate")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_patient_id", "alerts", ["patient_id"])
    still_open = "state IN ('open', 'acknowledged')"
    partial("uq_alerts_still_open", "alerts", ["patient_id", "rule"], still_open, unique=True)
    op.create_table(
        "alert_events",
        key(),
        required("alert_id", Key),
        required("at", UTCDateTime),
        *all_required("reason urgency"),
        *optional("by note"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_events_alert_id_alerts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_events_alert_id", "alert_events", ["alert_id"])
    op.create_table(
        "digest_entries",
        sa.Column("alert_id", Key, primary_key=True, autoincrement=False),
        required("since", UTCDateTime),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_digest_entries_alert_id_alerts")),
    )


def _messages() -> None:
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
        *one_of("messages", "state", ("pending", "sending", "accepted", "dead")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_messages_message_id", "messages", ["message_id"], unique=True)
    op.create_index("ix_messages_patient_id", "messages", ["patient_id"])
    partial("ix_messages_pending", "messages", ["next_attempt_at"], "state = 'pending'")
    partial("ix_messages_sending", "messages", ["lease_until"], "state = 'sending'")
    op.create_table(
        "attempts",
        key(),
        required("message", Key),
        required("at", UTCDateTime),
        *all_required("outcome reply"),
        *one_of("attempts", "outcome", ("accepted", "refused_for_good", "refused_for_now", "relay_fault", "indeterminate")),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name=op.f("fk_attempts_message_messages")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempts_message", "attempts", ["message"])
