"""The hot statements on the tables of facts, as driver SQL that SQLite and PostgreSQL share, built once a kind.

Core's own execution costs five times the driver's for bulk rows (``performance.md`` §3); names come from the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Dialect

from monitor.clinical.history import BORTEZOMIB
from monitor.store.dialect import Real, among, placeholders
from monitor.store.fact_tables import FACTS, value_columns

VERSION_COLUMNS = ("id", "recorded_at", "stored_at", "superseded_at", "fingerprint", "feed", "record", "patient_id")
"""What tells one version of a record from another."""

_NATURAL = {"courses": ("patient_id", "drug", "started_on"), "treatments": ("patient_id", "treatment", "started_on")}


@dataclass(frozen=True, slots=True)
class Statements:
    """One kind's columns and statements. ``key`` names a record: ``patient_id`` of patients, else ``source_id``.

    ``natural`` names it where a row has no ``source_id``; empty for kinds that are then told apart by all their values.
    """

    kind: str
    columns: tuple[str, ...]
    reals: tuple[int, ...]  # places of the columns that hold fractions
    defaults: tuple[tuple[int, str], ...]  # places of the columns that the database would fill
    key: str
    natural: tuple[str, ...]
    inserted: tuple[str, ...]  # what `insert` fills
    insert: str
    insert_returning: str
    supersede: str
    _dialect: Dialect

    def current(self, count: int) -> str:
        """Current versions of ``count`` records by their key."""
        return self._versions(f"{self._among(self.key, count)} AND superseded_at IS NULL", self.key)

    def superseded(self, count: int) -> str:
        """Superseded versions of ``count`` records by their key."""
        return self._versions(f"{self._among(self.key, count)} AND superseded_at IS NOT NULL", self.key)

    def by_patient(self, count: int) -> str:
        """All versions without ``source_id`` of ``count`` patients, by the natural key."""
        return self._versions(f"{self._among('patient_id', count)} AND source_id IS NULL", *self.natural)

    def by_fingerprint(self, count: int) -> str:
        """All versions without ``source_id`` that a feed delivered with one of ``count`` fingerprints."""
        return self._versions(f"{self._among('fingerprint', count)} AND source_id IS NULL", "fingerprint")

    def foreign(self, count: int) -> str:
        """All versions of ``count`` patients that another program wrote without ``source_id``."""
        return self._versions(f"{self._among('patient_id', count)} AND source_id IS NULL AND fingerprint IS NULL", "id")

    def values(self, count: int) -> str:
        """The id and the values of ``count`` rows by id."""
        return f"SELECT id, {', '.join(self.columns)} FROM {self.kind} WHERE {self._among('id', count)}"

    def _versions(self, where: str, *keys: str) -> str:
        return f"SELECT {', '.join((*VERSION_COLUMNS, *keys))} FROM {self.kind} WHERE {where}"

    def _among(self, column: str, count: int) -> str:
        return among(self._dialect, column, count)


@cache
def statements_of(kind: str, dialect: Dialect) -> Statements:
    """The statements of one kind in the spelling of the driver."""
    columns = value_columns(FACTS[kind])
    table = FACTS[kind]
    inserted = (*columns, "source_id", "recorded_at", "stored_at", "superseded_at", "fingerprint", "feed", "record")
    marks = placeholders(dialect, len(inserted))
    insert = f"INSERT INTO {kind} ({', '.join(inserted)}) VALUES ({marks})"
    mark = placeholders(dialect, 1)
    return Statements(
        kind=kind,
        columns=columns,
        reals=tuple(place for place, name in enumerate(columns) if table.c[name].type is Real),
        defaults=tuple((place, BORTEZOMIB) for place, name in enumerate(columns) if name == "drug"),
        key="patient_id" if kind == "patients" else "source_id",
        natural=_NATURAL.get(kind, ()),
        inserted=inserted,
        insert=insert,
        insert_returning=f"{insert} RETURNING id",
        supersede=f"UPDATE {kind} SET superseded_at = {mark} WHERE id = {mark}",
        _dialect=dialect,
    )
