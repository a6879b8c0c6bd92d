"""One mail for one recipient as bytes. The same message makes the same bytes, today and after a crash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

SENDER_NAME = "Nurse alert"  # shown in every inbox: no drug, no diagnosis
NO_ANSWERS = "All"
NO_IDLE_ANSWERS = "DR, RN, NRN, AutoReply"
"""Where answers are read, an absence and a mail that did not arrive have to be told; "All" would suppress both in Exchange."""

REPEAT = "You may already have received this message."

_POLICY = SMTP.clone(max_line_length=78)
_BODY_TAG = re.compile(r"<body[^>]*>", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+>")
_EMPTY_FIRST_LINE = re.compile(rb"^([!-9;-~]+:)\r\n (?=\S)", re.MULTILINE)
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """All that a mail is made of. ``in_reply_to`` is the Message-ID of the alert's first mail to this recipient.

    ``html`` None makes a mail of the text alone. ``reply_to`` is where answers are read, None where nobody reads them.
    """

    message_id: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str | None
    date: datetime  # aware; in the clinic's zone the header shows its offset
    in_reply_to: str | None = None
    reply_to: str | None = None
    urgent: bool = False
    sensitivity: str | None = None  # "Company-Confidential" where it names a patient (RFC 4021)
    maybe_repeat: bool = False  # an earlier attempt ended unknown


def mint_message_id(domain: str, token: str) -> str:
    """A Message-ID from a token that says nothing of a patient: it is hashed, so that it cannot."""
    return f"<{sha256(token.encode()).hexdigest()[:32]}@{_NOT_IN_ID.sub('', domain) or 'localhost'}>"


def build(message: OutgoingMessage) -> bytes:
    """The mail with CRLF line ends. Raises ValueError for a header that would be two, or an id that is none."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(SENDER_NAME, addr_spec=message.sender)
    mail["To"] = message.recipient
    if message.reply_to is not None:
        mail["Reply-To"] = message.reply_to
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.date)
    mail["Message-ID"] = _checked(message.message_id)
    if message.in_reply_to is not None:
        mail["In-Reply-To"] = mail["References"] = _checked(message.in_reply_to)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = NO_ANSWERS if message.reply_to is None else NO_IDLE_ANSWERS
    if message.urgent:
        mail["Importance"] = "high"
    if message.sensitivity is not None:
        mail["Sensitivity"] = message.sensitivity
    mail.set_content(f"{REPEAT}\n\n{message.text}" if message.maybe_repeat else message.text, cte="quoted-printable")
    if message.html is not None:
        html = _with_notice(message.html) if message.maybe_repeat else message.html
        mail.add_alternative(html, subtype="html", cte="quoted-printable")
        mail.set_boundary("=_" + sha256(message.message_id.encode()).hexdigest()[:32])
    return _unfolded(mail.as_bytes())


def _unfolded(data: bytes) -> bytes:
    """Without the fold that Python puts before a header's first word: some mail programs show such a subject as empty."""
    headers, blank, body = data.partition(b"\r\n\r\n")
    return _EMPTY_FIRST_LINE.sub(rb"\1 ", headers) + blank + body


def _checked(message_id: str) -> str:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("not a Message-ID")
    return message_id


def _with_notice(html: str) -> str:
    notice = f'<p style="margin:0;padding:8px 20px;background-color:#ffffff;color:#1a1a1a;font-weight:bold">{REPEAT}</p>'
    opening = _BODY_TAG.search(html)
    return html[: opening.end()] + notice + html[opening.end() :] if opening else notice + html
