"""A mapping made ready: each list of codes looked up at once, each question asked of a resource answered in one place."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from monitor.importers.fhir.codes import Lookup, PassedOverError, RefusedError, Systems, texts
from monitor.importers.fhir.mapping import FhirMapping
from monitor.importers.fhir.structs import Concept, Identifier, Medication, Reference, Resource
from monitor.importers.fhir.values import recorded_time
from monitor.importers.imported import Clinic
from monitor.importers.items import Item, referring

_HISTORY = re.compile(r"/_history/[^/]*$")
_BY_IDENTIFIER = re.compile(r"(?:.*/)?Patient\?identifier=([^&]*)")
_NO_PATIENT = frozenset({"Device", "Group", "Location", "Practitioner", "RelatedPerson"})
CHANGED = frozenset({"amended", "corrected", "entered-in-error"})


class Compiled:
    """A mapping whose codes are looked up."""

    def __init__(self, mapping: FhirMapping) -> None:
        self.mapping = mapping
        systems = Systems(mapping.systems)

        def lookup(codes_of: Mapping[Any, Iterable[str]]) -> Lookup:
            return Lookup(systems, codes_of)

        given, strength, pressure = mapping.medications, mapping.strength, mapping.pressure
        self.drugs, self.treatments = lookup(given.drugs), lookup(given.treatments)
        self.routes, self.surface = lookup(given.routes), lookup({"surface": given.surface.codes})
        self.display_must_say = {systems.key(code): word.lower() for code, word in given.display_must_say.items()}
        self.named = {word.lower(): name for name, words in given.named.items() for word in words}
        self.terms, self.grade_values = lookup(mapping.grades.terms), lookup(mapping.grades.values)
        self.baseline, self.versions = lookup(mapping.grades.baseline), lookup(mapping.grades.versions)
        self.strength = lookup({"power": strength.codes})
        self.muscle_sites = lookup({name: muscle.sites for name, muscle in strength.muscles.items()})
        sided = {f"{name}_right": muscle.right for name, muscle in strength.muscles.items()}
        sided |= {f"{name}_left": muscle.left for name, muscle in strength.muscles.items()}
        self.sided_muscles, self.sides, self.powers = lookup(sided), lookup(strength.sides), lookup(strength.powers)
        self.numbers = lookup({name: each.codes for name, each in mapping.numbers.items()})
        self.words = lookup({name: each.codes for name, each in mapping.words.items()})
        said = {"yes": mapping.yes, "no": mapping.no}
        self.answers = {
            name: Answers(systems, {word: (*codes, *said.get(word, ())) for word, codes in each.answers.items()})
            for name, each in mapping.words.items()
        }
        self.yes_no = Answers(systems, said)
        self.red_flags = lookup(mapping.red_flags)
        self.pressure_panels = lookup({"panel": pressure.panels})
        self.pressure = lookup({"systolic": pressure.systolic, "diastolic": pressure.diastolic})
        self.direct_pressure, self.position = lookup(pressure.direct), lookup({"position": pressure.position})
        self.positions = lookup(pressure.positions)
        self.labs = lookup({name: lab.codes for name, lab in mapping.labs.items()})
        self.labs_with_specimen = lookup({name: lab.codes_with_specimen for name, lab in mapping.labs.items()})
        self.specimens = Answers(systems, {"csf": mapping.specimens})
        self.investigations, self.findings = lookup(mapping.investigations.kinds), lookup(mapping.investigations.findings)
        self.procedures = lookup(mapping.procedures)
        self.diagnoses, self.comorbidities = lookup(mapping.conditions.diagnoses), lookup(mapping.conditions.comorbidities)
        self.passed_over = lookup(mapping.passed_over)

    def name_in(self, text: str) -> str | None:
        """The drug that a text names, or None."""
        return next((name for word, name in self.named.items() if word in text.lower()), None)


class Answers:
    """A vocabulary by code and by text: what of it has no system is a text, in any case."""

    def __init__(self, systems: Systems, codes_of: Mapping[str, Iterable[str]]) -> None:
        self._codes = Lookup(systems, {word: [code for code in codes if "|" in code] for word, codes in codes_of.items()})
        self._texts = {text.lower(): word for word, codes in codes_of.items() for text in (word, *codes) if "|" not in text}

    def of(self, concept: Concept | None, *more: str | None) -> str | None:
        """The word that a concept, or a text, means; None for what is not known."""
        found = self._codes.of(concept)
        if found is not None:
            return found
        known = {self._texts.get(text.strip().lower()) for text in (*texts(concept), *(each for each in more if each))}
        known.discard(None)
        return known.pop() if len(known) == 1 else None


@dataclass(slots=True)
class Source:
    """What a resource is read with: the mapping, the clinic, and names that hold within its file only."""

    by: Compiled
    clinic: Clinic
    aliases: Mapping[str, str] = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)

    def name_of(self, reference: Reference | None) -> str | None:
        """What a reference names, as ``Type/id``; None where it names nothing outside its own resource."""
        written = None if reference is None else reference.reference
        if not written or written.startswith("#"):
            return None
        written = self.aliases.get(written, written)
        if written.startswith("urn:"):
            return written
        parts = _HISTORY.sub("", written).rsplit("/", 2)[-2:]
        return "/".join(parts) if len(parts) == 2 else None

    def patient(self, reference: Reference | None) -> str:
        """The patient of a resource, as items name one."""
        system = self.by.mapping.patient.identifier_system
        if reference is None:
            raise RefusedError("it names no patient", "patient_id")
        identifier = reference.identifier
        if system is not None and identifier is not None and identifier.system == system and identifier.value:
            return identifier.value
        by_identifier = _BY_IDENTIFIER.fullmatch(reference.reference or "")
        if by_identifier is not None:
            within, _, value = unquote(by_identifier[1]).rpartition("|")
            if system is not None and within == system and value:
                return value
        name = self.name_of(reference)
        type_, _, id_ = (name or "").partition("/")
        if type_ in _NO_PATIENT:
            raise PassedOverError("about no patient, but a group, device or place")
        if name is None or type_ != "Patient" or not id_:
            raise RefusedError("it names no patient that can be found", "patient_id")
        return id_ if system is None else referring(name)

    def record_id(self, resource: Resource) -> str | None:
        """The identifier under which a row is known elsewhere, if the resource has one."""
        system = self.by.mapping.records.identifier_system
        written: object = resource.identifier
        listed = [written] if isinstance(written, Identifier) else resource.identifier or []
        found = {each.value for each in listed if system is not None and each.system == system and each.value}
        if len(found) > 1:
            raise RefusedError("it has two identifiers of the system that names records", "source_id")
        return found.pop() if found else None

    def group(self, resource: Resource) -> str:
        """The name of a row that a resource makes alone."""
        return self.record_id(resource) or f"{resource.resource_type}/{resource.id}"

    def examination(self, resource: Resource, patient_id: str, at: str, encounter: Reference | None = None) -> str:
        """The name of the examination that a measure is part of. It holds nothing of the patient."""
        named = self.record_id(resource)
        if named is not None:
            return named
        together = self.by.mapping.records.examination
        key = _same_instant(at)
        if together == "alone":
            return f"{resource.resource_type}/{resource.id}"
        if together == "encounter" and (visit := self.name_of(encounter)) is not None:
            key = visit
        elif together == "same-day" and "T" in at:
            key = datetime.fromisoformat(at).astimezone(self.clinic.zone).date().isoformat()
        return f"examination-{hashlib.sha256(f'{patient_id}|{key}'.encode()).hexdigest()[:20]}"

    def recorded_at(self, resource: Resource, own: str | None = None) -> str | None:
        """When the hospital knew it: as the record says itself; for a record that was changed, when that was stored."""
        meta = resource.meta
        stored = meta.last_updated if meta is not None and self.by.mapping.records.last_updated else None
        changed = resource.status in CHANGED or (meta is not None and meta.version_id not in (None, "1"))
        return recorded_time(stored, own) if changed else recorded_time(own, stored)

    def item(self, resource: Resource, **said: object) -> Item:
        """An item of a resource; what is not said of it is left as it is."""
        return Item(type=resource.resource_type, id=str(resource.id), version=version_of(resource), **said)  # type: ignore[arg-type]


def version_of(resource: Resource) -> str:
    """The feed's own version of a resource; "" where it has none."""
    meta = resource.meta
    return "" if meta is None else meta.version_id or meta.last_updated or ""


