"""Two records of one person that a hospital made one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The record became part of another one, of the same person, whose facts are all of both since then."""

    into_id: str
    at: datetime
