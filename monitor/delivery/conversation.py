"""One SMTP conversation as a list of steps, so that whoever runs it knows at which step it ended."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

_PLAIN_ADDRESS = re.compile(r"[^\s\x00-\x1f<>\x7f-\U0010ffff]+@[^\s\x00-\x1f<>\x7f-\U0010ffff]+")

StepName = Literal["connect", "hello", "starttls", "login", "sender", "recipient", "message"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayAddress:
    """Where mail is handed over. ``tls="none"`` sends in clear text: only what the clinic asked for by name."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str | None = None
    timeout_seconds: float = 30.0  # of one network operation; a deadline bounds the whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. ``run`` raises what aiosmtplib raises and answers with the relay's words."""

    name: StepName
    run: Callable[[], Awaitable[object]]


def client_for(relay: RelayAddress, tls_context: ssl.SSLContext | None) -> aiosmtplib.SMTP:
    """A client that never falls back to clear text. ``tls_context`` None is the system's, certificate verified."""
    return aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        timeout=relay.timeout_seconds,
        use_tls=relay.tls == "implicit",
        start_tls=False,  # steps_to_greet does it as a step of its own; None would fall back to clear text
        tls_context=tls_context if relay.tls != "none" else None,
        local_hostname=own_name(),
    )


def own_name() -> str:
    """What we call ourselves in EHLO: the full host name, or an address literal. Asks no name server, which may hang."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() and not re.search(r"[\s\x00-\x20]", name) else "[127.0.0.1]"


def steps_to_greet(client: aiosmtplib.SMTP, relay: RelayAddress, password: str | None) -> list[Step]:
    """From nothing to a connection that takes mail."""
    steps = [Step(name="connect", run=client.connect), Step(name="hello", run=client.ehlo)]
    if relay.tls == "starttls":
        steps.append(Step(name="starttls", run=client.starttls))
    username = relay.username
    if username is not None:
        steps.append(Step(name="login", run=lambda: client.login(username, password or "")))
    return steps


def steps_to_hand_over(client: aiosmtplib.SMTP, sender: str, recipient: str, data: bytes) -> list[Step]:
    """One message for one recipient. Until "message" begins, the relay has nothing of it."""

    async def mail() -> object:
        if not client.last_ehlo_response:
            await client.ehlo()  # TLS made what was said before it void: RFC 3207 section 4.2
        _refuse_unless_plain(sender)
        size = [f"SIZE={len(data)}"] if client.supports_extension("size") else []
        return await client.mail(sender, options=size)

    async def rcpt() -> object:
        _refuse_unless_plain(recipient)
        return await client.rcpt(recipient)

    return [
        Step(name="sender", run=mail),
        Step(name="recipient", run=rcpt),
        Step(name="message", run=lambda: client.data(data)),
    ]


def _refuse_unless_plain(address: str) -> None:
    """ValueError for an address that would reach another mailbox than it reads: the client library takes its first part."""
    if not _PLAIN_ADDRESS.fullmatch(address):
        raise ValueError("an address that SMTP cannot carry")
