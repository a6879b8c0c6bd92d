"""The tables of feeds: how each fares, what of it was refused, what it said piece by piece, and patients who became one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Table, Text
from sqlmodel import Field

from monitor.store.dialect import Key
from monitor.store.fact_tables import Stored, partial


class FeedRow(Stored, table=True):
    """One feed. ``cursor`` is how far it was read, in its own words; ``received_at`` when it last brought anything new.

    ``failures`` in a row; before ``retry_at`` it is not tried again. Whoever reads it now holds it: see ``feed_claims.py``.
    """

    __tablename__ = "feeds"
    name: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    cursor: str | None = Field(default=None, sa_type=Text)
    tried_at: datetime | None = None
    ok_at: datetime | None = None
    received_at: datetime | None = None
    problem: str | None = Field(default=None, sa_type=Text)
    problem_since: datetime | None = None
    failures: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    retry_at: datetime | None = None
    held_by: str | None = Field(default=None, sa_type=Text)
    held_until: datetime | None = None


class RejectRow(Stored, table=True):
    """One thing refused, without any value of it. ``origin`` is the file or record; settled once that came in whole."""

    __tablename__ = "rejects"
    __table_args__ = (
        partial("ix_rejects_open", "feed", "origin", where="settled_at IS NULL"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    at: datetime
    feed: str = Field(sa_type=Text)
    origin: str = Field(sa_type=Text)
    line: int | None = None
    column_name: str | None = Field(default=None, sa_type=Text)
    problem: str = Field(sa_type=Text)
    settled_at: datetime | None = None


class ItemRow(Stored, table=True):
    """One piece that a feed said, as it said it last; ``cells`` is JSON text. ``unsettled`` until its row was made of it.

    ``uses`` names another piece, such as the medication that was given, without which it says nothing.
    """

    __tablename__ = "items"
    __table_args__ = (
        # What many are looked up by comes first: PostgreSQL would else read all of a feed for each look.
        Index("ix_items_group", "grouped", "kind", "feed"),
        Index("ix_items_patient", "patient_id", "feed"),
        partial("ix_items_uses", "uses", "feed", where="uses IS NOT NULL"),
        partial("ix_items_unsettled", "feed", "kind", "grouped", where="unsettled = 1"),
    )
    id: str = Field(primary_key=True, sa_type=Text)
    type: str = Field(primary_key=True, sa_type=Text)
    feed: str = Field(primary_key=True, sa_type=Text)
    version: str = Field(sa_type=Text)
    patient_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    grouped: str = Field(sa_type=Text)
    cells: str = Field(sa_type=Text)
    uses: str | None = Field(default=None, sa_type=Text)
    voided: int
    recorded_at: str | None = Field(default=None, sa_type=Text)
    unsettled: int


class MergeRow(Stored, table=True):
    """A patient whose record became part of another one's."""

    __tablename__ = "merges"
    __table_args__ = (Index("ix_merges_into_id", "into_id"),)
    patient_id: str = Field(primary_key=True, sa_type=Text)
    into_id: str = Field(sa_type=Text)
    at: datetime
    feed: str = Field(sa_type=Text)
    journaled: int


def _table(name: str) -> Table:
    return Stored.metadata.tables[name]


FEEDS = _table("feeds")
REJECTS = _table("rejects")
ITEMS = _table("items")
MERGES = _table("merges")