def drug_of(
    source: Source, resource: Resource, concept: Concept | None, reference: Reference | None
) -> tuple[str | None, str | None, str | None]:
    """What a medication is: a watched drug, a treatment, or the name of the record that says so; each may be None."""
    if concept is None and reference is not None:
        written = reference.reference or ""
        if not written.startswith("#"):
            return None, None, source.name_of(reference)
        inside = next((each for each in resource.contained if each.id == written[1:]), None)
        concept = None if inside is None else inside.code
    drug, treatment = meaning(source.by, concept)
    return drug, treatment, None


def meaning(by: Compiled, concept: Concept | None) -> tuple[str | None, str | None]:
    """The watched drug and the treatment that a concept means. Raises RefusedError where its words and codes disagree."""
    if concept is None:
        return None, None
    for coding in concept.coding:
        word = by.display_must_say.get((coding.system or "", coding.code or ""))
        said = coding.display or concept.text
        if word is not None and said and word not in said.lower() and by.name_in(said) is None:
            raise RefusedError("the code of a watched drug stands beside another name; correct the record", "drug")
    drug, treatment = by.drugs.of(concept), by.treatments.of(concept)
    if drug is None and treatment is None:
        name = by.name_in(" ".join(texts(concept)))
        if name is not None:
            raise RefusedError(f"its text names {name}, and none of its codes is in the mapping; add the code", "drug")
    return drug, treatment


def medication(source: Source, resource: Medication) -> list[Item]:
    """A drug as a record of its own, for those that refer to it."""
    drug, treatment = meaning(source.by, resource.code)
    cells = {name: word for name, word in (("drug", drug), ("treatment", treatment)) if word is not None}
    return [source.item(resource, kind="@medication", cells=cells)]


def _same_instant(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).isoformat() if "T" in at else at
