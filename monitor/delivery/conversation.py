"""One SMTP conversation as a list of steps, so that whoever runs it knows at which step it ended."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

from monitor.crash_points import reached
from monitor.delivery.oauth import Token, Tokens

_PLAIN_ADDRESS = re.compile(r"[^\s\x00-\x1f<>\x7f-\U0010ffff]+@[^\s\x00-\x1f<>\x7f-\U0010ffff]+")

StepName = Literal["connect", "hello", "starttls", "token", "login", "sender", "recipient", "data", "message"]

GO_ON = 354  # RFC 5321 section 4.1.1.4: the relay waits for the message itself
_LINE_END = re.compile(rb"\r\n|\r|\n")


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


def steps_to_greet(
    client: aiosmtplib.SMTP, relay: RelayAddress, password: str | None, tokens: Tokens | None = None
) -> list[Step]:
    """From nothing to a connection that takes mail. With ``tokens`` the login is XOAUTH2, else by password."""
    steps = [Step(name="connect", run=client.connect), Step(name="hello", run=client.ehlo)]
    if relay.tls == "starttls":
        steps.append(Step(name="starttls", run=client.starttls))
    username = relay.username
    if username is not None and tokens is not None:
        steps += _steps_to_log_in_by_token(client, username, tokens)
    elif username is not None:
        steps.append(Step(name="login", run=lambda: client.login(username, password or "")))
    return steps


def _steps_to_log_in_by_token(client: aiosmtplib.SMTP, username: str, tokens: Tokens) -> list[Step]:
    got: list[Token] = []

    async def token() -> object:
        got.append(await tokens.get())
        return None

    async def login() -> object:
        await _greet_again(client)
        if "xoauth2" not in client.server_auth_methods:
            raise aiosmtplib.SMTPException("XOAUTH2 is not supported by this server.")
        try:
            return await client.auth_xoauth2(username, got[-1].text)
        except aiosmtplib.SMTPAuthenticationError:
            if not got[-1].cached:
                raise
            got.append(await tokens.get(instead_of=got[-1]))  # it may have been withdrawn before its time
            return await client.auth_xoauth2(username, got[-1].text)

    return [Step(name="token", run=token), Step(name="login", run=login)]


def steps_to_hand_over(client: aiosmtplib.SMTP, sender: str, recipient: str, data: bytes) -> list[Step]:
    """One message for one recipient. Until "message" begins, the relay has nothing of it."""

    async def mail() -> object:
        await _greet_again(client)
        _refuse_unless_plain(sender)
        size = [f"SIZE={len(data)}"] if client.supports_extension("size") else []
        reply = await client.mail(sender, options=size)
        reached("after MAIL")
        return reply

    async def rcpt() -> object:
        _refuse_unless_plain(recipient)
        reply = await client.rcpt(recipient)
        reached("after RCPT")
        return reply

    async def begin() -> object:
        reply = await client.execute_command(b"DATA")
        if reply.code != GO_ON:
            raise aiosmtplib.SMTPDataError(reply.code, reply.message)
        _refuse_if_said_twice(client)
        reached("after DATA")
        return reply

    async def message() -> object:
        reply = await _body(client, data)
        reached("after 250")
        return reply

    return [
        Step(name="sender", run=mail),
        Step(name="recipient", run=rcpt),
        Step(name="data", run=begin),
        Step(name="message", run=message),
    ]


async def _greet_again(client: aiosmtplib.SMTP) -> None:
    """TLS made what was said before it void: RFC 3207 section 4.2."""
    if not client.last_ehlo_response:
        await client.ehlo()


async def _body(client: aiosmtplib.SMTP, data: bytes) -> aiosmtplib.SMTPResponse:
    """What ``client.data`` does after the 354, by the public calls of its protocol: it does both in one, and what happens
    between them decides whether the relay may have the message."""
    if client.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    lines = _LINE_END.sub(b"\r\n", data)
    lines = lines if lines.endswith(b"\r\n") else lines + b"\r\n"
    stuffed = (b"\r\n" + lines).replace(b"\r\n.", b"\r\n..")[2:]  # RFC 5321 section 4.5.2
    try:
        client.protocol.write(stuffed + b".\r\n")
        reply = await client.protocol.read_response(timeout=client.timeout)
    except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError):
        client.close()
        raise
    if reply.code != 250:
        raise aiosmtplib.SMTPDataError(reply.code, reply.message)
    return reply


def _refuse_if_said_twice(client: aiosmtplib.SMTP) -> None:
    """SMTPException where the relay said more than was asked: it would be taken for its answer to the message."""
    if getattr(client.protocol, "_buffer", b""):  # the library has no public name for what it has read and not used
        raise aiosmtplib.SMTPException("the relay answered more than it was asked")


def _refuse_unless_plain(address: str) -> None:
    """ValueError for an address that would reach another mailbox than it reads: the client library takes its first part."""
    if not _PLAIN_ADDRESS.fullmatch(address):
        raise ValueError("an address that SMTP cannot carry")
