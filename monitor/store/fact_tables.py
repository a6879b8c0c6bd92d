"""The tables of facts. Column names are those of the import files; another program may write into them.

One row is one version of one record. Everything clinical is kept as it was written: times are ISO 8601 text, a bare
day or an instant; lists are separated by semicolons; muscle power is ``4-``. The checks let nothing else in.
SQLModel declares here and Core carries: no instance of these classes is ever made (``performance.md`` §8.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, MetaData, Table, Text, text
from sqlmodel import Field, SQLModel

from monitor.clinical.history import BORTEZOMIB
from monitor.clinical.scales.mrc import TESTED_MUSCLES, written
from monitor.store.dialect import Key, NowText, Real, Whole

MUSCLE_COLUMNS = tuple(f"mrc_{muscle}" for muscle in TESTED_MUSCLES)
POWERS = tuple(written(rank) for rank in range(16))
"""Every MRC power as it is stored, in the order of its rank."""

BOOKKEEPING = ("id", "source_id", "recorded_at", "stored_at", "superseded_at", "fingerprint", "feed", "record", "version")
"""Columns beside the clinical values of a fact."""


class Stored(SQLModel):
    """Base of all tables: one place for them, and names of constraints that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        }
    )


class Fact(Stored):
    """What every fact carries. Another program needs to write none of it but ``patient_id``.

    ``recorded_at`` is when the hospital knew it, ``stored_at`` when we got it, ``superseded_at`` when a correction took
    its place. ``fingerprint`` is of the values as a feed delivered them, None once another program wrote them.
    ``record`` names the record across versions and ``version`` this one, where they differ from ``id``: an UPDATE by
    another program keeps the ``id`` of the row that it knows, and the values it replaced move to a new row.
    """

    id: int | None = Field(default=None, primary_key=True, sa_type=Key)
    patient_id: str = Field(sa_type=Text)
    source_id: str | None = Field(default=None, sa_type=Text)
    recorded_at: str | None = Field(default=None, sa_type=Text)
    stored_at: str = Field(sa_type=Text, sa_column_kwargs={"server_default": NowText()})
    superseded_at: str | None = Field(default=None, sa_type=Text)
    fingerprint: str | None = Field(default=None, sa_type=Text)
    feed: str | None = Field(default=None, sa_type=Text)
    record: int | None = Field(default=None, sa_type=Key)
    version: int | None = Field(default=None, sa_type=Key)


def one_of(column: str, allowed: Sequence[str]) -> CheckConstraint:
    """The column holds one of ``allowed``, or nothing.

    Not IN: SQLite would build a little tree of the allowed words for each column of each row inserted.
    """
    listed = " OR ".join(f"{column} = '{word}'" for word in allowed)
    return CheckConstraint(f"{column} IS NULL OR {listed}", name=column)


def between(column: str, low: float, high: float) -> CheckConstraint:
    """The column holds a number from ``low`` to ``high``, both included, or nothing."""
    return CheckConstraint(f"{column} BETWEEN {low} AND {high}", name=column)


def dated(column: str) -> CheckConstraint:
    """The column holds text that begins like an ISO 8601 day, or nothing."""
    return CheckConstraint(f"{column} LIKE '____-__-__%'", name=column)


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows for which ``where`` holds.

    On PostgreSQL too, by the migrations, which alone make tables: naming that dialect here would load it, 4 MB, everywhere.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(where))


def fact_arguments(table: str, *arguments: Any, identity: str = "source_id", by_content: bool = False) -> tuple[Any, ...]:
    """Constraints and indexes that all fact tables share, and the table's own ``arguments``.

    ``identity`` names a record; ``by_content`` is for facts that without it are told apart by all their values.
    """
    found: list[Any] = [
        *arguments,
        dated("recorded_at"),
        dated("stored_at"),
        dated("superseded_at"),
        Index(f"ix_{table}_patient_id", "patient_id"),
        partial(f"uq_{table}_current", identity, where=f"superseded_at IS NULL AND {identity} IS NOT NULL", unique=True),
        partial(f"ix_{table}_superseded", identity, where="superseded_at IS NOT NULL"),
        partial(f"ix_{table}_by_sql", "id", where="feed IS NULL"),
    ]
    if by_content:
        found.append(partial(f"ix_{table}_fingerprint", "fingerprint", where="source_id IS NULL"))
        found.append(partial(f"ix_{table}_foreign", "patient_id", where="source_id IS NULL AND fingerprint IS NULL"))
    return (*found, {"sqlite_autoincrement": True, "sqlite_strict": True})


