"""Nobody asks too often. Kept in memory, for a bounded number of askers: a restart forgets it, and that is no harm."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

MOST_ASKERS = 10_000  # of each limit; whoever asked longest ago is forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many times within a span, for one asker."""

    name: str
    times: int
    within: timedelta


ANYTHING = Limit(name="anything", times=600, within=timedelta(minutes=1))  # (J): a ward may share one address
LINKS_FROM = Limit(name="links from", times=20, within=timedelta(minutes=10))  # (J): one client's requests for a link
LINKS_TO = Limit(name="links to", times=3, within=timedelta(hours=1))  # (J): links to one mail address


class Limits:
    """How often each asker asked lately. Of any thread."""

    def __init__(self) -> None:
        self._asked: dict[str, OrderedDict[str, deque[datetime]]] = {}
        self._lock = threading.Lock()

    def wait(self, limit: Limit, asker: str, now: datetime) -> int | None:
        """Count this request; None where it may go on, else after how many seconds the next one may. That is not counted."""
        with self._lock:
            askers = self._asked.setdefault(limit.name, OrderedDict())
            times = askers.setdefault(asker, deque())
            askers.move_to_end(asker)
            while times and not now - limit.within < times[0] <= now:  # what is later than now is of a clock set back
                times.popleft()
            if len(times) >= limit.times:
                return max(1, ceil((times[0] + limit.within - now).total_seconds()))
            times.append(now)
            _forget(askers, now - limit.within)
            return None

    def askers(self, limit: Limit) -> int:
        """Of how many something is kept."""
        with self._lock:
            return len(self._asked.get(limit.name, ()))


def _forget(askers: OrderedDict[str, deque[datetime]], before: datetime) -> None:
    """Those who have not asked since ``before``, and whoever is one too many: first is who asked longest ago."""
    while askers:
        times = next(iter(askers.values()))
        if len(askers) <= MOST_ASKERS and times and times[-1] > before:
            return
        askers.popitem(last=False)
