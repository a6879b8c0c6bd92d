"""One mail for one recipient as bytes. The same message makes the same bytes, today and after a crash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from monitor.delivery.language import Language, in_language
from monitor.said import say

SENDER_NAME = "Nurse alert"  # shown in every inbox: no drug, no diagnosis
NO_ANSWERS = "All"
NO_IDLE_ANSWERS = "DR, RN, NRN, AutoReply"
"""Where answers are read, an absence and a mail that did not arrive have to be told; "All" would suppress both in Exchange."""

REPEAT = say("You may already have received this message.")
LARGEST_MAIL = 100_000
"""Bytes; a mail that its picture makes larger goes without it (J: mail programs cut a page off at 102 kB)."""

PICTURE_NAME = "1.png"  # of a file: says nothing

_POLICY = SMTP.clone(max_line_length=78)
_BODY_TAG = re.compile(r"<body[^>]*>", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+>")
_EMPTY_FIRST_LINE = re.compile(rb"^([!-9;-~]+:)\r\n (?=\S)", re.MULTILINE)
_FIGURE = re.compile(r"<!--figure-->.*?<!--/figure-->\s*", re.DOTALL)
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]")


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG that the page shows by its Content-ID."""

    cid: str
    png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """All that a mail is made of. ``in_reply_to`` is the Message-ID of the alert's first mail to this recipient.

    ``html`` None makes a mail of the text alone. ``reply_to`` is where answers are read, None where nobody reads them.
    What the page says between ``<!--figure-->`` and ``<!--/figure-->`` goes where there is no ``picture``.
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
    language: Language | None = None  # None: not said
    picture: Picture | None = None


def mint_message_id(domain: str, token: str) -> str:
    """A Message-ID from a token that says nothing of a patient: it is hashed, so that it cannot."""
    return f"<{sha256(token.encode()).hexdigest()[:32]}@{_NOT_IN_ID.sub('', domain) or 'localhost'}>"


def figure_cid(figure: str, message_id: str) -> str:
    """The Content-ID of a figure, known by its hash, in one mail: another in every mail, since mail programs remember them."""
    token = sha256(f"{figure} {message_id}".encode()).hexdigest()[:32]
    return f"{token}@{message_id.strip('<>').rpartition('@')[2]}"


def build(message: OutgoingMessage) -> bytes:
    """The mail with CRLF line ends. Raises ValueError for a header that would be two, or an id that is none."""
    if message.html is None or message.picture is None or f'"cid:{message.picture.cid}"' not in message.html:
        return _built(message, None)
    mail = _built(message, message.picture)
    return mail if len(mail) <= LARGEST_MAIL else _built(message, None)


def _built(message: OutgoingMessage, picture: Picture | None) -> bytes:
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
    repeat = in_language(REPEAT, message.language or "en")
    mail.set_content(f"{repeat}\n\n{message.text}" if message.maybe_repeat else message.text, cte="quoted-printable")
    if message.html is not None:
        html = message.html if picture is not None else without_figure(message.html)
        html = _with_notice(html, repeat) if message.maybe_repeat else html
        mail.add_alternative(html, subtype="html", cte="quoted-printable")
        mail.set_boundary(_boundary("", message))
        if picture is not None:
            page = list(mail.iter_parts())[1]
            _show(page, picture)
            page.set_boundary(_boundary("page ", message))
    if message.language is not None:
        mail["Content-Language"] = message.language  # of the whole mail: what is said before its content is said of a part
    return _unfolded(mail.as_bytes())


def without_figure(html: str) -> str:
    """The page without the part that shows the picture."""
    return _FIGURE.sub("", html)


def _show(page: Message, picture: Picture) -> None:
    """Beside the page and belonging to it, so that mail programs show it in its place and not in a list of files."""
    if not isinstance(page, EmailMessage):
        raise TypeError("a page of a mail is a part of it")
    page.add_related(
        picture.png, "image", "png", cid=f"<{picture.cid}>", disposition="inline", filename=PICTURE_NAME, cte="base64"
    )


def _boundary(what: str, message: OutgoingMessage) -> str:
    return "=_" + sha256(f"{what}{message.message_id}".encode()).hexdigest()[:32]


def _unfolded(data: bytes) -> bytes:
    """Without the fold that Python puts before a header's first word: some mail programs show such a subject as empty."""
    headers, blank, body = data.partition(b"\r\n\r\n")
    return _EMPTY_FIRST_LINE.sub(rb"\1 ", headers) + blank + body


def _checked(message_id: str) -> str:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("not a Message-ID")
    return message_id


def _with_notice(html: str, repeat: str) -> str:
    notice = f'<p style="margin:0;padding:8px 20px;background-color:#ffffff;color:#1a1a1a;font-weight:bold">{repeat}</p>'
    opening = _BODY_TAG.search(html)
    return html[: opening.end()] + notice + html[opening.end() :] if opening else notice + html
