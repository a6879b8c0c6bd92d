"""Hands one mail to the relay and says what became of it.

Exactly once does not exist: when the connection is lost after the message was sent and before the relay's 250 came,
the outcome is ``indeterminate`` and the message has to go again, marked. Everything else is certain.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

import aiosmtplib

from monitor.delivery.conversation import RelayAddress, Step, StepName, client_for, steps_to_greet, steps_to_hand_over
from monitor.delivery.oauth import TokenError, Tokens

Kind = Literal["accepted", "refused_for_good", "refused_for_now", "relay_fault", "indeterminate"]

NEEDS_LOGIN = frozenset({454, 530, 534, 535, 538})  # RFC 4954 section 6 and RFC 3207: about the relay, not the message
CLOSING = 421  # RFC 5321 section 4.2.1: the relay hangs up
MAILBOX_FULL = 552  # permanent by its number; in practice it empties
EVERY_RELAY_TAKES = 100_000  # bytes (J), as long as our mails may be; RFC 5321 section 4.5.3.1.7 promises 64 kB
POLICY = "5.7."  # RFC 3463 section 3.8: beside a recipient as a rule "you may not relay here": mended at the relay
QUIT_SECONDS = 5.0
LONGEST_WORDS = 300

_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"]+@[^\s<>()\[\]:;,\"]+")
_FAULTS = (aiosmtplib.SMTPException, OSError, ValueError)  # ValueError: an address with a control or non-ASCII character


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one message for one recipient. ``words`` are the relay's, without addresses; its queue's number
    is among those of an acceptance."""

    kind: Kind
    code: int | None
    words: str
    at: StepName | None = None  # the step it ended at; None when accepted


async def send(
    relay: RelayAddress,
    sender: str,
    recipient: str,
    data: bytes,
    *,
    password: str | None = None,
    tokens: Tokens | None = None,
    tls_context: ssl.SSLContext | None = None,
    deadline_seconds: float,
) -> Outcome:
    """One message over a connection of its own. Raises nothing but cancellation; shield it from that."""
    async with Session(relay, password=password, tokens=tokens, tls_context=tls_context) as session:
        return await session.send(sender, recipient, data, deadline_seconds=deadline_seconds)


class Session:
    """One connection for a burst of messages, opened at the first and opened anew after a fault."""

    def __init__(
        self,
        relay: RelayAddress,
        *,
        password: str | None = None,
        tokens: Tokens | None = None,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._relay = relay
        self._password = password
        self._tokens = tokens
        self._tls_context = tls_context
        self._client: aiosmtplib.SMTP | None = None
        self._refused = False
        self._at: StepName = "connect"

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._leave()

    async def send(self, sender: str, recipient: str, data: bytes, *, deadline_seconds: float) -> Outcome:
        """One message for one recipient within the deadline, connecting included."""
        self._at = "connect"
        try:
            async with asyncio.timeout(deadline_seconds):
                reply = await self._hand_over(sender, recipient, data)
        except _FAULTS as error:
            outcome = classify(error, self._at, size=len(data))
            self._after_fault(outcome)
            return outcome
        except Exception as error:  # a defect, ours or the library's: it must not take the other messages with it
            return self._defect(error)
        return Outcome(kind="accepted", code=250, words=_said(reply))

    async def greet(self, *, deadline_seconds: float) -> Outcome:
        """Whether the relay is ready to take mail, without giving it any."""
        self._at = "connect"
        try:
            async with asyncio.timeout(deadline_seconds):
                _, greeting = await self._opening()
                reply = await self._walk(greeting)
        except _FAULTS as error:
            self._hang_up()
            return classify(error, self._at)
        except Exception as error:
            return self._defect(error)
        return Outcome(kind="accepted", code=250, words=_said(reply))

    async def _hand_over(self, sender: str, recipient: str, data: bytes) -> object:
        """The relay's last reply. A connection that was left alone too long is opened anew: nothing is lost by that."""
        client, greeting = await self._opening()
        try:
            return await self._walk([*greeting, *steps_to_hand_over(client, sender, recipient, data)])
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPSenderRefused) as error:
            gone = isinstance(error, aiosmtplib.SMTPServerDisconnected) or error.code == CLOSING
            if greeting or self._at != "sender" or not gone:
                raise
        self._hang_up()
        client, greeting = await self._opening()
        return await self._walk([*greeting, *steps_to_hand_over(client, sender, recipient, data)])

    async def _walk(self, steps: Sequence[Step]) -> object:
        reply: object = None
        for step in steps:
            self._at = step.name
            reply = await step.run()
        return reply

    async def _opening(self) -> tuple[aiosmtplib.SMTP, Sequence[Step]]:
        """A client and the steps it still needs before it takes a message: none on a connection that is alive."""
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                if self._refused:  # after an acceptance there is nothing to end, and a round trip to save
                    await self._client.rset()
                self._refused = False
                return self._client, ()
        self._hang_up()
        self._client = client_for(self._relay, self._tls_context)
        return self._client, steps_to_greet(self._client, self._relay, self._password, self._tokens)

    def _defect(self, error: Exception) -> Outcome:
        self._hang_up()
        before = self._at not in ("sender", "recipient", "data", "message")  # any message
        kind: Kind = "relay_fault" if before else "indeterminate" if self._at == "message" else "refused_for_now"
        return Outcome(kind=kind, code=None, words=f"a defect of the program: {type(error).__name__}", at=self._at)

    def _after_fault(self, outcome: Outcome) -> None:
        """A refusal leaves a transaction that has to be ended; anything else a connection that nobody can trust."""
        self._refused = True
        if outcome.kind in ("relay_fault", "indeterminate") or outcome.code == CLOSING:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client, self._refused = None, False

    async def _leave(self) -> None:
        """Says QUIT; what the relay answers no longer matters."""
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout(QUIT_SECONDS):
                    await self._client.quit()
        self._hang_up()
        await asyncio.sleep(0)  # one more turn of the loop, in which the connection is really closed


