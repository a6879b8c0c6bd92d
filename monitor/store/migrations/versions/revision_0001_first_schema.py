"""The first schema: facts with their versions, changes by triggers, alerts, messages, rounds, the lease."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from monitor.store.dialect import Key, NowText, Real
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


def _required(name: str, type_: Any = sa.Text, default: Any = None) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False, server_default=default)


def _all_required(names: str, type_: Any = sa.Text) -> list[sa.Column[Any]]:
    return [_required(name, type_) for name in names.split()]


def _optional(names: str, type_: Any = sa.Text) -> list[sa.Column[Any]]:
    return [sa.Column(name, type_) for name in names.split()]


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _one_of(table: str, names: str, allowed: Sequence[str]) -> list[sa.CheckConstraint]:
    found = []
    for name in names.split():
        listed = " OR ".join(f"{name} = '{word}'" for word in allowed)
        found.append(_check(table, name, f"{name} IS NULL OR {listed}"))
    return found


def _between(table: str, names: str, low: int, high: int) -> list[sa.CheckConstraint]:
    return [_check(table, name, f"{name} BETWEEN {low} AND {high}") for name in names.split()]


def _dated(table: str, names: str) -> list[sa.CheckConstraint]:
    return [_check(table, name, f"{name} LIKE '____-__-__%'") for name in names.split()]


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _key() -> sa.Column[Any]:
    return sa.Column("id", Key, primary_key=True, nullable=False)


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
        _key(),
        _required("patient_id"),
        *_optional("source_id recorded_at"),
        _required("stored_at", default=NowText()),
        *_optional("superseded_at fingerprint feed"),
        *_optional("record version", Key),
        *columns,
        *checks,
        *_dated(table, "recorded_at stored_at superseded_at"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(f"ix_{table}_patient_id", table, ["patient_id"])
    _partial(f"uq_{table}_current", table, [identity], f"superseded_at IS NULL AND {identity} IS NOT NULL", unique=True)
    _partial(f"ix_{table}_superseded", table, [identity], "superseded_at IS NOT NULL")
    if by_content:
        _partial(f"ix_{table}_fingerprint", table, ["fingerprint"], "source_id IS NULL")
        _partial(f"ix_{table}_foreign", table, ["patient_id"], "source_id IS NULL AND fingerprint IS NULL")
    for statement in trigger_statements(
        op.get_bind().dialect.name, table, ["patient_id", *(column.name for column in columns)], identity
    ):
        op.get_bind().exec_driver_sql(statement)  # not text(): the time formats have colons


def _facts() -> None:
    _fact_table(
        "patients",
        [
            *_optional("display_name birth_date sex site team diagnosis comorbidities"),
            *_optional("baseline_sensory_grade baseline_motor_grade", sa.Integer),
        ],
        [*_dated("patients", "birth_date"), *_between("patients", "baseline_sensory_grade baseline_motor_grade", 0, 5)],
        identity="patient_id",
    )
    _fact_table(
        "courses",
        [
            _required("drug", default="bortezomib"),
            _required("started_on"),
            *_optional("schedule"),
            *_optional("cycle_days", sa.Integer),
            *_optional("discontinued_on discontinued_reason"),
        ],
        [
            *_dated("courses", "started_on discontinued_on"),
            *_one_of("courses", "schedule", ("twice-weekly", "weekly")),
            *_between("courses", "cycle_days", 1, 1000),
        ],
    )
    _fact_table(
        "doses",
        [_required("given_at"), _required("drug", default="bortezomib"), _required("dose_mg_per_m2", Real), *_optional("route")],
        [*_dated("doses", "given_at"), *_between("doses", "dose_mg_per_m2", 0, 100000), *_one_of("doses", "route", ("IV", "SC"))],
        by_content=True,
    )
    _assessments()
    _fact_table(
        "labs",
        [*_all_required("collected_at analyte"), _required("value", Real), _required("unit")],
        [
            *_dated("labs", "collected_at"),
            _check(
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
        _all_required("performed_at kind findings"),
        [
            *_dated("investigations", "performed_at"),
            *_one_of("investigations", "kind", ("nerve_conduction", "csf_report", "mri_spine", "antibodies")),
        ],
        by_content=True,
    )
    _fact_table(
        "treatments",
        [*_all_required("treatment started_on"), *_optional("stopped_on")],
        _dated("treatments", "started_on stopped_on"),
    )


def _assessments() -> None:
    table = "assessments"
    pressures = "systolic_lying systolic_standing diastolic_lying diastolic_standing"
    _fact_table(
        table,
        [
            _required("assessed_at"),
            *_optional("assessor ctcae_version"),
            *_optional("sensory_grade motor_grade autonomic_grade", sa.Integer),
            *_optional("neuropathic_pain"),
            *_optional("pain_nrs", sa.Integer),
            *_optional("walking"),
            *_optional("gbs_disability", sa.Integer),
            *_optional("reflexes red_flags"),
            *_optional(pressures, sa.Integer),
            *_optional("grip_kpa_right grip_kpa_left vibration_toe_right vibration_toe_left", Real),
            *_optional("notes voided"),
            *_optional(" ".join(MRC)),
        ],
        [
            *_dated(table, "assessed_at"),
            *_between(table, "sensory_grade motor_grade autonomic_grade", 0, 5),
            *_one_of(table, "neuropathic_pain", ("yes", "no")),
            *_between(table, "pain_nrs", 0, 10),
            *_one_of(table, "walking", ("unaided", "cane", "walker", "wheelchair", "bedbound")),
            *_between(table, "gbs_disability", 0, 6),
            *_one_of(table, "reflexes", ("normal", "reduced", "absent")),
            *_between(table, pressures, 0, 400),
            *_between(table, "grip_kpa_right grip_kpa_left", 0, 1000),
            *_between(table, "vibration_toe_right vibration_toe_left", 0, 8),
            *_one_of(table, "voided", ("yes", "no")),
            *_one_of(table, " ".join(MRC), POWERS),
        ],
        by_content=True,
    )


def _rounds() -> None:
    op.create_table("changes", _key(), _required("patient_id"), sqlite_autoincrement=True)
    op.create_index("ix_changes_patient_id", "changes", ["patient_id"])
    op.create_table("look_again", sa.Column("patient_id", sa.Text, primary_key=True), _required("at", UTCDateTime))
    op.create_index("ix_look_again_at", "look_again", ["at"])
    op.create_table(
        "failures", sa.Column("patient_id", sa.Text, primary_key=True), _required("at", UTCDateTime), _required("problem")
    )
    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer, primary_key=True),
        *_all_required("started_at finished_at", UTCDateTime),
        *_all_required("evaluated failed", sa.Integer),
        _required("policy_sha256"),
        *_between("rounds", "id", 1, 1),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        _required("holder"),
        _required("token", sa.Integer),
        _required("until", UTCDateTime),
    )


def _alerts() -> None:
    op.create_table(
        "policies",
        sa.Column("sha256", sa.Text, primary_key=True),
        *_all_required("guideline version"),
        _required("loaded_at", UTCDateTime),
    )
    op.create_table(
        "alerts",
        _key(),
        *_all_required("patient_id rule state urgency"),
        _required("clinical_at", UTCDateTime),
        _required("headline"),
        *_optional("action"),
        *_all_required("criteria evidence missing"),
        _required("weight", sa.Integer),
        _required("occasion"),
        *_all_required("opened_at raised_at", UTCDateTime),
        _required("holds", sa.Boolean),
        *_optional("acknowledged_at", UTCDateTime),
        *_optional("acknowledged_by acknowledged_note"),
        *_optional("snoozed_until closed_at", UTCDateTime),
        *_optional("policy_sha256"),
        *_one_of("alerts", "state", ("open", "acknowledged", "resolved", "withdrawn")),
        *_one_of("alerts", "urgency", ("review", "same-day", "immediate")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_patient_id", "alerts", ["patient_id"])
    still_open = "state IN ('open', 'acknowledged')"
    _partial("uq_alerts_still_open", "alerts", ["patient_id", "rule"], still_open, unique=True)
    op.create_table(
        "alert_events",
        _key(),
        _required("alert_id", Key),
        _required("at", UTCDateTime),
        *_all_required("reason urgency"),
        *_optional("by note"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_events_alert_id_alerts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_events_alert_id", "alert_events", ["alert_id"])
    op.create_table(
        "digest_entries",
        sa.Column("alert_id", Key, primary_key=True, autoincrement=False),
        _required("since", UTCDateTime),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_digest_entries_alert_id_alerts")),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        _key(),
        *_all_required("message_id kind"),
        _required("priority", sa.Integer),
        _required("alert_ids"),
        *_optional("patient_id"),
        *_all_required("recipient_address recipient_name subject text"),
        *_optional("html"),
        *_all_required("headers state"),
        _required("next_attempt_at", UTCDateTime),
        *_optional("lease_until", UTCDateTime),
        *_all_required("fencing_token attempts", sa.Integer),
        _required("maybe_repeat", sa.Boolean),
        _required("created_at", UTCDateTime),
        *_one_of("messages", "state", ("pending", "sending", "accepted", "dead")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_messages_message_id", "messages", ["message_id"], unique=True)
    op.create_index("ix_messages_patient_id", "messages", ["patient_id"])
    _partial("ix_messages_pending", "messages", ["next_attempt_at"], "state = 'pending'")
    _partial("ix_messages_sending", "messages", ["lease_until"], "state = 'sending'")
    op.create_table(
        "attempts",
        _key(),
        _required("message", Key),
        _required("at", UTCDateTime),
        *_all_required("outcome reply"),
        *_one_of("attempts", "outcome", ("accepted", "refused_for_good", "refused_for_now", "relay_fault", "indeterminate")),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name=op.f("fk_attempts_message_messages")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempts_message", "attempts", ["message"])
