"""What a relay's faults do: its circuit opens, messages wait unharmed or take the fallback, and one tries it again.

Recovery needs no hand. ``status`` shows what is open as the trouble ``relay`` or ``fallback-relay``; whoever looks after
the program is told by mail when it lasts, which leaves by the other relay or when this one heals.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.delivery.email import Outcome
from monitor.said import say
from monitor.service import back_off
from monitor.service.alarms import LOOK_AT_STATUS, Alarm
from monitor.service.relays import Name
from monitor.store import circuits, troubles
from monitor.store.circuits import Circuit

_OF_THE_MAILBOX = re.compile(r"4\.2\.\d")  # RFC 3463 section 3.3

TELL_AFTER = timedelta(minutes=2)
DOUBTS = 2
"""So many messages in a row whose fate a relay leaves unknown are a fault of it; one is not."""

TROUBLE: dict[Name, str] = {"relay": "relay", "fallback": "fallback-relay"}


def of_one(outcome: Outcome) -> bool:
    """Whether a relay's fault may lie in one message or in whom it is for: it was fine until it heard of these."""
    return outcome.kind == "relay_fault" and outcome.at in ("recipient", "data", "message")


def another_may_take(outcome: Outcome) -> bool:
    """Whether what one relay did not take is worth handing to another at once. Not what its recipient's mailbox refuses."""
    if outcome.kind == "refused_for_good":
        return outcome.at in ("data", "message")  # each has its own rules about content; about addresses they are to be believed
    if outcome.kind != "refused_for_now":
        return of_one(outcome)
    return outcome.code is not None and outcome.code < 500 and not _OF_THE_MAILBOX.match(outcome.words)


def next_attempt_at(message_id: str, attempts: int, outcome: Outcome, now: datetime) -> datetime | None:
    """When a message that was not taken is due again; None for a fault of the relay alone: it is waited out as it is."""
    if of_one(outcome):
        return now + back_off.after_doubt(message_id, attempts)
    return None if outcome.kind == "relay_fault" else now + back_off.after_refusal(message_id, attempts)


def may_be_tried(circuit: Circuit, now: datetime) -> bool:
    """Whether one message may try the relay. A time further off than any wait was written before the clock was set back."""
    due = circuit.probe_at
    return due is None or due <= now or due > now + back_off.FAULT[-1]


def fault(connection: Connection, circuit: Circuit, host: str, words: str, now: datetime) -> Circuit:
    """The relay failed: open, or open for longer. ``words`` are its own, cleaned."""
    failures = circuit.failures + 1
    opened = Circuit(
        relay=circuit.relay,
        open_since=circuit.open_since or now,
        failures=failures,
        probe_at=now + back_off.after_fault(host, failures),
        words=words,
    )
    circuits.save(connection, opened)
    troubles.set_trouble(connection, _trouble(circuit), _in_words(opened), now)
    return opened


def doubt(connection: Connection, circuit: Circuit, host: str, words: str, now: datetime) -> Circuit:
    """The relay left a message's fate unknown: once may be chance."""
    if circuit.is_open or circuit.failures + 1 >= DOUBTS:
        return fault(connection, circuit, host, words, now)
    doubted = Circuit(relay=circuit.relay, failures=circuit.failures + 1, words=words)
    circuits.save(connection, doubted)
    return doubted


def heal(connection: Connection, circuit: Circuit) -> Circuit:
    """The relay took a message, or refused one of its own accord: it works."""
    if circuit.failures:
        circuits.forget(connection, circuit.relay)
        troubles.clear_trouble(connection, _trouble(circuit))
    return Circuit(relay=circuit.relay)


def lasts(circuit: Circuit, now: datetime) -> bool:
    """Whether it is time to tell the administrator."""
    return circuit.open_since is not None and now - circuit.open_since > TELL_AFTER


def alarm(circuit: Circuit) -> Alarm:
    """The relay has been failing for a while."""
    if circuit.relay == "relay":
        problem = say("the mail relay takes no mail: {words}", words=circuit.words)
        consequence = say("mail takes the fallback relay, or is kept until one of them works again; nothing is lost")
    else:
        problem = say("the fallback relay takes no mail: {words}", words=circuit.words)
        consequence = say("mail takes the mail relay, or is kept until one of them works again; nothing is lost")
    return Alarm(
        problem=problem,
        consequence=consequence,
        remedies=(say("`bipn-monitor test-mail ADDRESS` names the step that fails."), LOOK_AT_STATUS),
        occasion=f"circuit {circuit.relay}",
    )


def _trouble(circuit: Circuit) -> str:
    return TROUBLE["relay" if circuit.relay == "relay" else "fallback"]


def _in_words(circuit: Circuit) -> str:
    which = "relay" if circuit.relay == "relay" else "fallback relay"
    return f"the {which} takes no mail: {circuit.words}; `bipn-monitor test-mail ADDRESS` shows the step"