def classify(error: Exception, at: StepName, *, size: int = 0) -> Outcome:
    """The outcome of an error at a step: by the reply's code where there is one, by the step where there is none.

    ``size`` is the mail's, in bytes.
    """
    code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
    words = cleaned(_words_of(error))
    at = "token" if isinstance(error, TokenError) else at
    if at not in ("sender", "recipient", "data", "message") or code in NEEDS_LOGIN:
        return Outcome(kind="relay_fault", code=code, words=words, at=at)
    if code is None or not 400 <= code < 600:
        if isinstance(error, ValueError):
            return Outcome(kind="relay_fault" if at == "sender" else "refused_for_good", code=None, words=words, at=at)
        return Outcome(kind="indeterminate" if at == "message" else "relay_fault", code=None, words=words, at=at)
    if code == MAILBOX_FULL and size > EVERY_RELAY_TAKES and (at == "sender" or words.startswith("5.3.4")):
        return Outcome(kind="refused_for_good", code=code, words=words, at="message")
    if at == "recipient" and words.startswith(POLICY):
        return Outcome(kind="relay_fault", code=code, words=words, at=at)
    if code < 500 or code == MAILBOX_FULL:
        return Outcome(kind="refused_for_now", code=code, words=words, at=at)
    # A sender refused for good is refused for every message: the relay or the configuration has to change.
    return Outcome(kind="relay_fault" if at == "sender" else "refused_for_good", code=code, words=words, at=at)


def cleaned(words: str) -> str:
    """A relay's words in one line, without addresses and control characters, of bounded length."""
    without = _ADDRESS.sub("(address)", words)
    return " ".join("".join(char if char.isprintable() else " " for char in without).split())[:LONGEST_WORDS]


def _said(reply: object) -> str:
    """The relay's words with an acceptance: its queue's number is what its administrator can look for."""
    return cleaned(f"{reply.code} {reply.message}") if isinstance(reply, aiosmtplib.SMTPResponse) else "accepted by the relay"


def _words_of(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not isinstance(error, aiosmtplib.SMTPException):
        return "no answer within the deadline"
    if isinstance(error, aiosmtplib.SMTPException):
        return error.message if isinstance(error.message, str) else type(error).__name__
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return "a name, password or address that SMTP cannot carry"  # its own words would quote it
    return str(error) or type(error).__name__