class PatientRow(Fact, table=True):
    """One version of a patient's own record."""

    __tablename__ = "patients"
    __table_args__ = fact_arguments(
        "patients",
        dated("birth_date"),
        between("baseline_sensory_grade", 0, 5),
        between("baseline_motor_grade", 0, 5),
        identity="patient_id",
    )
    display_name: str | None = Field(default=None, sa_type=Text)
    birth_date: str | None = Field(default=None, sa_type=Text)
    sex: str | None = Field(default=None, sa_type=Text)
    site: str | None = Field(default=None, sa_type=Text)
    team: str | None = Field(default=None, sa_type=Text)
    diagnosis: str | None = Field(default=None, sa_type=Text)
    comorbidities: str | None = Field(default=None, sa_type=Text)
    baseline_sensory_grade: int | None = Field(default=None, sa_type=Whole)
    baseline_motor_grade: int | None = Field(default=None, sa_type=Whole)


class CourseRow(Fact, table=True):
    """One version of a course of a drug."""

    __tablename__ = "courses"
    __table_args__ = fact_arguments(
        "courses",
        dated("started_on"),
        dated("discontinued_on"),
        one_of("schedule", ("twice-weekly", "weekly")),
        between("cycle_days", 1, 1000),
    )
    drug: str = Field(sa_type=Text, sa_column_kwargs={"server_default": text(f"'{BORTEZOMIB}'")})
    started_on: str = Field(sa_type=Text)
    schedule: str | None = Field(default=None, sa_type=Text)
    cycle_days: int | None = Field(default=None, sa_type=Whole)
    discontinued_on: str | None = Field(default=None, sa_type=Text)
    discontinued_reason: str | None = Field(default=None, sa_type=Text)


class DoseRow(Fact, table=True):
    """One version of one administration."""

    __tablename__ = "doses"
    __table_args__ = fact_arguments(
        "doses", dated("given_at"), between("dose_mg_per_m2", 0, 100000), one_of("route", ("IV", "SC")), by_content=True
    )
    given_at: str = Field(sa_type=Text)
    drug: str = Field(sa_type=Text, sa_column_kwargs={"server_default": text(f"'{BORTEZOMIB}'")})
    dose_mg_per_m2: float = Field(sa_type=Real)
    route: str | None = Field(default=None, sa_type=Text)


