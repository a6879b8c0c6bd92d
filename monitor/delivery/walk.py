"""The way to the relay step by step, for `test-mail`: which step fails, and what an administrator does about it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass

import aiosmtplib

from monitor.delivery.conversation import RelayAddress, StepName, client_for, steps_to_greet, steps_to_hand_over
from monitor.delivery.email import NEEDS_LOGIN, classify
from monitor.delivery.oauth import TokenError, Tokens

NAMES: dict[StepName, str] = {
    "connect": "connect",
    "hello": "EHLO",
    "starttls": "STARTTLS",
    "token": "token",
    "login": "AUTH",
    "sender": "MAIL",
    "recipient": "RCPT",
    "data": "DATA",
    "message": "DATA",
}

REMEDIES = {
    "resolve": "check mail.relay.host, and that this machine can resolve names",
    "connect": "check host and port, that the relay runs, and that no firewall is between",
    "banner": "something answers on this port that is not ready to take mail; check the port and the relay's log "
    "(465 speaks first only with tls: implicit)",
    "EHLO": "the relay refuses this machine; ask its administrator to let it in",
    "STARTTLS": "the relay offers no STARTTLS here: use its submission port (587), or tls: implicit (465); "
    "clear text only with insecure: true",
    "TLS": "the TLS handshake failed: tls: implicit belongs to 465, starttls to 25 and 587",
    "certificate": "the relay's certificate is not trusted: use the host name it was issued for, "
    "and add the hospital's CA to this machine",
    "token": "check mail.relay.oauth (token_url, client_id, scope) and the secret smtp_oauth_secret, and that this machine "
    "may reach the token endpoint",
    "AUTH": "check mail.relay.username and the secret smtp_password, and that the relay allows this kind of login",
    "MAIL": "the relay does not accept the sender; check mail.sender and answers.address (bounces go to a tag of it), "
    "or ask for it to be allowed",
    "RCPT": "the relay does not accept this recipient; check the address, and that this machine may relay to it",
    "DATA": "the relay refused the message itself; its words say why",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkedStep:
    """One step as it went. ``words`` of a failed step end with what to do."""

    name: str
    ok: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How this relay is logged in to, and under which settings."""

    password_found: bool
    by_token: bool
    fallback: bool

    def in_its_words(self, remedy: str) -> str:
        """A remedy with the names of the settings and secrets of this relay."""
        if not self.fallback:
            return remedy
        for name in ("smtp_password", "SMTP_PASSWORD", "smtp_oauth_secret"):
            remedy = remedy.replace(name, name + ("_FALLBACK" if name.isupper() else "_fallback"))
        return remedy.replace("mail.relay.", "mail.fallback_relay.")


async def walk(
    relay: RelayAddress,
    sender: str,
    recipient: str,
    data: bytes,
    *,
    password: str | None = None,
    tokens: Tokens | None = None,
    tls_context: ssl.SSLContext | None = None,
    deadline_seconds: float,
    fallback: bool = False,
) -> list[WalkedStep]:
    """Hands one mail over and tells every step; the last is the one that failed, or "accepted".

    ``fallback``: the second relay is walked to, and the remedies name its settings.
    """
    walked: list[WalkedStep] = []
    way = _Way(password_found=password is not None, by_token=tokens is not None, fallback=fallback)
    client = client_for(relay, tls_context)
    name = "resolve"
    try:
        async with asyncio.timeout(deadline_seconds):
            walked.append(await _resolve(relay))
            greeting = steps_to_greet(client, relay, password, tokens)
            for step in [*greeting, *steps_to_hand_over(client, sender, recipient, data)]:
                name = NAMES[step.name]
                reply = await step.run()
                if step.name != "data":  # half of a step: what follows it is told
                    walked.extend(_told(name, reply, client, relay))
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        walked.append(_failed(name, error, way))
        return walked
    finally:
        client.close()
        await asyncio.sleep(0)  # one more turn of the loop, in which the connection is really closed
    walked.append(WalkedStep(name="accepted", ok=True, words="the relay took the mail; whether it arrives shows in the mailbox"))
    return walked


