"""Feeds: how each fares, what of it was refused, what it said piece by piece, and patients whose records became one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from monitor.store.dialect import Words
from monitor.store.migrations.columns import all_required, key, optional, partial, required

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("name", Words, primary_key=True),
        required("kind"),
        *optional("cursor"),
        *optional("tried_at ok_at received_at", UTCDateTime),
        *optional("problem"),
        *optional("problem_since", UTCDateTime),
        required("failures", sa.Integer, "0"),
        *optional("retry_at", UTCDateTime),
        *optional("held_by"),
        *optional("held_until", UTCDateTime),
    )
    op.create_table(
        "rejects",
        key(),
        required("at", UTCDateTime),
        *all_required("feed origin"),
        *optional("line", sa.Integer),
        *optional("column_name"),
        required("problem"),
        *optional("settled_at", UTCDateTime),
        sqlite_autoincrement=True,
    )
    partial("ix_rejects_open", "rejects", ["feed", "origin"], "settled_at IS NULL")
    op.create_table(
        "items",
        *(sa.Column(name, Words, primary_key=True) for name in ("id", "type", "feed")),
        *all_required("version patient_id kind grouped cells"),
        *optional("uses"),
        required("voided", sa.Integer),
        *optional("recorded_at"),
        required("unsettled", sa.Integer),
    )
    op.create_index("ix_items_group", "items", ["grouped", "kind", "feed"])
    op.create_index("ix_items_patient", "items", ["patient_id", "feed"])
    partial("ix_items_uses", "items", ["uses", "feed"], "uses IS NOT NULL")
    partial("ix_items_unsettled", "items", ["feed", "kind", "grouped"], "unsettled = 1")
    op.create_table(
        "merges",
        sa.Column("patient_id", Words, primary_key=True),
        required("into_id"),
        required("at", UTCDateTime),
        required("feed"),
        required("journaled", sa.Integer),
    )
    op.create_index("ix_merges_into_id", "merges", ["into_id"])
