"""Reports that mail systems write: what did not arrive (RFC 3464 and older habits), what is late, what was read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from monitor.delivery.writing import header_text, parsed
from monitor.said import Said, say

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
_DAEMON = re.compile(r"\b(mailer-daemon|postmaster|mail delivery (sub)?system|microsoft outlook)\b", re.IGNORECASE)
_NOT_DELIVERED = re.compile(
    r"undeliver|unzustellbar|delivery (status notification|has failed|failure)|(mail|message) delivery failed|returned mail"
    r"|failure notice|nicht zugestellt|non remis|returning message to sender",
    re.IGNORECASE,
)
_LATE = re.compile(r"delay|warning|verz[öo]ger|retard", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """A mail of ours did not arrive. ``permanent``: it never will at this address. ``status`` as "5.1.1", where it is told."""

    permanent: bool
    status: str | None
    original_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherReport:
    """A report that is no bounce: a delay, a delivery, a receipt."""

    words: str


def report_in(mail: Message) -> BounceReport | OtherReport | None:
    """The report that the mail is; None for a mail that is none."""
    status_part = next((part for part in mail.walk() if part.get_content_type() == "message/delivery-status"), None)
    if status_part is not None:
        return _delivery_status(mail, status_part)
    if mail.get_content_type() == "multipart/report":
        return OtherReport(words="a receipt")
    if mail["X-Failed-Recipients"] is not None:
        return BounceReport(permanent=True, status=None, original_id=_original_id(mail))
    from_daemon = _DAEMON.search(header_text(mail, "From")) or header_text(mail, "Return-Path").strip() == "<>"
    subject = header_text(mail, "Subject")
    if from_daemon and _NOT_DELIVERED.search(subject):
        if _LATE.search(subject):
            return OtherReport(words="a notice of delay")
        return BounceReport(permanent=False, status=None, original_id=_original_id(mail))
    return None


def bounce_in_words(report: BounceReport) -> Said:
    """The status code, no address and nobody's text."""
    if report.status:
        return say("not delivered, status {status}", status=report.status)
    return say("not delivered")


def _delivery_status(mail: Message, status_part: Message) -> BounceReport | OtherReport:
    """One group of fields a recipient; our mails have one. A report that names no action counts as a failure."""
    actions = [(header_text(group, "Action").strip().lower(), _status(group)) for group in _groups(status_part)]
    told = [(action, status) for action, status in actions if action]
    failed = [status for action, status in told if action == "failed"]
    if told and not failed:
        late = any(action == "delayed" for action, _ in told)
        return OtherReport(words="a notice of delay" if late else "a delivery receipt")
    status = next((each for each in failed if each), None)
    permanent = bool(failed) and not all(each is not None and each.startswith("4.") for each in failed)
    return BounceReport(permanent=permanent, status=status, original_id=_original_id(mail))


def _groups(status_part: Message) -> Iterator[Message]:
    payload = status_part.get_payload()
    if isinstance(payload, list):
        yield from (group for group in payload if isinstance(group, Message))


def _status(group: Message) -> str | None:
    found = _STATUS.search(header_text(group, "Status")) or _STATUS.search(header_text(group, "Diagnostic-Code"))
    return found[0] if found else None


def _original_id(mail: Message) -> str | None:
    """The Message-ID of the mail that came back: of its copy, of its headers, or in a text that quotes them."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and isinstance(payload := part.get_payload(), list) and isinstance(payload[0], Message):
            quoted = payload[0]
        elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
            quoted = parsed(_bytes_of(part))
        elif kind == "text/plain":
            text = _bytes_of(part)
            place = text.lower().find(b"\nmessage-id:")
            quoted = parsed(text[place + 1 :] if place >= 0 else b"")
        else:
            continue
        if found := _MESSAGE_ID.search(header_text(quoted, "Message-ID")):
            return found[0]
    return None


def _bytes_of(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else part.as_bytes()
