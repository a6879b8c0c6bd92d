"""What a received mail says, read as leniently as mail programs write: headers, the text, and a nurse's note in it."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from html.parser import HTMLParser

LONGEST_NOTE = 500
LONGEST_HEADER = 4_000
LONGEST_TEXT = 20_000

_FOLD = re.compile(r"[\r\n]+[ \t]*")
_QUOTED = re.compile(r"^\s*>")
_QUOTE_FOLLOWS = re.compile(
    r"""^\s*(
        (on|am|le|op|el|il)\s.{4,200}\s?(wrote|schrieb|[ée]crit|schreef|escribi[óo]|scritto)\b.{0,200}:\s*$
        | -{2,}\s*(original\ message|urspr[üu]ngliche\ nachricht|forwarded\ message|weitergeleitete\ nachricht)
        | _{10,}\s*$
        | (from|von|de)\s?:\s.{0,200}$
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_SIGNATURE = re.compile(
    r"^\s*(--\s*$|(sent|get|gesendet|von meinem|envoyé)\s.{0,40}\b(iphone|ipad|android|outlook|mobil\w*|gesendet|device)\b)",
    re.IGNORECASE,
)


def parsed(data: bytes) -> Message:
    """A mail as it came. The lenient kind of parsing: what is broken in it stays where it is."""
    return message_from_bytes(data)


def header_text(mail: Message, name: str) -> str:
    """A header's words in one line, decoded as far as they can be; empty where there is none."""
    raw = mail[name]
    if raw is None:
        return ""
    line = _FOLD.sub(" ", str(raw)[:LONGEST_HEADER])
    try:
        pieces = decode_header(line)
    except (MessageError, ValueError):
        return line
    return "".join(_decoded(piece, charset) for piece, charset in pieces)


def texts_of(mail: Message) -> tuple[str | None, str | None]:
    """The first plain text and the first HTML of the mail, attachments passed over."""
    found: dict[str, str] = {}
    for part in mail.walk():
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in found and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                found[kind] = _decoded(payload, part.get_content_charset())[:LONGEST_TEXT]
    return found.get("text/plain"), found.get("text/html")


def note_of(plain: str | None, html: str | None) -> str | None:
    """What the sender wrote above quotation and signature, in one line of at most 500 characters; None for nothing."""
    text = plain if plain and plain.strip() else _visible(html or "")
    lines = text.splitlines()
    kept: list[str] = []
    for place, line in enumerate(lines):
        wrapped = " ".join(lines[place : place + 2])  # mail programs break the line that opens a quotation
        if _QUOTE_FOLLOWS.match(line) or _SIGNATURE.match(line) or (line.strip() and _QUOTE_FOLLOWS.match(wrapped)):
            break
        if not _QUOTED.match(line):
            kept.append(line)
    visible = "".join(char if char.isprintable() else " " for char in "\n".join(kept))
    return " ".join(visible.split())[:LONGEST_NOTE].strip() or None


def _decoded(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return _whole(piece)
    try:
        return _whole(piece.decode(charset or "utf-8", errors="replace"))
    except (LookupError, ValueError):  # a character set that nobody knows
        return piece.decode("latin-1")


def _whole(text: str) -> str:
    """Without halves of characters, which some character sets can spell: no database takes them."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


class _Visible(HTMLParser):
    """The text of a page without what is hidden or quoted."""

    SKIPPED = frozenset({"style", "script", "head", "title", "blockquote"})
    BREAKS = frozenset({"br", "p", "div", "tr", "li", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipping += tag in self.SKIPPED
        if tag in self.BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._skipping = max(0, self._skipping - (tag in self.SKIPPED))

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.pieces.append(data)


def _visible(html: str) -> str:
    parser = _Visible()
    parser.feed(html)
    return "".join(parser.pieces)
