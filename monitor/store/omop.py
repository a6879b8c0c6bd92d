"""The tables of an OMOP CDM 5.4 database that are read, of another's database, in one transaction that cannot write."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, TableClause, and_, column, create_engine, or_, select, table, tuple_
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from monitor.store.dialect import READ_OPTIONS

Code = tuple[str, str]
"""Vocabulary and code."""

_AT_ONCE = 200
_SECONDS = 600
_PERSON = ("person_id", "person_source_value", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth")
_EXPOSURE = (
    "person_id",
    "drug_concept_id",
    "drug_exposure_start_date",
    "drug_exposure_start_datetime",
    "drug_exposure_end_date",
    "quantity",
    "dose_unit_source_value",
    "route_source_value",
)
_VALUES = ("value_as_number", "value_as_concept_id", "value_source_value", "unit_concept_id")


class OmopError(Exception):
    """The database cannot be read. The words hold no password and no row."""


@contextmanager
def opened(url: str, password: str | None) -> Iterator[Connection]:
    """A connection whose transaction sees one state and cannot write. Raises OmopError, also for what fails within."""
    parts = make_url(url)
    engine = create_engine(
        "sqlite://" if parts.drivername == "sqlite" else parts.set(password=password) if password else parts,
        poolclass=NullPool,
        **_options(parts),
    )
    try:
        with engine.connect().execution_options(**READ_OPTIONS[engine.dialect.name]) as connection, connection.begin():
            yield connection
    except (SQLAlchemyError, sqlite3.Error) as error:
        why = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0][:200]
        raise OmopError(f"the database cannot be read: {why}") from None
    finally:
        engine.dispose()


def _options(parts: URL) -> dict[str, Any]:
    if parts.drivername == "sqlite":
        path = Path(parts.database or "")
        return {"creator": lambda: sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)}
    words = f"-c default_transaction_read_only=on -c statement_timeout={_SECONDS * 1000}"
    return {"connect_args": {"options": words, "connect_timeout": 10}}


class Cdm:
    """The tables of one database, in their schemas."""

    def __init__(self, connection: Connection, *, cdm: str | None, vocabulary: str | None) -> None:
        self._connection, self._schema = connection, cdm
        self._concept = _table("concept", ("concept_id", "vocabulary_id", "concept_code"), vocabulary)
        self._ancestor = _table("concept_ancestor", ("ancestor_concept_id", "descendant_concept_id"), vocabulary)

    def concepts(self, codes: Sequence[Code]) -> dict[Code, set[int]]:
        """The numbers of each concept and of all that descend from it; none for one that the vocabulary does not have."""
        c = self._concept.c
        query = select(c.concept_id, c.vocabulary_id, c.concept_code)
        found: dict[Code, set[int]] = {code: set() for code in codes}
        for number, vocabulary, code in self._connection.execute(query.where(tuple_(c.vocabulary_id, c.concept_code).in_(codes))):
            found[vocabulary, code].add(number)
        a = self._ancestor.c
        for numbers in found.values():
            below = select(a.descendant_concept_id).where(a.ancestor_concept_id.in_(numbers))
            numbers |= set(self._connection.execute(below).scalars()) if numbers else set()
        return found

    def code_of(self, vocabulary: str) -> dict[int, str]:
        """The codes of a small vocabulary, such as UCUM, by number."""
        c = self._concept.c
        rows = self._connection.execute(select(c.concept_id, c.concept_code).where(c.vocabulary_id == vocabulary))
        return {row[0]: row[1] for row in rows}

    def codes_of(self, numbers: Collection[int]) -> dict[int, str]:
        """The codes of some concepts, by number."""
        c = self._concept.c
        query = select(c.concept_id, c.concept_code).where(c.concept_id.in_(numbers))
        return {row[0]: row[1] for row in self._connection.execute(query)} if numbers else {}

    def people(self, drugs: Collection[int]) -> Iterator[list[dict[str, Any]]]:
        """Everybody with an exposure to one of the drugs, some hundred at a time."""
        exposures, person = self._table("drug_exposure", _EXPOSURE), self._table("person", _PERSON)
        watched = select(exposures.c.person_id).where(exposures.c.drug_concept_id.in_(drugs))
        last = None
        while True:
            query = select(person).where(person.c.person_id.in_(watched)).order_by(person.c.person_id).limit(_AT_ONCE)
            rows = self._rows(query if last is None else query.where(person.c.person_id > last))
            if not rows:
                return
            yield rows
            last = rows[-1]["person_id"]

    def exposures(self, people: Sequence[int], drugs: Collection[int]) -> list[dict[str, Any]]:
        """Exposures of some people to some drugs."""
        t = self._table("drug_exposure", _EXPOSURE)
        return self._rows(select(t).where(and_(t.c.person_id.in_(people), t.c.drug_concept_id.in_(drugs))))

    def conditions(self, people: Sequence[int], concepts: Collection[int]) -> list[dict[str, Any]]:
        """Which people have which conditions."""
        t = self._table("condition_occurrence", ("person_id", "condition_concept_id"))
        return self._rows(select(t).where(and_(t.c.person_id.in_(people), t.c.condition_concept_id.in_(concepts))))

    def measured(
        self, name: str, people: Sequence[int], concepts: Collection[int], words: Collection[str]
    ) -> list[dict[str, Any]]:
        """Rows of ``measurement`` or ``observation`` by concept, also the source's, or by the source's words."""
        own = ("operator_concept_id",) if name == "measurement" else ("value_as_string",)
        keys = (f"{name}_concept_id", f"{name}_source_concept_id", f"{name}_source_value", f"{name}_date", f"{name}_datetime")
        t = self._table(name, ("person_id", *keys, *_VALUES, *own))
        by: list[ColumnElement[bool]] = [t.c[key].in_(concepts) for key in keys[:2]]
        return self._rows(select(t).where(and_(t.c.person_id.in_(people), or_(*by, t.c[keys[2]].in_(words)))))

    def _table(self, name: str, columns: Sequence[str]) -> TableClause:
        return _table(name, columns, self._schema)

    def _rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(query).mappings()]


def _table(name: str, columns: Sequence[str], schema: str | None) -> TableClause:
    return table(name, *map(column, columns), schema=schema)
