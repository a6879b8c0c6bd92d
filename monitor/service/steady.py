"""The instant that rounds work with: the wall clock's, save that it does not go back when that is set back.

An assessment of ten o'clock must not be unknown again because it became nine: its alert would be withdrawn, and everybody
told so, an hour before it was raised anew. So after such a step this clock goes on at half the speed, until the wall clock
has caught up; what is due in half an hour is due in an hour at the latest.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from monitor.service import clock
from monitor.service.opening import Site
from monitor.store.rounds import last_round

SPEED_WHILE_AHEAD = 0.5
AHEAD_AT_MOST = timedelta(days=1)
"""A wall clock that was further ahead than this was wrong, and so is what was concluded from it: it is followed at once."""


class SteadyClock:
    """Never before ``since``, unless that is more than a day ahead. Asked by several threads."""

    def __init__(self, since: datetime | None) -> None:
        wall, self._monotonic = clock.both()
        self._last = wall if since is None else since
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        with self._lock:
            return self.at(*clock.both())

    def at(self, wall: datetime, monotonic: float) -> datetime:
        """What it shows when the clocks show these."""
        passed, self._monotonic = monotonic - self._monotonic, monotonic
        slowly = self._last + SPEED_WHILE_AHEAD * timedelta(seconds=passed)
        self._last = slowly if wall < slowly <= wall + AHEAD_AT_MOST else wall
        return self._last


def steady_clock(site: Site) -> SteadyClock:
    """The clock for this process, which does not fall behind the last round."""
    with site.database.read() as connection:
        last = last_round(connection)
    return SteadyClock(None if last is None else last.started_at)
