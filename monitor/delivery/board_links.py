"""The link of a mail that signs its recipient in on the board: it names one message by its random ``reply_key``, signed.

Whoever has the link is taken for that message's recipient, so long as it is valid; how long that is the reader decides from
when the message was made. ``keys`` are the secrets that sign, the oldest first; the newest signs, each is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from itsdangerous import BadSignature, Signer

from monitor.delivery.reply_tokens import ShortHmac

SALT = b"link to the board, version 1"
PATH = "/in/"


def board_link(address: str, key: str, keys: Sequence[str]) -> str:
    """The link of the message whose reply key is ``key``, on the board at ``address``."""
    return f"{address}{PATH}{link_token(key, keys)}"


def link_token(key: str, keys: Sequence[str]) -> str:
    """What stands in the link: letters, digits, ``-``, ``_`` and a dot."""
    return _signer(keys).sign(key).decode()


def read_link_token(token: str, keys: Sequence[str]) -> str | None:
    """The reply key of a token; None for one that none of the keys has signed."""
    if not keys:
        return None
    try:
        return _signer(keys).unsign(token).decode()
    except (BadSignature, UnicodeError):
        return None


def _signer(keys: Sequence[str]) -> Signer:
    return Signer(list(keys), salt=SALT, key_derivation="hmac", digest_method=sha256, algorithm=ShortHmac(sha256))
