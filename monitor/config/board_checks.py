"""What a shape cannot say about the board: in clear through the network, believed by everybody, two people with one name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from monitor.config.addresses import is_loopback, is_name
from monitor.config.durations import parse_duration
from monitor.config.mailboxes import board_users, mailboxes
from monitor.config.people_checks import mailbox
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc

BOARD: Loc = ("board",)
PROXY: Loc = ("board", "proxy")
PACKAGES = ("anyio", "starlette", "uvicorn")
"""The extra ``web``."""

_RANGES = {
    "link_valid": (timedelta(minutes=10), timedelta(days=30), "10 min to 30 d"),  # (J)
    "session": (timedelta(minutes=5), timedelta(days=7), "5 min to 7 d"),  # (J)
}
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OF_BROWSERS = {"accept", "authorization", "cookie", "forwarded", "from", "host", "origin", "referer", "user-agent"}
"""Names that say something else already, most of them in every call of a browser."""


def check_board(document: Document) -> Iterator[Problem]:
    """All that is wrong with ``board`` and with the names for single sign-on, each at its line."""
    yield from _one_user_name_each(document)
    if document.get(BOARD, dict) is None:
        return
    yield from _address(document)
    yield from _listen(document)
    yield from _port(document)
    yield from _durations(document)
    yield from _networks(document)
    yield from _headers(document)
    yield from _users(document)


def extra_missing(document: Document) -> Iterator[Problem]:
    """That the packages which the board is built with are not installed."""
    if document.get(BOARD, dict) is not None and not all(_installed(package) for package in PACKAGES):
        yield document.at(BOARD, "extra-missing", "the board needs an extra: run pip install 'bipn-monitor[web]'", on_key=True)


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # the interpreter was told that there is none
        return False


def _address(document: Document) -> Iterator[Problem]:
    here = (*BOARD, "address")
    written = document.get(here, str)
    if written is None:
        return
    expected = "the address that browsers open is expected, such as https://alerts.hospital.example"
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        yield document.at(here, "bad-url", expected)
        return
    plain = written.isascii() and written.isprintable() and not re.search(r"[\s\\\"'<>]", written)
    if not plain or not host or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        near = f"https://{written}" if plain and re.fullmatch(r"[A-Za-z0-9.-]+\.[A-Za-z]{2,}(:\d+)?", written) else None
        yield document.at(here, "bad-url", expected, suggestion=near)
    elif parts.path not in {"", "/"} or parts.query or parts.fragment or written.endswith(("?", "#")):
        near = f"{parts.scheme if is_loopback(host) else 'https'}://{parts.netloc}"
        yield document.at(here, "bad-url", "the board has a host name of its own: no path, no '?', no '#'", suggestion=near)
    elif parts.scheme == "http" and not is_loopback(host):
        message = "signed links and what the board shows would travel through the network in clear: https:// is expected"
        yield document.at(here, "insecure-url", message, suggestion=f"https://{parts.netloc}")


def _listen(document: Document) -> Iterator[Problem]:
    here = (*BOARD, "listen")
    written = document.get(here, str)
    if written is None:
        return
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        near = "127.0.0.1" if written.lower() == "localhost" else None
        yield document.at(
            here, "bad-host", "an IP address of this machine is expected; the port has its own key", suggestion=near
        )
        return
    in_front = document.get(PROXY, dict) is not None or document.get((*BOARD, "insecure"), bool)
    if not address.is_loopback and not in_front:
        message = (
            "the board itself speaks no TLS, and other machines could call it in clear here: put a web server with TLS in front"
            " (board.proxy), or write insecure: true beside it for a closed network"
        )
        yield document.at(here, "insecure-board", message, suggestion="127.0.0.1")


def _port(document: Document) -> Iterator[Problem]:
    port = document.get((*BOARD, "port"), int)
    if port is not None and port == document.get(("metrics", "port"), int):
        yield document.at((*BOARD, "port"), "duplicate-port", "metrics.port is the same; only one of the two could answer")


def _durations(document: Document) -> Iterator[Problem]:
    for key, (least, most, words) in _RANGES.items():
        written = document.get((*BOARD, key), str)
        try:
            if written is not None and not least <= parse_duration(written) <= most:
                yield document.at((*BOARD, key), "out-of-range", f"{key} must be {words}")
        except PydanticCustomError:  # told where it stands
            continue


def _networks(document: Document) -> Iterator[Problem]:
    here = (*PROXY, "networks")
    written = document.get(here, list)
    if written == []:
        yield document.at(here, "nobody-home", "a proxy calls from somewhere, such as 127.0.0.1/32; name it, or delete proxy")
    for index in range(len(written or ())):
        network = document.get((*here, index), str)
        if network is not None:
            yield from _network(document, (*here, index), network)


def _network(document: Document, here: Loc, written: str) -> Iterator[Problem]:
    try:
        found = ipaddress.ip_network(written, strict=False)
    except ValueError:
        message = "a network is expected, such as 127.0.0.1/32 or 10.1.2.0/24"
        yield document.at(here, "bad-network", message)
        return
    if found.prefixlen == 0:
        message = "this is every machine there is, and each could say who it is; name the proxy's own address"
        yield document.at(here, "bad-network", message)
    elif "/" not in written or ipaddress.ip_interface(written).ip != found.network_address:
        message = "a network is written with its first address and its length; one machine is a network of its own"
        alone = ipaddress.ip_interface(written).ip  # and not the wider one: whoever is in it is believed
        yield document.at(here, "bad-network", message, suggestion=f"{alone}/{alone.max_prefixlen}")


def _headers(document: Document) -> Iterator[Problem]:
    names: dict[str, str] = {}
    for key, example in (("user_header", "X-Remote-User"), ("address_header", "X-Forwarded-For")):
        written = document.get((*PROXY, key), str)
        if written is None:
            continue
        if _HEADER.fullmatch(written) is None or written.lower() in _OF_BROWSERS:
            near = re.sub(r"[_ ]", "-", written)
            near = near if near != written and _HEADER.fullmatch(near) else example
            message = "the name of a header that only the proxy sets is expected"
            yield document.at((*PROXY, key), "bad-header", message, suggestion=near)
        names[key] = written.lower()
    if names.get("user_header") == names.get("address_header", "x-forwarded-for"):
        message = "one header cannot say both who calls and from where"
        yield document.at((*PROXY, "user_header"), "bad-header", message, suggestion="X-Remote-User")


def _users(document: Document) -> Iterator[Problem]:
    told = {(document.get((*loc, "address"), str) or "").lower() for loc in mailboxes(document)}
    seen: set[str] = set()
    for loc in board_users(document):
        yield from mailbox(document, loc)
        address = (document.get((*loc, "address"), str) or "").lower()
        if address and address in told:
            message = "this address gets alerts already, and signs in as who gets them; one address has one role"
            yield document.at((*loc, "address"), "duplicate-address", message)
        elif address and address in seen:
            yield document.at((*loc, "address"), "duplicate-address", "this board user is listed already")
        seen.add(address)


def _one_user_name_each(document: Document) -> Iterator[Problem]:
    """One name in the single sign-on is one mailbox, in whatever case it is written."""
    owners: dict[str, str] = {}
    for loc in _everybody(document):
        user, address = document.get((*loc, "user"), str), document.get((*loc, "address"), str)
        if not user or address is None:
            continue
        if not is_name(user) or user != user.strip():
            yield document.at((*loc, "user"), "bad-name", "the name in the single sign-on is expected, without blanks around it")
        elif owners.setdefault(user.casefold(), address.lower()) != address.lower():
            message = f"'{user}' is the user of another address already; who signs in by it could be either"
            yield document.at((*loc, "user"), "duplicate-user", message)


def _everybody(document: Document) -> Iterator[Loc]:
    yield from mailboxes(document)
    yield from board_users(document)
