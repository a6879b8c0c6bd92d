"""Messages out of bytes: one or many to a file, in batches or bare, with whatever ends their lines and frames them.

The library ``hl7`` reads the separators and the escapes; what it gives is asked for here without ever raising.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import hl7  # type: ignore[import-untyped]  # it has no stubs

MOST_BYTES = 4 << 20
"""A longer message is refused whole: no examination needs it, and memory stays bounded (our judgement)."""

_AT_ONCE = 1 << 16
_FRAMES = b"\x0b\x1c"
_ENVELOPES = (b"FHS", b"FTS", b"BHS", b"BTS")
_ENCODINGS = {
    "ascii": "ascii",
    "8859/1": "iso-8859-1",
    "8859/2": "iso-8859-2",
    "8859/15": "iso-8859-15",
    "unicode utf-8": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "unicode utf-16": "utf-16",
}


class MessageError(ValueError):
    """A message that cannot be read at all. The text says what to do, and nothing of the message."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One message as it came: its segments' bytes, and the line on which each starts. ``too_long`` holds none of it."""

    segments: tuple[bytes, ...]
    lines: tuple[int, ...]
    too_long: bool = False


class Segment:
    """One segment. Fields are numbered as in the standard; what is not there is empty."""

    def __init__(self, message: hl7.Message, fields: hl7.Segment, line: int) -> None:
        self._message, self._fields, self.line = message, fields, line
        self.name = str(fields[0])

    def text(self, field: int, component: int = 1) -> str:
        """One component of a field's first repetition, its escapes resolved."""
        return self.part(next(iter(self.repetitions(field)), []), component)

    def repetitions(self, field: int) -> list[list[str]]:
        """A field's repetitions, each as its components, as they were written."""
        raw = self.raw(field)
        repeat, component = self._message.separators[2], self._message.separators[3]
        return [each.split(component) for each in raw.split(repeat)] if raw else []

    def part(self, components: list[str], component: int, subcomponent: int | None = None) -> str:
        """One component out of ``repetitions``, or part of it. HL7's null, two quotes, is empty."""
        raw = components[component - 1] if len(components) >= component else ""
        if subcomponent is not None:
            parts = raw.split(self._message.separators[4])
            raw = parts[subcomponent - 1] if len(parts) >= subcomponent else ""
        said = self.unescaped(raw).strip()
        return "" if said == '""' else said

    def unescaped(self, raw: str) -> str:
        """A text with its escapes resolved; one that is no escape stays as it is."""
        if self._message.esc not in raw:
            return raw
        try:
            return str(self._message.unescape(raw)).replace("\r", "\n")
        except (ValueError, LookupError, TypeError):
            return raw

    def raw(self, field: int) -> str:
        """A field as it was written."""
        return str(self._fields[field]) if len(self._fields) > field else ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that could be read. ``control_id`` is the sender's name of it, ``event`` such as "A40"."""

    segments: tuple[Segment, ...]
    control_id: str
    kind: str  # "ORU"
    event: str
    sent_at: str  # MSH-7, as written

    @property
    def header(self) -> Segment:
        return self.segments[0]


def raw_messages(stream: BinaryIO) -> Iterator[Raw]:
    """The messages of a file, one by one. What comes before the first is one without a header."""
    segments: list[bytes] = []
    numbers: list[int] = []
    size = 0
    for number, line in enumerate(_lines(stream), 1):
        segment = line.strip(_FRAMES + b" \t\n\r")
        if not segment or segment[:3] in _ENVELOPES:
            continue
        if segment[:3] == b"MSH" and segments:
            yield _raw(segments, numbers, size)
            segments, numbers, size = [], [], 0
        size += len(segment)
        if size <= MOST_BYTES or not segments:
            segments.append(segment[:MOST_BYTES])
            numbers.append(number)
    if segments:
        yield _raw(segments, numbers, size)


def _raw(segments: list[bytes], numbers: list[int], size: int) -> Raw:
    return Raw(tuple(segments[:1] if size > MOST_BYTES else segments), tuple(numbers), size > MOST_BYTES)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Segments, whichever of CR, LF and CRLF ends them, of at most a little over MOST_BYTES."""
    rest = b""
    skipping = False
    first = True
    for chunk in iter(lambda: stream.read(_AT_ONCE), b""):
        whole = rest + (chunk.removeprefix(codecs.BOM_UTF8) if first else chunk)
        first = False
        if whole.endswith(b"\r"):  # its LF may come with the next
            more = stream.read(1)
            whole += more
        *lines, rest = whole.replace(b"\r\n", b"\r").replace(b"\n", b"\r").replace(b"\x1c", b"\r").split(b"\r")
        for line in lines:
            if not skipping:
                yield line
            skipping = False
        if len(rest) > MOST_BYTES:
            if not skipping:
                yield rest
            rest, skipping = b"", True
    if rest and not skipping:
        yield rest


def read(raw: Raw, encoding: str) -> Message:
    """The message. ``encoding`` is that of messages whose MSH-18 is empty. Raises MessageError."""
    if raw.too_long:
        raise MessageError(f"the message is longer than {MOST_BYTES >> 20} MB; send it in parts")
    if raw.segments[0][:3] != b"MSH" or len(raw.segments[0]) < 8:
        raise MessageError("there is no message header (MSH) before this; send whole messages")
    parsed = _parsed(_decoded(raw.segments, encoding))
    segments = tuple(Segment(parsed, fields, line) for fields, line in zip(parsed, raw.lines, strict=False))
    header = segments[0]
    return Message(
        segments=segments,
        control_id=header.text(10),
        kind=header.text(9).upper(),
        event=header.text(9, 2).upper(),
        sent_at=header.text(7),
    )


def _parsed(text: str) -> hl7.Message:
    signs = text[3:4] + text[4:].partition(text[3:4])[0]
    if 5 <= len(signs) <= 6 and len(set(signs)) == len(signs) and not any(sign.isalnum() or sign.isspace() for sign in signs):
        with suppress(hl7.HL7Exception, ValueError, LookupError, TypeError, AttributeError):
            return hl7.parse(text)
    raise MessageError("the message header does not say how the message is divided (MSH-1, MSH-2); send |^~\\&")


def _decoded(segments: Iterable[bytes], default: str) -> str:
    whole = b"\r".join(segments)
    fields = whole.partition(b"\r")[0].split(whole[3:4])
    said = fields[17].decode("ascii", "replace").partition("~")[0].strip().casefold() if len(fields) > 17 else ""
    encoding = _ENCODINGS.get(said) if said else default
    if encoding is None:
        raise MessageError("the message is in a character set that is not read (MSH-18); send UNICODE UTF-8")
    try:
        return whole.decode(encoding)
    except UnicodeError:
        raise MessageError(f"the message is not in the character set {encoding.upper()} (MSH-18); correct one of them") from None
