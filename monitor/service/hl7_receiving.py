"""One HL7 v2 message that was handed over: stored, or refused on record, before it is answered.

AA    all of it is in the database, or is there already
AE    something of it was refused; what was not is stored. Sending it again brings nothing unless it was corrected
AR    it cannot be read as a message
none  the database does not answer: the sender keeps the message, and sends it again
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from monitor import crash_points
from monitor.errors import DatabaseError
from monitor.importers.hl7.messages import Message, MessageError, raw_messages, read
from monitor.importers.hl7.reading import hl7_reader
from monitor.importers.imported import Clinic, Reader, Rejected
from monitor.service import settling
from monitor.service.hl7_file import load_hl7
from monitor.service.opening import Site
from monitor.store import facts, feeds, rejects
from monitor.store.problems import problem, refuses_a_value

log = logging.getLogger(__name__)

KIND = "mllp"
_NO_HEADER = r"MSH|^~\&|"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to the sender. ``news``: a fact is new or another one."""

    code: str
    acknowledgement: bytes
    news: bool


class Receiver:
    """Takes the messages of one feed of one site. Reads the mapping once. Raises InvalidConfigError."""

    def __init__(self, site: Site, name: str) -> None:
        self._site, self._name = site, name
        mapping = load_hl7(site.settings.mappings["hl7"])
        self._encoding = mapping.records.encoding
        self._reader: Reader = hl7_reader(mapping)

    def receive(self, block: bytes, now: datetime) -> Answer:
        """Store a message and say what to answer. Raises DatabaseError, and nothing is stored then."""
        header = self._header(block)
        try:
            refused, news = self._stored(block, header, now)
        except DatabaseError:
            raise
        except Exception as error:  # a message that brings out a defect must not hold up those behind it for ever
            log.exception("a defect of ours with a message; it was not stored, please report the lines below")
            words = f"a defect of this program, {type(error).__name__}; please report it"
            refused, news = [Rejected(line=None, column=None, problem=words)], False
            with self._site.database.write("mllp", beside_others=True) as connection:
                self._record(connection, header, refused, news=False, now=now)
        code = "AR" if header is None else "AE" if refused else "AA"
        words = "" if code == "AA" else f"{len(refused)} refused: {refused[0].problem}" if refused else "no message"
        return Answer(code, _acknowledgement(header, code, words, now, self._site), news)

    def _header(self, block: bytes) -> Message | None:
        for raw in raw_messages(BytesIO(block)):
            try:
                return read(raw, self._encoding)
            except MessageError:
                return None
        return None

    def _stored(self, block: bytes, header: Message | None, now: datetime) -> tuple[list[Rejected], bool]:
        clinic = Clinic(zone=self._site.settings.time_zone, now=now)
        with self._site.database.write_facts("mllp") as connection:
            refused: list[Rejected] = []
            counts: list[facts.Counts] = []
            try:
                with connection.begin_nested():
                    for part in self._reader("message", BytesIO(block), clinic):
                        taken = settling.take(connection, self._name, part.items or (), clinic)
                        refused += [*part.rejected, *taken.rejected]
                        counts += taken.counts.values()
            except DBAPIError as error:
                if not refuses_a_value(error):
                    raise
                # It would be refused again, and hold up those behind it for ever.
                refused, counts = [Rejected(line=None, column=None, problem=problem(error))], []
            news = any(each.inserted or each.corrected for each in counts)
            self._record(connection, header, refused, news=news, now=now)
            crash_points.reached("before an HL7 message is committed")
        crash_points.reached("after an HL7 message is committed")
        return refused, news

    def _record(
        self, connection: Connection, header: Message | None, refused: list[Rejected], *, news: bool, now: datetime
    ) -> None:
        origin = _name(header)
        found = [
            rejects.Reject(
                at=now,
                feed=self._name,
                origin=origin,
                line=None,
                column=each.column,
                problem=each.problem if each.record is None else f"{each.record}: {each.problem}",
            )
            for each in refused
        ]
        rejects.replace(connection, found, feed=self._name, origin=origin, now=now)
        feeds.record(connection, self._name, KIND, now=now, received=news)


def _name(header: Message | None) -> str:
    control = "" if header is None else header.control_id[:40]
    return f"message {control}" if control and control.isprintable() else "a message without an id"


def _acknowledgement(header: Message | None, code: str, words: str, now: datetime, site: Site) -> bytes:
    """An ACK in the separators of the message; where those could not be read, in the usual ones. No value of the message."""
    at = now.astimezone(site.settings.time_zone).strftime("%Y%m%d%H%M%S%z")
    if header is None:
        fields, escape, separator = ["", "", "", ""], "\\", "|"
        start, control, event = _NO_HEADER, "", ""
    else:
        msh = header.header
        separator, signs = msh.raw(1) or "|", msh.raw(2)
        escape = signs[2] if len(signs) > 2 else "\\"
        fields = [msh.raw(place) for place in (5, 6, 3, 4)]
        start, control, event = f"MSH{separator}{signs}{separator}", msh.raw(10), msh.text(9, 2)
        repeat = signs[0]
        kind = f"ACK{repeat}{event}" if event.isascii() and event.isalnum() else "ACK"
        return _bytes(start, fields, at, kind, control, code, _escaped(words, separator, signs, escape), separator)
    return _bytes(start, fields, at, "ACK", control, code, _escaped(words, separator, "^~\\&", escape), separator)


def _bytes(start: str, fields: list[str], at: str, kind: str, control: str, code: str, words: str, separator: str) -> bytes:
    own = f"A{at[:14]}"
    header = start + separator.join([*fields, at, "", kind, own, "P", "2.5.1", *[""] * 5, "UNICODE UTF-8"])
    return f"{header}\rMSA{separator}{code}{separator}{control}{separator}{words}\r".encode("utf-8", "replace")


def _escaped(words: str, separator: str, signs: str, escape: str) -> str:
    names = dict(zip(f"{separator}{signs[:2]}{signs[3:4]}", "FSRT", strict=False))
    said = words.replace(escape, f"{escape}E{escape}")
    for sign, letter in names.items():
        said = said.replace(sign, f"{escape}{letter}{escape}")
    return said[:200]
