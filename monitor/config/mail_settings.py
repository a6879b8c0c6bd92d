"""How mails leave and how answers come back, as the program works with it. Paths are absolute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from monitor.config.mail_file import AnswersFile, ImapFile, MailFile, OAuthFile, RelayFile


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """XOAUTH2 with a token by client credentials, for the relay's ``username``. The secret is ``smtp_oauth_secret``."""

    token_url: str
    client_id: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The mail server. ``insecure`` is a plain connection; otherwise TLS is required and verified, ``tls`` says which."""

    host: str
    port: int
    insecure: bool
    tls: Literal["starttls", "implicit"]
    username: str | None
    timeout: timedelta
    oauth: OAuth | None = None
    connections: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Smime:
    """Every mail is signed; with ``encrypt`` those to recipients with a certificate are encrypted. The key is ``smime_key``."""

    certificate: Path
    encrypt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How mails leave. ``staff_domains`` in lower case; where there are any, every address is in one of them."""

    sender: str
    relay: Relay
    fallback_relay: Relay | None = None
    smime: Smime | None = None
    staff_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imap:
    """A mailbox on a server. ``insecure`` as with a relay. The password is ``imap_password``."""

    host: str
    username: str
    port: int = 993
    tls: Literal["implicit", "starttls"] = "implicit"
    insecure: bool = False
    mailbox: str = "INBOX"
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The mailbox of ``address``, to which nurses answer: exactly one of ``maildir`` and ``imap`` is set."""

    address: str
    maildir: Path | None = None
    imap: Imap | None = None


def mail(written: MailFile, folder: Path) -> Mail:
    """``folder`` is the one of the configuration."""
    smime = written.smime
    return Mail(
        sender=written.sender,
        relay=_relay(written.relay),
        fallback_relay=_relay(written.fallback_relay) if written.fallback_relay else None,
        smime=Smime(certificate=(folder / smime.certificate).resolve(), encrypt=smime.encrypt) if smime else None,
        staff_domains=tuple(domain.lower() for domain in written.staff_domains),
    )


def answers(written: AnswersFile, folder: Path) -> Answers:
    """``folder`` is the one of the configuration."""
    return Answers(
        address=written.address,
        maildir=(folder / written.maildir).resolve() if written.maildir else None,
        imap=_imap(written.imap) if written.imap else None,
    )


def _relay(written: RelayFile) -> Relay:
    return Relay(
        host=written.host,
        port=written.port,
        insecure=written.insecure,
        tls=written.tls or "starttls",
        username=written.username,
        timeout=written.timeout,
        oauth=_oauth(written.oauth) if written.oauth else None,
        connections=written.connections,
    )


def _oauth(written: OAuthFile) -> OAuth:
    return OAuth(token_url=written.token_url, client_id=written.client_id, scope=written.scope)


def _imap(written: ImapFile) -> Imap:
    return Imap(
        host=written.host,
        username=written.username,
        port=written.port,
        tls=written.tls or "implicit",
        insecure=written.insecure,
        mailbox=written.mailbox,
        timeout=written.timeout,
    )
