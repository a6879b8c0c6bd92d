"""Every page and act of the board: method, path, who may, and what answers. What is not here does not exist.

``{number}`` in a path is an alert's; the door gives the handler that alert, of a patient whom the viewer sees, or answers 404.
A HEAD is answered as a GET.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from monitor.said import say
from monitor.web import (
    acts,
    coverage_page,
    data_quality_page,
    files,
    find_page,
    health_page,
    journal_page,
    links,
    open_alerts,
    patient_page,
    policy_page,
    sign_in,
)
from monitor.web.asked import Handler, ProblemError
from monitor.web.viewer import Permission

Method = Literal["GET", "POST"]

NAMED = re.compile(r"\{([a-z_]+)\}")
_PART = r"[A-Za-z0-9._~-]{1,300}"


@dataclass(frozen=True, slots=True)
class Route:
    """One row. A GET changes nothing but the journal."""

    method: Method
    path: str
    permission: Permission
    handler: Handler


ROUTES: tuple[Route, ...] = (
    Route("GET", "/static/{name}", "anyone", files.file),
    Route("GET", "/sign-in", "anyone", sign_in.show),
    Route("POST", "/sign-in", "anyone", sign_in.ask),
    Route("GET", "/in/{token}", "anyone", links.show),
    Route("POST", "/in/{token}", "anyone", links.enter),
    Route("POST", "/sign-out", "anyone", links.leave),
    Route("GET", "/", "list", open_alerts.show),
    Route("GET", "/find", "patient", find_page.show),
    Route("POST", "/find", "patient", find_page.look),
    Route("GET", "/alerts/{number}", "patient", patient_page.show),
    Route("POST", "/alerts/{number}/acknowledge", "act", acts.acknowledge),
    Route("POST", "/alerts/{number}/pass-on", "act", acts.pass_on),
    Route("POST", "/alerts/{number}/snooze", "act", acts.snooze),
    Route("GET", "/policy", "policy", policy_page.show),
    Route("GET", "/data-quality", "list", data_quality_page.show),
    Route("GET", "/health", "operations", health_page.show),
    Route("GET", "/coverage", "operations", coverage_page.show),
    Route("GET", "/journal", "views", journal_page.show),
)


def find(routes: Sequence[Route], method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """The row that answers, and the named parts of the path. Raises ProblemError: 404, or 405 with what is allowed instead."""
    allowed = set()
    for route in routes:
        match = _pattern(route.path).fullmatch(path)
        if match is None:
            continue
        if route.method == ("GET" if method == "HEAD" else method):
            return route, match.groupdict()
        allowed.add(route.method)
    if allowed:
        methods = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
        raise ProblemError(405, say("This address is not used in this way."), headers={"Allow": methods})
    raise ProblemError(404, say("There is no such page, or it is not one of yours."))


@lru_cache(maxsize=256)
def _pattern(path: str) -> re.Pattern[str]:
    plain = NAMED.split(path)  # text, name, text, name, ...
    parts = (f"(?P<{each}>{_PART})" if place % 2 else re.escape(each) for place, each in enumerate(plain))
    return re.compile("".join(parts), re.ASCII)
