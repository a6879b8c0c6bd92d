"""What a handler is given, and what it may answer instead of a page.

The door has looked before: whoever asks may ask this, and an alert that the path names is of a patient whom he sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from monitor.clinical.alerts import Alert
from monitor.clinical.history import Patient
from monitor.config.settings import Board
from monitor.service.opening import Site
from monitor.web.limits import Limits
from monitor.web.origin import client_address
from monitor.web.viewer import Viewer

Handler = Callable[["Asked"], Response]

_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)  # what fits the database's keys


class ProblemError(Exception):
    """The answer is a page with this status that says ``words``, which hold nothing of a patient."""

    def __init__(self, status: int, words: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The alert that the path names, and where its patient belongs now: ``site`` and ``team`` alone are filled in."""

    alert: Alert
    patient: Patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. ``form`` has the fields of a POST, ``query`` those of the address, ``path`` the path's named parts.

    ``now`` is aware. ``wake`` lets a job of the daemon run at once, such as ``post`` when mail was queued. ``about`` is
    there where the path has a ``{number}``. ``limits`` counts who asks how often.
    """

    request: Request
    viewer: Viewer
    site: Site
    now: datetime
    wake: Callable[[str], None]
    form: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    about: About | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def board(self) -> Board:
        """The board's settings. Raises ValueError where none is configured: then nobody could have asked."""
        if self.site.settings.board is None:
            raise ValueError("the board is not configured")
        return self.site.settings.board

    @property
    def client(self) -> str:
        """The address of the machine that asks, as far as it can be known."""
        return client_address(self.request, self.board)

    @property
    def alert(self) -> Alert:
        """The alert of the path. Raises ValueError on a path without a number."""
        if self.about is None:
            raise ValueError("this path names no alert")
        return self.about.alert


def number_in(text: str) -> int | None:
    """A number as it stands in an address or a field: 1 to 18 digits, no sign, no leading zero; None for anything else."""
    return int(text) if _NUMBER.fullmatch(text) else None