class AssessmentRow(Fact, table=True):
    """One version of one examination. The 28 columns ``mrc_<muscle>_<side>`` follow from ``TESTED_MUSCLES``."""

    __tablename__ = "assessments"
    __table_args__ = fact_arguments(
        "assessments",
        *(Column(name, Text) for name in MUSCLE_COLUMNS),
        dated("assessed_at"),
        *(between(grade, 0, 5) for grade in ("sensory_grade", "motor_grade", "autonomic_grade")),
        one_of("neuropathic_pain", ("yes", "no")),
        between("pain_nrs", 0, 10),
        one_of("walking", ("unaided", "cane", "walker", "wheelchair", "bedbound")),
        between("gbs_disability", 0, 6),
        one_of("reflexes", ("normal", "reduced", "absent")),
        *(between(f"{which}_{how}", 0, 400) for which in ("systolic", "diastolic") for how in ("lying", "standing")),
        *(between(f"grip_kpa_{side}", 0, 1000) for side in ("right", "left")),
        *(between(f"vibration_toe_{side}", 0, 8) for side in ("right", "left")),
        one_of("voided", ("yes", "no")),
        *(one_of(name, POWERS[::-1]) for name in MUSCLE_COLUMNS),
        by_content=True,
    )
    assessed_at: str = Field(sa_type=Text)
    assessor: str | None = Field(default=None, sa_type=Text)
    ctcae_version: str | None = Field(default=None, sa_type=Text)
    sensory_grade: int | None = Field(default=None, sa_type=Whole)
    motor_grade: int | None = Field(default=None, sa_type=Whole)
    autonomic_grade: int | None = Field(default=None, sa_type=Whole)
    neuropathic_pain: str | None = Field(default=None, sa_type=Text)
    pain_nrs: int | None = Field(default=None, sa_type=Whole)
    walking: str | None = Field(default=None, sa_type=Text)
    gbs_disability: int | None = Field(default=None, sa_type=Whole)
    reflexes: str | None = Field(default=None, sa_type=Text)
    red_flags: str | None = Field(default=None, sa_type=Text)
    systolic_lying: int | None = Field(default=None, sa_type=Whole)
    systolic_standing: int | None = Field(default=None, sa_type=Whole)
    diastolic_lying: int | None = Field(default=None, sa_type=Whole)
    diastolic_standing: int | None = Field(default=None, sa_type=Whole)
    grip_kpa_right: float | None = Field(default=None, sa_type=Real)
    grip_kpa_left: float | None = Field(default=None, sa_type=Real)
    vibration_toe_right: float | None = Field(default=None, sa_type=Real)
    vibration_toe_left: float | None = Field(default=None, sa_type=Real)
    notes: str | None = Field(default=None, sa_type=Text)
    voided: str | None = Field(default=None, sa_type=Text)


class LabRow(Fact, table=True):
    """One version of one laboratory value, in the unit it was written in; CSF protein only from 0.05 to 10 g/L."""

    __tablename__ = "labs"
    __table_args__ = fact_arguments(
        "labs",
        dated("collected_at"),
        CheckConstraint(
            "(analyte = 'csf_protein' AND unit = 'mg/dL' AND value BETWEEN 5 AND 1000)"
            " OR (analyte = 'csf_protein' AND unit = 'g/L' AND value BETWEEN 0.05 AND 10)"
            " OR (analyte = 'csf_protein' AND unit = 'mg/L' AND value BETWEEN 50 AND 10000)"
            " OR (analyte = 'csf_white_cells' AND unit IN ('/uL', '10*6/L', '/mm3') AND value >= 0)",
            name="value",
        ),
        by_content=True,
    )
    collected_at: str = Field(sa_type=Text)
    analyte: str = Field(sa_type=Text)
    value: float = Field(sa_type=Real)
    unit: str = Field(sa_type=Text)


class InvestigationRow(Fact, table=True):
    """One version of one investigation with its findings."""

    __tablename__ = "investigations"
    __table_args__ = fact_arguments(
        "investigations",
        dated("performed_at"),
        one_of("kind", ("nerve_conduction", "csf_report", "mri_spine", "antibodies")),
        by_content=True,
    )
    performed_at: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    findings: str = Field(sa_type=Text)


class TreatmentRow(Fact, table=True):
    """One version of one treatment other than a course."""

    __tablename__ = "treatments"
    __table_args__ = fact_arguments("treatments", dated("started_on"), dated("stopped_on"))
    treatment: str = Field(sa_type=Text)
    started_on: str = Field(sa_type=Text)
    stopped_on: str | None = Field(default=None, sa_type=Text)


KINDS = ("patients", "courses", "doses", "assessments", "labs", "investigations", "treatments")
FACTS: dict[str, Table] = {kind: Stored.metadata.tables[kind] for kind in KINDS}


def value_columns(table: Table) -> tuple[str, ...]:
    """The columns of a fact that hold what a feed wrote, ``patient_id`` first; ``recorded_at`` is not among them."""
    return tuple(column.name for column in table.columns if column.name not in BOOKKEEPING)