async def _resolve(relay: RelayAddress) -> WalkedStep:
    found = await asyncio.get_running_loop().getaddrinfo(relay.host, relay.port, type=socket.SOCK_STREAM)
    addresses = sorted({str(entry[4][0]) for entry in found})
    return WalkedStep(name="resolve", ok=True, words=f"{relay.host} is {', '.join(addresses)}")


def _told(name: str, reply: object, client: aiosmtplib.SMTP, relay: RelayAddress) -> list[WalkedStep]:
    said = f"{reply.code} {_first_line(reply.message)}" if isinstance(reply, aiosmtplib.SMTPResponse) else "done"
    if name == "connect":
        steps = [WalkedStep(name="connect", ok=True, words=f"{relay.host} port {relay.port}")]
        if relay.tls == "implicit":
            steps.append(_certificate(client))
        return [*steps, WalkedStep(name="banner", ok=True, words=said)]
    if name == "STARTTLS":
        return [WalkedStep(name=name, ok=True, words=said), _certificate(client)]
    return [WalkedStep(name=name, ok=True, words=said)]


def _certificate(client: aiosmtplib.SMTP) -> WalkedStep:
    """The certificate that was verified, and until when it is good."""
    known = client.get_transport_info("peercert") or {}
    cipher = client.get_transport_info("cipher")
    version = cipher[1] if cipher else "TLS"
    return WalkedStep(name="certificate", ok=True, words=f"{version}, good until {known.get('notAfter', 'unknown')}")


def _failed(name: str, error: Exception, way: _Way) -> WalkedStep:
    step = "token" if isinstance(error, TokenError) else _where(name, error)
    said = "the name is not known" if step == "resolve" else classify(error, "connect").words
    code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) and error.code > 0 else None
    remedy = way.in_its_words(_particular(step, error, code, way) or REMEDIES[step])
    return WalkedStep(name=step, ok=False, words=f"{f'{code} ' if code else ''}{said} - {remedy}")


def _particular(step: str, error: Exception, code: int | None, way: _Way) -> str | None:
    """What to do where the error tells more than the step it happened at."""
    if step == "connect" and isinstance(error, aiosmtplib.SMTPResponseException):
        return "what answers there is no mail server; check mail.relay.host and port"
    if step == "AUTH" and code is None and "not supported" in str(error):  # the library's own words: it has no class for them
        if way.by_token:
            return "the relay offers no XOAUTH2 here: check host and port, or remove mail.relay.oauth"
        return "the relay offers no login here: use its submission port (587 or 465), or remove mail.relay.username"
    if step == "AUTH" and way.by_token:
        return "the token was given, the relay refuses it: mail.relay.username is the mailbox that the application may send as"
    if step == "AUTH" and not way.password_found:
        return (
            "no password was found: give it as the file smtp_password beside the configuration, or in BIPN_MONITOR_SMTP_PASSWORD"
        )
    if code in NEEDS_LOGIN and step in ("MAIL", "RCPT", "DATA"):
        return "the relay wants a login: set mail.relay.username, and give the password as smtp_password"
    if code is not None and 400 <= code < 500 and step in ("MAIL", "RCPT", "DATA"):
        return "the relay refuses for now; try again in some minutes, as the daemon would"
    if code is None and step == "DATA":
        return "the relay hung up before it said yes or no: the mail may have gone; see the relay's log"
    return None


def _where(name: str, error: BaseException) -> str:
    """The step an administrator would name: connecting is several things at once, and TLS hides in two of them."""
    cause = error.__cause__
    for each in (error, cause):
        if isinstance(each, ssl.SSLCertVerificationError):
            return "certificate"
        if isinstance(each, ssl.SSLError):
            return "TLS"
    spoken_to = isinstance(error, aiosmtplib.SMTPConnectResponseError) or isinstance(cause, aiosmtplib.SMTPException)
    return "banner" if name == "connect" and spoken_to else name


def _first_line(words: str) -> str:
    return words.splitlines()[0] if words else ""
