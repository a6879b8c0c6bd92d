"""FHIR files into items: every resource is mapped, passed over for a reason, or refused with one. None is lost in between."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import msgspec

from monitor.importers.fhir import medications, observations, people
from monitor.importers.fhir.bundle import LONGEST, BrokenError, Entries
from monitor.importers.fhir.codes import PassedOverError, RefusedError
from monitor.importers.fhir.compiled import Compiled, Source, medication, version_of
from monitor.importers.fhir.decoding import decoded, no_key_twice
from monitor.importers.fhir.mapping import FhirMapping
from monitor.importers.fhir.structs import TYPES, Condition, Fhir, Head, Meta
from monitor.importers.imported import Clinic, ImportedFile, Reader, Rejected
from monitor.importers.items import GONE, Item, Merge

MOST_REFUSED = 10_000
"""So many of one file are told one by one; the rest is counted. A file of something else would fill the memory."""

LONGEST_HISTORY = 1 << 26

_MISTAKEN = "entered-in-error"

MAPPERS: Mapping[str, Callable[[Source, Any], list[Item]]] = {
    "Patient": people.patient,
    "Medication": medication,
    "MedicationAdministration": medications.administration,
    "MedicationRequest": medications.order,
    "MedicationStatement": medications.statement,
    "Observation": observations.observation,
    "Procedure": medications.procedure,
    "DiagnosticReport": people.report,
    "Condition": people.condition,
    "AdverseEvent": people.adverse_event,
}
"""What reads each type of resource; the others are no matter of this program."""

_TOLD_INSIDE = MAPPERS.keys() - {"Patient", "Medication", "MedicationRequest"}
"""Records of their own that nobody would look for inside another one."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "MedicationStatement": ("#course", "#treatment"),
    "MedicationAdministration": ("", "#treatment"),
}
"""What an id may end in, of resources that make rows of two kinds."""


@dataclass(frozen=True, slots=True)
class _Raw:
    """One resource as it stands in its file. ``fallback_id`` is for one that has no id of its own."""

    place: int
    text: bytes | str
    fallback_id: str | None = None
    deleted: tuple[str, str, str | None] | None = None  # type, id, when
    problem: str | None = None


class _Bare(Fhir):
    resource_type: str
    id: str | None = None
    status: str | None = None
    meta: Meta | None = None


class _Entry(Fhir):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw()
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None


def fhir_reader(mapping: FhirMapping) -> Reader:
    """The reader of ``.json`` and ``.ndjson`` files by a mapping."""
    by = Compiled(mapping)

    def read(name: str, stream: BinaryIO, clinic: Clinic) -> Iterator[ImportedFile]:
        yield _read(name, stream, Source(by, clinic))

    return read


def items_of(resources: Iterator[bytes], mapping: FhirMapping, clinic: Clinic, file: ImportedFile) -> Iterator[Item | Merge]:
    """The items of resources from elsewhere, such as a server; ``file`` takes what is not mapped."""
    raw = (_Raw(place, text) for place, text in enumerate(resources, 1))
    return _items(raw, Source(Compiled(mapping), clinic, warnings=file.warnings), file)


def _read(name: str, stream: BinaryIO, source: Source) -> ImportedFile:
    file = ImportedFile(kind=None)
    source.warnings = file.warnings
    if name.lower().endswith(".ndjson"):
        file.items = _items(_lines(stream), source, file)
        return file
    try:
        raw = _whole(stream, source)
    except BrokenError as broken:
        file.rejected.append(Rejected(line=None, column=None, problem=f"{broken}; export the file again"))
        return file
    file.items = _items(raw, source, file)
    return file


def _items(raw: Iterator[_Raw], source: Source, file: ImportedFile) -> Iterator[Item | Merge]:
    untold = 0
    for each in raw:
        file.records += 1
        name: str | None = None
        try:
            if each.problem is not None:
                raise RefusedError(each.problem)
            if each.deleted is not None:
                yield from _gone(*each.deleted)
                file.passed_over["a resource that was deleted"] += 1
                continue
            head = decoded(each.text, Head)
            if head.resource_type is None:
                raise RefusedError("it is no FHIR resource: it has no resourceType")
            id_ = head.id or each.fallback_id
            name = _safe(head.resource_type, id_)
            yield from _mapped(each, head.resource_type, id_, source, file)
        except RefusedError as refused:
            if len(file.rejected) < MOST_REFUSED:
                told = Rejected(line=each.place, column=refused.column, problem=str(refused), record=name)
                file.rejected.append(told)
            else:
                untold += 1
    if untold:
        file.rejected.append(Rejected(line=None, column=None, problem=f"and {untold} more that were refused"))
        file.refused_untold = untold


