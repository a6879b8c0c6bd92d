"""How long to wait before something is tried again. A little different for each, so that not all come back at once."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

REFUSED = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""After a refusal "for now"; the last repeats for ever: nothing is given up while the relay says "later"."""

FAULT = (timedelta(seconds=15), timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
"""After a fault of a relay, before one message tries it again; the last repeats."""

SPREAD = 0.2  # of a wait


def after_refusal(message_id: str, attempts: int) -> timedelta:
    """The wait after the ``attempts``-th attempt of a message: as above, or up to a fifth longer."""
    wait = REFUSED[min(attempts, len(REFUSED)) - 1]
    return wait * (1 + SPREAD * _part(f"{message_id} {attempts}"))


def after_doubt(message_id: str, attempts: int) -> timedelta:
    """The wait of a message at which a relay failed that may be fine: longer than the relay's own waits, not an hour."""
    return after_refusal(message_id, min(attempts, len(REFUSED) - 1))


def after_fault(host: str, failures: int) -> timedelta:
    """The wait after the ``failures``-th fault in a row of a relay: as above, or up to a fifth shorter."""
    wait = FAULT[min(failures, len(FAULT)) - 1]
    return wait * (1 - SPREAD * _part(f"{host} {failures}"))


def _part(of: str) -> float:
    """A number from 0 to 1 that looks drawn and is always the same for the same text: a wait can be told beforehand."""
    return int.from_bytes(sha256(of.encode()).digest()[:4], "big") / 2**32
