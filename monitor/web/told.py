"""Who was told of an alert, and whether the relay took it, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from monitor.said import Said, say
from monitor.store.board import Told

_STATES = {
    "accepted": say("accepted by the mail relay"),
    "sending": say("being handed to the mail relay"),
    "dead": say("refused for good by the mail relay"),
    "cancelled": say("not sent: no longer needed"),
}
_KINDS = {
    "alert": say("alert"),
    "reminder": say("reminder"),
    "escalation": say("passed on"),
    "digest": say("digest"),
    "correction": say("correction"),
    "plain": say("plain mail"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldWords:
    """One message. ``at`` is the instant that ``state`` speaks of."""

    name: str
    address: str
    kind: str
    state: str
    good: bool  # accepted, or on its way
    at: datetime
    decided_at: datetime


def told_words(messages: Iterable[Told], now: datetime) -> tuple[ToldWords, ...]:
    """All of them, in their order."""
    return tuple(_words(each, now) for each in messages)


def newest_for_each(messages: Iterable[Told], now: datetime) -> tuple[ToldWords, ...]:
    """The last message to each who was told or is about to be; what was cancelled told nobody."""
    last = {each.address.lower(): each for each in messages if each.state != "cancelled"}
    return told_words(sorted(last.values(), key=lambda each: each.number), now)


def _words(message: Told, now: datetime) -> ToldWords:
    return ToldWords(
        name=message.name,
        address=message.address,
        kind=_KINDS.get(message.kind, message.kind),
        state=_state(message, now),
        good=message.state != "dead" and not (message.state == "pending" and message.attempts),
        at=message.accepted_at or (message.due_at if message.state == "pending" else message.created_at),
        decided_at=message.created_at,
    )


def _state(message: Told, now: datetime) -> Said:
    if message.state != "pending":
        return _STATES[message.state]
    if message.attempts:
        return say("not taken yet; tried again")
    return say("held until then") if message.due_at > now else say("waits to be sent")