def _mapped(each: _Raw, type_: str, id_: str | None, source: Source, file: ImportedFile) -> Iterator[Item]:
    mapper = MAPPERS.get(type_)
    if type_ == "Bundle":
        raise RefusedError("it is a Bundle among resources, and what is in it is not read; import it as a file of its own")
    if mapper is None:
        file.passed_over[f"{type_}: a type that is not read" if type_.isalnum() else "a type that is not read"] += 1
        return
    if not id_:
        raise RefusedError("it has no id, so a correction of it could not be told from another record", "id")
    resource = _resource(each.text, TYPES[type_])
    resource.id = id_
    for inside in resource.contained:
        if inside.resource_type in _TOLD_INSIDE:
            file.warnings[f"{type_}: the {inside.resource_type} within it (contained) was not read"] += 1
    gone = ""
    try:
        if resource.status == _MISTAKEN or (isinstance(resource, Condition) and people.is_mistaken(resource)):
            gone = GONE
            raise PassedOverError("entered in error: taken back")
        if resource.modifier_extension:
            raise RefusedError("it has a modifier extension, which may turn its meaning round", "modifierExtension")
        made = mapper(source, resource)
        no_key_twice(each.text)
    except PassedOverError as reason:
        file.passed_over[f"{type_}: {reason}"] += 1
        made = []
    version = (
        version_of(resource) or hashlib.sha256(each.text if isinstance(each.text, bytes) else each.text.encode()).hexdigest()[:32]
    )
    yield from (replace(item, version=version) for item in made)
    names = {item.id for item in made}
    at = source.recorded_at(resource, getattr(resource, "issued", None))
    for part in PARTS.get(type_, ("",)):
        if id_ + part not in names:  # what it may have said in an earlier version, it says no more
            yield taken_back(type_, id_ + part, version, at, gone)


def _digest(text: bytes | str) -> str:
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()[:32]


def _resource(text: bytes | str, shape: type[Any]) -> Any:
    """The resource; of one that was entered in error no more than that, whatever else is wrong with it. Raises RefusedError."""
    bare: _Bare | None = None
    try:
        return decoded(text, shape)
    except RefusedError:
        with suppress(RefusedError):
            bare = decoded(text, _Bare)
        if bare is None or bare.status != _MISTAKEN:
            raise
        return shape(resource_type=bare.resource_type, id=bare.id, status=bare.status, meta=bare.meta)


def _gone(type_: str, id_: str, at: str | None) -> Iterator[Item]:
    for part in PARTS.get(type_, ("",)):
        yield taken_back(type_, id_ + part, f"deleted {at or ''}", at)


def taken_back(type_: str, id_: str, version: str, at: str | None, kind: str = GONE) -> Item:
    """That what a resource said is no longer so; of kind GONE, whatever of it may still come late."""
    return Item(type=type_, id=id_, version=version, kind=kind, group=id_ if kind else "", voided=True, recorded_at=at)


def _safe(type_: str, id_: str | None) -> str:
    """What names a resource in a report: only what FHIR allows in an id, so that nothing else gets into one."""
    plain = "".join(c for c in f"{type_}/{id_ or ''}" if c.isascii() and (c.isalnum() or c in "/.-_:"))
    return plain[:100]


def _lines(stream: BinaryIO) -> Iterator[_Raw]:
    """The lines that are not empty. One that is too long is passed to its end without being kept."""
    number = 0
    while line := stream.readline(LONGEST):
        number += 1
        problem = None
        if len(line) >= LONGEST and not line.endswith(b"\n"):
            problem = f"the line is longer than {LONGEST >> 20} MB"
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST)
            line = b"-"
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield _Raw(number, line.strip(), problem=problem)


def _whole(stream: BinaryIO, source: Source) -> Iterator[_Raw]:
    """The entries of a Bundle, or the one resource that the file is. Raises BrokenError before the first.

    The file is read once before: nothing is taken of one that is cut off. References within it by UUID are learnt.
    """
    entries = Entries(stream)
    aliases, length = {}, 0
    for text in entries:
        length += len(text)
        if '"urn:' in text:
            aliases.update(_alias(text))
    said = entries.said
    stream.seek(0)
    if said.get("resourceType") != "Bundle":
        return iter([_Raw(1, _all_of(stream))])
    source.aliases = aliases
    if said.get("type") == "history":  # the newest version comes first in one
        if length > LONGEST_HISTORY:
            raise BrokenError(f"it is a history of more than {LONGEST_HISTORY >> 20} MB; export it in parts")
        return map(_entry, *zip(*reversed(list(enumerate(Entries(stream), 1))), strict=True)) if length else iter(())
    return (_entry(place, text) for place, text in enumerate(Entries(stream), 1))


def _all_of(stream: BinaryIO) -> bytes:
    text = stream.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise BrokenError(f"it is one resource of more than {LONGEST >> 20} MB")
    return text.removeprefix(b"\xef\xbb\xbf")


def _alias(text: str) -> dict[str, str]:
    """From the UUID that stands for a resource within its Bundle to its type and id."""
    try:
        entry = decoded(text, _Entry)
        head = decoded(bytes(entry.resource), Head) if bytes(entry.resource) else None
    except RefusedError:
        return {}
    if head is None or not entry.full_url or not entry.full_url.startswith("urn:"):
        return {}
    return {entry.full_url: f"{head.resource_type}/{head.id or entry.full_url.rpartition(':')[2]}"}


def _entry(place: int, text: str) -> _Raw:
    try:
        entry = decoded(text, _Entry)
    except RefusedError as refused:
        return _Raw(place, b"", problem=str(refused))
    if not bytes(entry.resource):
        return _deleted(place, entry)
    url = entry.full_url or ""
    return _Raw(place, bytes(entry.resource), fallback_id=url.rpartition(":")[2] if url.startswith("urn:") else None)


def _deleted(place: int, entry: _Entry) -> _Raw:
    request, response = entry.request or {}, entry.response or {}
    type_, _, id_ = str(request.get("url") or "").partition("/")
    if request.get("method") == "DELETE" and id_:
        at = response.get("lastModified")
        return _Raw(place, b"", deleted=(type_, id_, at if isinstance(at, str) else None))
    return _Raw(place, b"", problem="the entry holds no resource")
