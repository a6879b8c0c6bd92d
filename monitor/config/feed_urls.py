"""Addresses of other servers that bring facts: encrypted, whole, and without a secret in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.config.addresses import is_loopback
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc

_EXPECTED = "the server's whole address is expected, such as https://fhir.hospital.example/r4"


def check_url(document: Document, here: Loc) -> Iterator[Problem]:
    """That ``url`` of the feed at ``here`` is one, without user, query or fragment, and https unless ``insecure`` is true."""
    place = (*here, "url")
    written = document.get(place, str)
    if written is None:
        return
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        yield document.at(place, "bad-url", _EXPECTED)
        return
    plain = written.isascii() and written.isprintable() and not re.search(r"[\s\\\"'<>]", written)
    if "@" in parts.netloc:
        yield document.at(place, "secret-in-file", "a name or password does not belong into the address: see the feed's secret")
    elif not plain or not host or parts.scheme not in {"http", "https"}:
        near = (
            f"https://{written}" if plain and re.fullmatch(r"[A-Za-z0-9.-]+\.[A-Za-z]{2,}(:\d+)?(/[\w./-]*)?", written) else None
        )
        yield document.at(place, "bad-url", _EXPECTED, suggestion=near)
    elif parts.query or parts.fragment or written.endswith(("?", "#")):
        yield document.at(place, "bad-url", "the address ends before any '?' or '#'", suggestion=re.split(r"[?#]", written)[0])
    elif parts.scheme == "http" and not document.get((*here, "insecure"), bool):
        message = "records of patients would travel in clear: https:// is expected, or insecure: true beside it"
        near = None if is_loopback(host) else f"https://{written.removeprefix('http://')}"
        yield document.at(place, "insecure-url", message, suggestion=near)


def check_token_url(document: Document, here: Loc) -> Iterator[Problem]:
    """That the secret of ``oauth`` travels encrypted, or stays on this machine."""
    place = (*here, "oauth", "token_url")
    written = document.get(place, str)
    if written is None:
        return
    try:
        parts = urlsplit(written)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        message = "the token's secret travels to this address: a whole https:// address is expected"
        yield document.at(place, "insecure-url", message)
