"""How mails leave and how answers come back, as ``monitor.yaml`` writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.durations import Duration

_TLS = "How the connection is encrypted; the certificate is always verified."


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthFile:
    """Signing in with a token (XOAUTH2, client credentials) in place of a password."""

    token_url: Annotated[str, Field(description="Where the token is fetched, https://... .")]
    client_id: Annotated[str, Field(description="The application's identifier. Its secret is never in this file.", min_length=1)]
    scope: Annotated[str, Field(description="What the token is for, as the mail server's maker says.", min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayFile:
    """The mail server that takes the mails."""

    host: Annotated[str, Field(description="Name or address of the mail server.", min_length=1)]
    port: Annotated[
        int, Field(description="587 for STARTTLS, 465 for TLS from the start, 25 inside a hospital.", ge=1, le=65535)
    ] = 587
    tls: Annotated[Literal["starttls", "implicit"] | None, Field(description=f"{_TLS} Default: starttls.")] = None
    insecure: Annotated[bool, Field(description="true: no encryption at all. For a relay on the same machine.")] = False
    username: Annotated[str | None, Field(description="Who signs in. The password is never in this file.", min_length=1)] = None
    timeout: Annotated[Duration, Field(description="How long one step of the conversation may take.")] = timedelta(seconds=30)
    oauth: Annotated[OAuthFile | None, Field(description="Sign in with a token in place of a password (XOAUTH2).")] = None
    connections: Annotated[int, Field(description="How many mails may be on their way at the same time.", ge=1, le=50)] = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SmimeFile:
    """Signs every mail; the private key is the secret smime_key, never in this file."""

    certificate: Annotated[str, Field(description="Path of the sender's certificate, PEM.", min_length=1)]
    encrypt: Annotated[
        bool, Field(description="true: mails to recipients with a `certificate` of their own are encrypted for them.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFile:
    """How mails leave."""

    sender: Annotated[str, Field(description="Address the mails come from, such as alerts@hospital.example.")]
    relay: Annotated[RelayFile, Field(description="The mail server that takes the mails.")]
    fallback_relay: Annotated[
        RelayFile | None, Field(description="A second mail server, for as long as the first takes no mail.")
    ] = None
    smime: Annotated[SmimeFile | None, Field(description="Signing, and encryption for those who have a certificate.")] = None
    staff_domains: Annotated[
        tuple[str, ...],
        Field(
            description="The domains of staff mailboxes. Where given, no mail goes to any other: a patient portal is no channel."
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapFile:
    """The mailbox where answers arrive, on a mail server. The password is the secret imap_password."""

    host: Annotated[str, Field(description="Name or address of the mail server.", min_length=1)]
    username: Annotated[str, Field(description="Who signs in. The password is never in this file.", min_length=1)]
    port: Annotated[int, Field(description="993 for TLS from the start, 143 for STARTTLS.", ge=1, le=65535)] = 993
    tls: Annotated[Literal["implicit", "starttls"] | None, Field(description=f"{_TLS} Default: implicit.")] = None
    insecure: Annotated[bool, Field(description="true: no encryption at all. Only for a server on the same machine.")] = False
    mailbox: Annotated[str, Field(description="The folder to read.", min_length=1)] = "INBOX"
    timeout: Annotated[Duration, Field(description="How long one step of the conversation may take.")] = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersFile:
    """Acknowledging by answering a mail; the mailbox is a folder (maildir) or on a server (imap), one of both."""

    address: Annotated[str, Field(description="The mailbox's address; answers and bounces go there.")]
    maildir: Annotated[str | None, Field(description="Path of the mailbox as a maildir.", min_length=1)] = None
    imap: Annotated[ImapFile | None, Field(description="The mailbox on a mail server.")] = None
