"""A file of HL7 v2 messages into items; every message and segment is taken, passed over with a reason, or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

from monitor.importers.hl7 import administrations, people
from monitor.importers.hl7.administrations import Administered
from monitor.importers.hl7.compiled import Compiled, compiled
from monitor.importers.hl7.fields import FieldError, patient_of
from monitor.importers.hl7.mapping import Hl7Mapping
from monitor.importers.hl7.messages import Message, MessageError, Segment, raw_messages, read
from monitor.importers.hl7.observations import Order, Passed, observation, order_of
from monitor.importers.imported import Clinic, ImportedFile, Reader, Rejected
from monitor.importers.items import Item, Merge

_STRUCTURE = frozenset({"MSH", "PID", "EVN", "ORC", "OBR", "RXO", "RXE", "RXA", "RXR", "OBX", "MRG", "PV1"})
_OBSERVATIONS = frozenset({"ORU", "ORF", "OUL"})
_ADMINISTRATIONS = frozenset({"RAS"})


def hl7_reader(mapping: Hl7Mapping) -> Reader:
    """What reads files of messages as a clinic's mapping says."""
    how = compiled(mapping)

    def read_hl7(_name: str, stream: BinaryIO, _clinic: Clinic) -> Iterator[ImportedFile]:
        file = ImportedFile(kind=None)
        file.items = _File(file, how).items(stream)
        yield file

    return read_hl7


class _File:
    """One file while it is read."""

    def __init__(self, file: ImportedFile, how: Compiled) -> None:
        self._file, self._how = file, how
        self._keys = how.mapping.patient

    def items(self, stream: BinaryIO) -> Iterator[Item | Merge]:
        """All that the messages say, in their order."""
        seen = False
        for raw in raw_messages(stream):
            seen = True
            try:
                message = read(raw, self._how.mapping.records.encoding)
            except MessageError as bad:
                self._refuse(raw.lines[0], f"message on line {raw.lines[0]}", str(bad))
                continue
            yield from self._message(message)
        if not seen:
            self._file.rejected.append(Rejected(line=None, column=None, problem="there is no message in the file"))

    def _message(self, message: Message) -> Iterator[Item | Merge]:
        self._count_others(message)
        if message.kind == "ADT" and message.event in people.MERGES:
            yield from self._merges(message)
        elif message.kind == "ADT" and message.event in people.UNMERGES:
            self._refuse(message.header.line, _name(message, message.header), people.UNMERGED)
        elif message.kind == "ADT" and message.event in people.ROWS:
            yield from self._patient(message)
        elif message.kind in _OBSERVATIONS | _ADMINISTRATIONS:
            yield from self._facts(message)
        elif not _is_type(message):
            self._refuse(message.header.line, _name(message, message.header), "it does not say of what kind it is (MSH-9)")
        else:
            self._file.passed_over[f"message {message.kind}^{message.event}"] += 1

    def _merges(self, message: Message) -> Iterator[Merge]:
        found = False
        for segment, merge in people.merges(message, self._keys):
            found = True
            if isinstance(merge, FieldError):
                self._refuse(segment.line, _name(message, segment), str(merge))
            else:
                yield merge
        if not found:
            self._refuse(message.header.line, _name(message, message.header), "names no record that ended (MRG); send MRG-1")

    def _patient(self, message: Message) -> Iterator[Item]:
        pid, pv1 = _first(message, "PID"), _first(message, "PV1")
        if pid is None:
            self._refuse(message.header.line, _name(message, message.header), "there is no patient (PID) in the message")
            return
        yield from self._said(message, pid, lambda: people.patient(pid, pv1, message, self._keys))

    def _facts(self, message: Message) -> Iterator[Item]:
        """Observations, orders and doses, group by group."""
        patient_id, order, number = "", Order(), ""
        given: Administered | None = None
        told: Counter[str] = Counter()
        for segment in message.segments:
            if given is not None and segment.name == "RXR":
                given.route = given.route or segment
            if given is not None and segment.name not in ("RXR", "NTE"):
                yield from self._dose(given, patient_id, message)
                given = None
            match segment.name:
                case "PID":
                    patient_id, order, number = self._whose(message, segment), Order(), ""
                case "ORC":
                    number = administrations.order_number(segment)
                    order = Order(number=number)
                case "OBR":
                    order = order_of(segment)
                    order = order if order.number else Order(number=number, at=order.at, reported_at=order.reported_at)
                case "RXA" if patient_id:
                    given = Administered(segment, number)
                case "RXO" | "RXE" if patient_id:
                    yield from self._said(message, segment, self._level(segment, number, patient_id, message))
                case "OBX" if patient_id:
                    made = self._said(message, segment, self._observation(segment, order, patient_id, message))
                    yield from (_counted(told, item) for item in made)
                case "RXA" | "OBX":
                    self._refuse(segment.line, _name(message, segment), "it is not known whose it is; see what is said of PID")
        if given is not None:
            yield from self._dose(given, patient_id, message)

    def _level(self, segment: Segment, number: str, patient_id: str, message: Message) -> Callable[[], Item | Passed]:
        return lambda: administrations.level(segment, number, patient_id, message, self._how)

    def _observation(self, segment: Segment, order: Order, patient_id: str, message: Message) -> Callable[[], Item | Passed]:
        return lambda: observation(segment, order, patient_id, message, self._how)

    def _dose(self, given: Administered, patient_id: str, message: Message) -> Iterator[Item]:
        yield from self._said(message, given.rxa, lambda: administrations.dose(given, patient_id, message, self._how))

    def _whose(self, message: Message, pid: Segment) -> str:
        try:
            return patient_of(pid, 3, self._keys)
        except FieldError as bad:
            self._refuse(pid.line, _name(message, pid), str(bad))
            return ""

    def _said(self, message: Message, segment: Segment, make: Callable[[], Item | Passed]) -> Iterator[Item]:
        try:
            made = make()
        except FieldError as bad:
            self._refuse(segment.line, _name(message, segment), str(bad))
            return
        if isinstance(made, Passed):
            self._file.passed_over[made.why] += 1
        else:
            yield made

    def _count_others(self, message: Message) -> None:
        for segment in message.segments:
            if segment.name not in _STRUCTURE:
                known = len(segment.name) == 3 and segment.name.isascii() and segment.name.isalnum() and segment.name.isupper()
                self._file.passed_over[f"segment {segment.name if known else 'without a name'}"] += 1

    def _refuse(self, line: int, record: str, problem: str) -> None:
        self._file.rejected.append(Rejected(line=line, column=None, problem=problem, record=record))


def _counted(told: Counter[str], item: Item) -> Item:
    """The item; of several of one name in a message each has its place behind it, so that none is taken for another."""
    told[item.id] += 1
    return item if told[item.id] == 1 else replace(item, id=f"{item.id} {told[item.id]}")


def _first(message: Message, name: str) -> Segment | None:
    return next((segment for segment in message.segments if segment.name == name), None)


def _is_type(message: Message) -> bool:
    return all(len(part) <= 3 and part.isascii() and part.isalnum() for part in (message.kind, message.event) if part) and bool(
        message.kind
    )


def _name(message: Message, segment: Segment) -> str:
    """The sender's name of the message, and the segment: never what a segment says."""
    number = [each for each in message.segments if each.name == segment.name].index(segment) + 1
    control = message.control_id[:40] if message.control_id.isprintable() else ""
    return f"{control or 'message'} {segment.name[:3]} {number}".strip()
