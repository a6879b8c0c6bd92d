"""Tokens for XOAUTH2 by the client-credentials grant (RFC 6749 section 4.4), kept until shortly before they expire."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

import aiosmtplib

LARGEST_ANSWER = 65_536  # bytes
LONGEST_WORDS = 200
EXPIRES_EARLY_SECONDS = 60.0
LIFE_SECONDS = 300.0  # of a token whose endpoint does not say
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Where tokens come from, and with which secret. ``token_url`` is https, or http on loopback."""

    token_url: str
    client_id: str
    scope: str
    secret: str = field(repr=False)
    timeout_seconds: float = 20.0


class TokenError(aiosmtplib.SMTPException):
    """No token was to be had: a fault of the way to the relay. Its words hold no secret."""


@dataclass(frozen=True, slots=True)
class Token:
    """``cached``: it was not fetched just now, so the relay may know better than we do whether it is good."""

    text: str = field(repr=False)
    cached: bool


class Tokens:
    """The tokens of one grant. May be asked by several connections, and over several event loops, at once."""

    def __init__(self, grant: Grant, *, tls_context: ssl.SSLContext | None = None) -> None:
        self._grant = grant
        self._tls_context = tls_context
        self._text: str | None = None
        self._good_until = 0.0  # by the event loop's clock, which all loops of a process share
        self._asking = threading.Lock()

    async def get(self, *, instead_of: Token | None = None) -> Token:
        """A token that is good by what we know; never ``instead_of``, which the relay refused. Raises TokenError."""
        loop = asyncio.get_running_loop()
        refused = None if instead_of is None else instead_of.text
        return await _in_a_thread(lambda: self._get(loop.time, refused))

    def _get(self, time: Any, refused: str | None) -> Token:
        if not self._asking.acquire(timeout=self._grant.timeout_seconds):
            raise TokenError("the token endpoint is still at its last answer")
        try:  # one fetch for all who wait
            if self._text is not None and self._text != refused and time() < self._good_until:
                return Token(self._text, cached=True)
            self._text = None
            text, life_seconds = _fetch(self._grant, self._tls_context)
            self._text, self._good_until = text, time() + life_seconds - EXPIRES_EARLY_SECONDS
            return Token(text, cached=False)
        finally:
            self._asking.release()


async def _in_a_thread(act: Callable[[], Token]) -> Token:
    """As ``asyncio.to_thread``, but the end of the loop does not wait for it: an endpoint may take its time over each byte."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Token] = loop.create_future()

    def tell(token: Token | None, error: Exception | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is not None:
            answer.set_exception(error)
        elif token is not None:
            answer.set_result(token)

    def run() -> None:
        token: Token | None = None
        failure: Exception | None = None
        try:
            token = act()
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, token, failure)

    threading.Thread(target=run, name="token", daemon=True).start()
    return await answer


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The secret goes where the configuration says and nowhere else."""

    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:
        return None


def _fetch(grant: Grant, tls_context: ssl.SSLContext | None) -> tuple[str, float]:
    """A new token and its life in seconds. Raises TokenError."""
    place = urlsplit(grant.token_url)
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in LOOPBACK):
        raise TokenError("the token endpoint is not https: the secret stays here")
    form = {
        "grant_type": "client_credentials",
        "client_id": grant.client_id,
        "client_secret": grant.secret,
        "scope": grant.scope,
    }
    request = urllib.request.Request(grant.token_url, data=urlencode(form).encode(), headers={"Accept": "application/json"})  # noqa: S310  # its scheme is checked above
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=tls_context))
    try:
        with opener.open(request, timeout=grant.timeout_seconds) as answer:
            body = answer.read(LARGEST_ANSWER)
    except urllib.error.HTTPError as error:
        with error:
            raise TokenError(f"the token endpoint answered {error.code}{_said(_read(error))}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TokenError(f"the token endpoint cannot be asked: {_why(error)}") from None
    return _understood(body)


def _understood(body: bytes) -> tuple[str, float]:
    try:
        answer = json.loads(body)
        token, life = answer["access_token"], float(answer.get("expires_in", LIFE_SECONDS))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise TokenError("the token endpoint's answer holds no token") from None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token or not token:
        raise TokenError("the token endpoint's answer holds no token")
    return token, life


def _read(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(LARGEST_ANSWER)
    except (OSError, http.client.HTTPException):
        return b""


def _said(body: bytes) -> str:
    """What the endpoint says is wrong, for the log: RFC 6749 section 5.2."""
    try:
        answer = json.loads(body)
        words = [str(answer[key]) for key in ("error", "error_description") if answer.get(key)]
    except (ValueError, TypeError, AttributeError):
        return ""
    return f": {' - '.join(words)[:LONGEST_WORDS]}" if words else ""


def _why(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return "no answer in time" if isinstance(reason, TimeoutError) else str(reason)[:LONGEST_WORDS] or type(error).__name__
