"""What a shape cannot say about how mails leave and answers come back: connections in clear, half a login, one relay twice."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.config.addresses import is_address, is_host, is_loopback
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc

RELAY: Loc = ("mail", "relay")
FALLBACK: Loc = ("mail", "fallback_relay")
IMAP: Loc = ("answers", "imap")


def check_mail(document: Document) -> Iterator[Problem]:
    """All that is wrong with ``mail`` and ``answers``, each at its line."""
    for relay in (RELAY, FALLBACK):
        yield from _server(document, relay)
        yield from _oauth(document, relay)
    yield from _one_relay_twice(document)
    yield from _smime(document)
    yield from _answers(document)


def _server(document: Document, here: Loc) -> Iterator[Problem]:
    host = document.get((*here, "host"), str) or ""
    insecure = document.get((*here, "insecure"), bool)
    if not is_host(host):
        yield document.at((*here, "host"), "bad-host", "a host name or address is expected; the port has its own key, port")
    if insecure and document.get((*here, "tls"), str):
        message = "insecure: true means no encryption, and tls asks for it; keep one of the two"
        yield document.at((*here, "tls"), "insecure-relay", message, on_key=True)
    if insecure and document.get((*here, "username"), str) and not is_loopback(host):
        message = "signing in with insecure: true would send the password through the network in clear; remove insecure"
        yield document.at((*here, "username"), "insecure-relay", message, on_key=True)


def _oauth(document: Document, relay: Loc) -> Iterator[Problem]:
    here = (*relay, "oauth")
    if document.get(here, dict) is None:
        return
    above = document.get(relay, dict) or {}
    if "username" not in above:
        message = "a token signs somebody in: 'username', the mailbox that sends, is required beside oauth"
        yield document.at(here, "missing-key", message, on_key=True)
    if not _fetched_safely(document.get((*here, "token_url"), str)):
        message = "the token's secret travels to this address: a whole https:// address is expected"
        yield document.at((*here, "token_url"), "insecure-url", message)


def _fetched_safely(url: str | None) -> bool:
    """Whether the address is encrypted, or on this machine. One that is missing is told where it should be."""
    if url is None:
        return True
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def _one_relay_twice(document: Document) -> Iterator[Problem]:
    hosts = [(document.get((*relay, "host"), str) or "").lower() for relay in (RELAY, FALLBACK)]
    ports = [document.get((*relay, "port"), int) or 587 for relay in (RELAY, FALLBACK)]
    if hosts[0] and hosts[0] == hosts[1] and ports[0] == ports[1]:
        message = "this is the relay itself; what fails there would fail here as well"
        yield document.at((*FALLBACK, "host"), "duplicate-relay", message)


def _smime(document: Document) -> Iterator[Problem]:
    yield from certificate_missing(document, ("mail", "smime", "certificate"))


def certificate_missing(document: Document, loc: Loc) -> Iterator[Problem]:
    """Nothing where no certificate is named."""
    written = document.get(loc, str)
    file = document.path.resolve().parent / written if written else None
    if file is not None and ("\0" in str(file) or not file.is_file()):
        yield document.at(loc, "file-missing", f"there is no file {file}")


def _answers(document: Document) -> Iterator[Problem]:
    answers = document.get(("answers",), dict)
    if answers is None:
        return
    address = document.get(("answers", "address"), str)
    if address is not None and not is_address(address):
        yield document.at(
            ("answers", "address"), "bad-address", "the mailbox's plain address is expected, such as answers@hospital.example"
        )
    if "maildir" not in answers and "imap" not in answers:
        message = "where the answers are read is missing: 'maildir' (a folder) or 'imap' (a mail server)"
        yield document.at(("answers",), "missing-key", message, on_key=True)
    if "maildir" in answers and "imap" in answers:
        message = "the answers are in one place, 'maildir' or 'imap'; keep one of the two"
        yield document.at(("answers", "imap"), "wrong-value", message, on_key=True)
    yield from _maildir(document)
    yield from _imap(document)


def _maildir(document: Document) -> Iterator[Problem]:
    # A folder that is not there yet is no mistake: mail systems make it with the first mail.
    written = document.get(("answers", "maildir"), str) or ""
    folder = document.path.resolve().parent / written
    if "\0" in written or (folder.exists() and not folder.is_dir()):
        yield document.at(("answers", "maildir"), "file-missing", "this is not a folder; a maildir is one")


def _imap(document: Document) -> Iterator[Problem]:
    host = document.get((*IMAP, "host"), str) or ""
    insecure = document.get((*IMAP, "insecure"), bool)
    if not is_host(host):
        yield document.at((*IMAP, "host"), "bad-host", "a host name or address is expected; the port has its own key, port")
    if insecure and document.get((*IMAP, "tls"), str):
        message = "insecure: true means no encryption, and tls asks for it; keep one of the two"
        yield document.at((*IMAP, "tls"), "insecure-imap", message, on_key=True)
    if insecure and host and not is_loopback(host):
        message = "insecure: true would send the password through the network in clear; it is for a server on this machine"
        yield document.at((*IMAP, "insecure"), "insecure-imap", message, on_key=True)
