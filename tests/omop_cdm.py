"""A small OMOP CDM 5.4 database, on either engine: the columns that are read, typed as the CDM types them.

Nobody here has the vocabularies of OHDSI: the numbers of concepts are our own, codes and vocabularies are the real ones.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, text

DDL = """
CREATE TABLE concept (concept_id integer NOT NULL, vocabulary_id varchar(20) NOT NULL, concept_code varchar(50) NOT NULL);
CREATE TABLE concept_ancestor (ancestor_concept_id integer NOT NULL, descendant_concept_id integer NOT NULL);
CREATE TABLE person (person_id integer NOT NULL, gender_concept_id integer NOT NULL, year_of_birth integer NOT NULL,
  month_of_birth integer, day_of_birth integer, person_source_value varchar(50));
CREATE TABLE drug_exposure (drug_exposure_id integer NOT NULL, person_id integer NOT NULL, drug_concept_id integer NOT NULL,
  drug_exposure_start_date date NOT NULL, drug_exposure_start_datetime timestamp, drug_exposure_end_date date NOT NULL,
  quantity numeric, dose_unit_source_value varchar(50), route_source_value varchar(50));
CREATE TABLE measurement (measurement_id integer NOT NULL, person_id integer NOT NULL, measurement_concept_id integer NOT NULL,
  measurement_date date NOT NULL, measurement_datetime timestamp, operator_concept_id integer, value_as_number numeric,
  value_as_concept_id integer, unit_concept_id integer, measurement_source_value varchar(50),
  measurement_source_concept_id integer, value_source_value varchar(50));
CREATE TABLE observation (observation_id integer NOT NULL, person_id integer NOT NULL, observation_concept_id integer NOT NULL,
  observation_date date NOT NULL, observation_datetime timestamp, value_as_number numeric, value_as_string varchar(60),
  value_as_concept_id integer, unit_concept_id integer, observation_source_value varchar(50),
  observation_source_concept_id integer, value_source_value varchar(50));
CREATE TABLE condition_occurrence (condition_occurrence_id integer NOT NULL, person_id integer NOT NULL,
  condition_concept_id integer NOT NULL)
"""
CONCEPTS = {
    "bortezomib": (1, "RxNorm", "358258"),
    "product": (2, "RxNorm", "1804993"),
    "myeloma": (3, "SNOMED", "109989006"),
    "protein": (4, "LOINC", "2880-3"),
    "cells": (5, "LOINC", "26465-5"),
    "pain": (6, "LOINC", "72514-3"),
    "surface": (7, "LOINC", "3140-1"),
    "mg/dL": (8, "UCUM", "mg/dL"),
    "g/L": (9, "UCUM", "g/L"),
    "m2": (10, "UCUM", "m2"),
    "female": (11, "Gender", "F"),
    "other": (12, "RxNorm", "999"),
    "/uL": (13, "UCUM", "/uL"),
}


def number(name: str) -> int:
    """The number of a concept."""
    return CONCEPTS[name][0]


class OmopCdm:
    """The database at a URL. Rows have numbers of their own, which ``renumbered`` changes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: Engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        self._next = 1
        with self._engine.begin() as connection:
            for statement in DDL.split(";"):
                connection.execute(text(statement))
        for concept_id, vocabulary, code in CONCEPTS.values():
            self.add("concept", concept_id=concept_id, vocabulary_id=vocabulary, concept_code=code)
        for below in ("bortezomib", "product"):
            self.add("concept_ancestor", ancestor_concept_id=number("bortezomib"), descendant_concept_id=number(below))

    def close(self) -> None:
        self._engine.dispose()

    def execute(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement))

    def add(self, table: str, **values: Any) -> None:
        key = (
            {f"{table}_id": self._next}
            if table in {"drug_exposure", "measurement", "observation", "condition_occurrence"}
            else {}
        )
        self._next += 1
        row = key | values
        names = ", ".join(row)
        with self._engine.begin() as connection:
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)

    def renumbered(self) -> None:
        """As a refresh may leave it: other numbers, another order."""
        for table in ("drug_exposure", "measurement", "observation"):
            self.execute(f"UPDATE {table} SET {table}_id = 100000 - {table}_id, person_id = person_id + 5000")
        self.execute("UPDATE condition_occurrence SET person_id = person_id + 5000")
        self.execute("UPDATE person SET person_id = person_id + 5000")

    def patient(self, person: int, source: str | None) -> None:
        self.add(
            "person",
            person_id=person,
            gender_concept_id=number("female"),
            year_of_birth=1950,
            month_of_birth=4,
            day_of_birth=2,
            person_source_value=source,
        )
        self.add("condition_occurrence", person_id=person, condition_concept_id=number("myeloma"))

    def dose(
        self, person: int, on: str, quantity: float | None, unit: str | None, *, at: str | None = None, drug: str = "product"
    ) -> None:
        self.add(
            "drug_exposure",
            person_id=person,
            drug_concept_id=number(drug),
            drug_exposure_start_date=on,
            drug_exposure_start_datetime=at,
            drug_exposure_end_date=on,
            quantity=quantity,
            dose_unit_source_value=unit,
            route_source_value="SC",
        )

    def measure(self, person: int, what: str, on: str, value: float | None, unit: str | None = None, **more: Any) -> None:
        self.add(
            "measurement",
            person_id=person,
            measurement_concept_id=number(what),
            measurement_date=on,
            value_as_number=value,
            unit_concept_id=number(unit) if unit else 0,
            **more,
        )
