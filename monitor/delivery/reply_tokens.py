"""What an answer by mail is known by: a signed token in its subject, or, for a bounce, in the address it comes back to.

A token names one message to one recipient by the message's random ``reply_key``. Who has it can acknowledge what that
mail told of, and nothing else. ``keys`` are the secrets that sign, the oldest first; the newest signs, each is believed.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

from itsdangerous import BadSignature, Signer
from itsdangerous.signer import HMACAlgorithm

VALID_FOR = timedelta(days=60)  # (J): longer than any escalation lasts, shorter than a mailbox keeps mail

SALT = b"acknowledge by mail, version 1"
SIGNATURE_BYTES = 16
BOUNCE_BYTES = 8  # all that fits an address; a forged bounce only wakes the next step's people
LONGEST_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1

_TOKEN = re.compile(r"\[([A-Za-z0-9_-]{22}\.[0-9]{1,6}\.[A-Za-z0-9_-]{22})\]")
_NAME = re.compile(r"\bA-([1-9][0-9]{0,17})\b", re.IGNORECASE)
_BOUNCE = re.compile(r"\+b-([0-9]{1,19}-[0-9a-f]{16})@", re.IGNORECASE)


class ShortHmac(HMACAlgorithm):
    """HMAC-SHA256, its first 128 bits: a subject, or a link, is to fit one line."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:SIGNATURE_BYTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class AckMail:
    """The mail that acknowledges: where to, under which subject, and both as one ``mailto:`` address."""

    address: str
    subject: str
    mailto: str


def reply_key() -> str:
    """A new random name of a message, 22 characters."""
    return secrets.token_urlsafe(16)


def acknowledge_token(key: str, keys: Sequence[str], now: datetime) -> str:
    """The token of the message whose reply key is ``key``, valid for 60 days from ``now``."""
    return _signer(keys).sign(f"{key}.{_day(now)}").decode()


def read_acknowledge_token(token: str, keys: Sequence[str], now: datetime) -> str | None:
    """The reply key of a token; None for one that is forged, or older than 60 days."""
    try:
        signed = _signer(keys).unsign(token).decode()
    except (BadSignature, UnicodeError):
        return None
    key, _, day = signed.rpartition(".")
    return key if 0 <= _day(now) - int(day) <= VALID_FOR.days else None


def ack_mail(address: str, alert_names: Sequence[str], token: str) -> AckMail:
    """The mail a nurse has only to send. Its subject holds nothing of a patient; its body is empty, for a note."""
    subject = f"Seen {', '.join(alert_names)} [{token}]"
    return AckMail(
        address=address, subject=subject, mailto=f"mailto:{quote(address, safe='@')}?subject={quote(subject, safe='')}"
    )


def token_in(subject: str) -> str | None:
    """What looks like a token in a subject, unread: prefixes such as "Re:" and what gateways add do not matter."""
    found = _TOKEN.search("".join(subject.split()))  # a mail program may have broken it over lines
    return found[1] if found else None


def alerts_in(subject: str) -> tuple[int, ...]:
    """The numbers of the alerts that a subject names: a nurse may take one off it."""
    outside = _TOKEN.sub(" ", subject)
    return tuple(dict.fromkeys(int(number) for number in _NAME.findall(outside)))


def bounce_address(address: str, number: int, keys: Sequence[str]) -> str:
    """The envelope sender of message ``number``: what cannot be delivered comes back to it and names the message.

    ``address`` itself where its local part is too long to carry a tag; the bounce is then known by what it quotes.
    """
    local, _, domain = address.rpartition("@")
    tagged = f"{local}+b-{number}-{_bounce_signature(number, keys[-1])}"
    return f"{tagged}@{domain}" if len(tagged) <= LONGEST_LOCAL_PART else address


def bounce_token_in(address: str) -> str | None:
    """What looks like the tag of a bounce in an address, unread."""
    found = _BOUNCE.search(address)
    return found[1].lower() if found else None


def read_bounce_token(token: str, keys: Sequence[str]) -> int | None:
    """The number of the message; None for a forged tag."""
    number, _, signature = token.partition("-")
    if not number.isdecimal() or not signature.isascii():
        return None
    known = any(hmac.compare_digest(signature, _bounce_signature(int(number), key)) for key in keys)
    return int(number) if known else None


def _signer(keys: Sequence[str]) -> Signer:
    return Signer(list(keys), salt=SALT, key_derivation="hmac", digest_method=sha256, algorithm=ShortHmac(sha256))


def _day(at: datetime) -> int:
    """Days since 1 January 1970, in UTC."""
    return (at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def _bounce_signature(number: int, key: str) -> str:
    return hmac.digest(key.encode(), f"bounce {number}".encode(), "sha256")[:BOUNCE_BYTES].hex()
