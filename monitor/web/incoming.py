"""Reading a request with distrust: what is not written as a browser writes it is refused before anybody looks who asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import anyio
from starlette.requests import ClientDisconnect, Request

from monitor.config.settings import Board
from monitor.said import say
from monitor.web.asked import ProblemError

MOST_BYTES = 64 * 1024  # of a form (J)
MOST_FIELDS = 50  # (J)
BODY_WITHIN_SECONDS = 10.0  # (J)
METHODS = ("GET", "HEAD", "POST")
FORM = "application/x-www-form-urlencoded"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

_PATH = re.compile(rb"(?:/[A-Za-z0-9._~-]+)+|/", re.ASCII)  # nothing encoded, no empty part: no address of ours has such


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What was asked, as text: the path, the address's fields and the form's."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)


async def read_incoming(request: Request, board: Board) -> Incoming:
    """Raises ProblemError for whatever is not as it should be: 400, 404, 405, 408, 411, 413, 415, 421."""
    if not _is_ours(request, board):
        raise ProblemError(421, say("This is not the address of this board."))
    if request.method not in METHODS:
        raise ProblemError(405, say("This address is not used in this way."), headers={"Allow": ", ".join(METHODS)})
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    if not _PATH.fullmatch(raw_path) or any(set(part) == {ord(".")} for part in raw_path.split(b"/")):
        raise ProblemError(404, say("There is no such page, or it is not one of yours."))
    query = _fields(request.scope["query_string"])
    form = await _form(request) if request.method == "POST" else {}
    return Incoming(method=request.method, path=raw_path.decode("ascii"), query=query, form=form)


def _is_ours(request: Request, board: Board) -> bool:
    named = request.headers.getlist("host")
    own = urlsplit(board.address).netloc.lower()
    return len(named) == 1 and named[0].lower() in {own, *(f"{each}:{board.port}" for each in LOOPBACK)}


async def _form(request: Request) -> Mapping[str, str]:
    body = await _body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != FORM:
        raise ProblemError(415, say("The form was not understood."))
    return _fields(body)


async def _body(request: Request) -> bytes:
    """All of it, so long as it is short and comes at once."""
    announced = request.headers.get("content-length", "0")
    if len(announced) > 9 or not (announced.isascii() and announced.isdecimal()) or int(announced) > MOST_BYTES:
        raise ProblemError(413, say("That was too long."))
    body = bytearray()
    try:
        with anyio.fail_after(BODY_WITHIN_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise ProblemError(413, say("That was too long."))
    except (TimeoutError, ClientDisconnect):
        raise ProblemError(408, say("The form did not arrive.")) from None
    return bytes(body)


def _fields(raw: bytes) -> Mapping[str, str]:
    """Fields by name, each once, in UTF-8. Raises ProblemError 400 for anything else."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:  # UnicodeDecodeError is one
        raise ProblemError(400, say("The form was not understood.")) from None
    found = dict(pairs)
    if len(found) != len(pairs) or any("\x00" in text for pair in pairs for text in pair):
        raise ProblemError(400, say("The form was not understood."))
    return found
