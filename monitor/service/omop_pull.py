"""An OMOP CDM database read as a whole: what is new or other is taken, what a refresh no longer has is taken back.

Such a database is days to weeks late. Nothing of it is hurried for that: what lies further back than
``announce_within_days`` is recorded and announces nothing, as for any feed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import msgspec

from monitor.config.feed_omop import OmopFeed
from monitor.config.problems import InvalidConfigError
from monitor.config.secrets import feed_secret
from monitor.errors import ConfigError
from monitor.importers import omop
from monitor.importers.imported import Clinic
from monitor.importers.omop_mapping import Concept, OmopMapping
from monitor.importers.said import Said
from monitor.service import snapshots
from monitor.service.mappings import mapping_file
from monitor.service.omop_file import load_omop
from monitor.service.opening import Site
from monitor.service.pulled import Pulled, StoppedError
from monitor.store.omop import Cdm, OmopError, opened

IN_MEMORY = 8 * 2**20
UCUM = "UCUM"


def pull_omop(site: Site, name: str, feed: OmopFeed, now: datetime, stopping: Callable[[], bool]) -> Pulled:
    """Read the database. Raises DatabaseError for ours, StoppedError."""
    path = mapping_file(site.settings, "omop")
    try:
        mapping = load_omop(path)
        password = feed_secret(name, os.environ, site.folder)
    except InvalidConfigError:
        return Pulled(problem=f"{path} has mistakes; run check-config")
    except ConfigError as error:
        return Pulled(problem=str(error))
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        try:
            with opened(feed.database, password) as connection:
                _read(Cdm(connection, cdm=mapping.cdm_schema, vocabulary=mapping.vocabulary_schema), mapping, spool, stopping)
        except OmopError as error:
            return Pulled(problem=str(error))
        spool.seek(0)
        outcome = _take(site, name, mapping, now, spool)
    return Pulled(received=outcome.received, rejected=len({each.record for each in outcome.rejected}), problem=outcome.problem)


def _read(cdm: Cdm, mapping: OmopMapping, spool: IO[bytes], stopping: Callable[[], bool]) -> None:
    """All of the database that is ours onto the spool, before anything is taken. Raises OmopError, StoppedError."""
    codes = {concept: (concept.vocabulary, concept.code) for concept in mapping.concepts()}
    numbers = cdm.concepts(list(codes.values()))
    missing = [f"{vocabulary} {code}" for (vocabulary, code), found in numbers.items() if not found]
    if missing:
        raise OmopError(f"its vocabulary has no {', '.join(missing)}; load it there, or take it out of the mapping")
    reading = _Reading(cdm, mapping, {concept: numbers[code] for concept, code in codes.items()}, cdm.code_of(UCUM))
    for said in omop.read(reading.people(stopping), mapping):
        spool.write(msgspec.json.encode(said) + b"\n")


@dataclass(slots=True)
class _Reading:
    """One reading of a database whose vocabulary is known."""

    cdm: Cdm
    mapping: OmopMapping
    numbers: Mapping[Concept, set[int]]
    units: Mapping[int, str]

    def people(self, stopping: Callable[[], bool]) -> Iterator[omop.Person]:
        drugs = self.mapping.drugs.values()
        for rows in self.cdm.people(set().union(*(self.numbers[drug.concept] for drug in drugs if drug.kind == "doses"))):
            if stopping():
                raise StoppedError
            yield from self._filled(rows)

    def _filled(self, rows: Sequence[dict[str, Any]]) -> list[omop.Person]:
        sexes = self.cdm.codes_of({row["gender_concept_id"] for row in rows} - {None, 0})
        found = {row["person_id"]: omop.Person(person=row | {"gender_code": sexes.get(row["gender_concept_id"])}) for row in rows}
        people = list(found)
        for name, drug in self.mapping.drugs.items():
            for row in self.cdm.exposures(people, self.numbers[drug.concept]):
                found[row["person_id"]].exposures.append((name, row))
        for words, concept in self.mapping.diagnoses.items():
            for row in self.cdm.conditions(people, self.numbers[concept]):
                found[row["person_id"]].diagnoses.append(words)
        for name, measure in self.mapping.measures.items():
            concepts = self.numbers[measure.concept] if measure.concept is not None else set()
            said = [measure.source_value] if measure.source_value is not None else []
            for row in self._with_codes(measure.table, self.cdm.measured(measure.table, people, concepts, said)):
                found[row["person_id"]].measured.append((name, row))
        return list(found.values())

    def _with_codes(self, table: str, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        codes = self.cdm.codes_of({row["value_as_concept_id"] for row in rows} - {None, 0})
        for row in rows:
            yield (
                {"operator_concept_id": None, "value_as_string": None}
                | row
                | {
                    "value_code": codes.get(row["value_as_concept_id"]),
                    "unit_code": self.units.get(row["unit_concept_id"]),
                    "date": row[f"{table}_date"],
                    "datetime": row[f"{table}_datetime"],
                }
            )


def _take(site: Site, name: str, mapping: OmopMapping, now: datetime, spool: IO[bytes]) -> snapshots.Outcome:
    snapshot = snapshots.Snapshot(
        feed=name, type=omop.TYPE, whole=True, most_gone_percent=mapping.most_gone_percent, record_of=omop.record_of
    )
    clinic = Clinic(zone=site.settings.time_zone, now=now)
    with site.database.write_facts("feed facts") as connection:
        return snapshots.take(connection, snapshot, _said(spool), clinic)


def _said(spool: IO[bytes]) -> Iterator[Said]:
    decode = msgspec.json.Decoder(Said).decode
    return map(decode, spool)
