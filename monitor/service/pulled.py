"""What one look at a feed brought: the answer of every kind of feed that is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.service.opening import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """``received``: a fact is new or another one. ``cursor`` None leaves it where it was. ``rejected`` counts records.

    ``problem`` is why not all could be read, in words that hold nothing of a patient and no secret: then it is tried again
    soon, and not before ``retry_after``. ``queued`` is how many mails were put into the outbox.
    """

    received: bool = False
    cursor: str | None = None
    rejected: int = 0
    problem: str | None = None
    retry_after: timedelta | None = None
    queued: int = 0


Feeder = Callable[[Site, str, Any, datetime, Callable[[], bool]], Pulled]
"""Asks one feed, by its name and settings, for what is new. Raises DatabaseError, and StoppedError where it shall end.

``stopping`` is called at each step, every few seconds at least: it also says that the feed gets on.
"""


class StoppedError(Exception):
    """The program ends, or somebody else has the feed now: what was begun is left, and done again."""
