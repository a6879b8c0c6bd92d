"""The cookie of somebody who is signed in: a mail address and an instant, signed. What it is worth the configuration says.

``keys`` are the installation's secrets for it, the oldest first: the newest signs, each is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer
from starlette.responses import Response

from monitor.config.settings import Board

SALT = "session of the board, version 1"
LONGEST = 1000  # characters; more is no cookie of ours


def cookie_name(board: Board) -> str:
    """With TLS a name that browsers accept from this host alone, and for all of it."""
    return "__Host-bipn-session" if _is_https(board) else "bipn-session"


def written(address: str, keys: Sequence[str], now: datetime) -> str:
    """The cookie's value for somebody who signs in now."""
    return str(_serializer(keys).dumps([address, int(now.astimezone(UTC).timestamp())]))


def read(value: str, keys: Sequence[str], now: datetime, *, valid: timedelta) -> str | None:
    """The mail address of whoever signed in; None for what is forged, of another installation, from later or too old."""
    if not keys or len(value) > LONGEST:
        return None
    try:
        address, since = _serializer(keys).loads(value)
    except (BadData, ValueError, TypeError):
        return None
    age = now.timestamp() - since
    return address if isinstance(address, str) and -1 <= age < valid.total_seconds() else None


def put(response: Response, board: Board, value: str) -> None:
    """Let the browser keep the cookie until the session ends."""
    response.set_cookie(
        cookie_name(board),
        value,
        max_age=int(board.session.total_seconds()),
        path="/",
        secure=_is_https(board),
        httponly=True,
        samesite="lax",
    )


def take_away(response: Response, board: Board) -> None:
    """Let the browser forget it."""
    response.delete_cookie(cookie_name(board), path="/", secure=_is_https(board), httponly=True, samesite="lax")


def _is_https(board: Board) -> bool:
    return board.address.startswith("https:")


def _serializer(keys: Sequence[str]) -> URLSafeSerializer:
    return URLSafeSerializer(list(keys), salt=SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256})
