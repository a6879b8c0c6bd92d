"""How far a FHIR server was read: for each search the time up to which its answer was whole, by the server's own clock.

Not by ours, which may be minutes beside it. And never by what is newest of what came: a server that stored much at one
instant would send all of that again at each question. That a server answers from a store a minute old, or gives two times
for one answer, only makes it earlier: what is asked for twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import msgspec

from monitor.clinical.days import start_of_day
from monitor.config.feed_fhir import FhirFeed
from monitor.config.settings import Settings


class _Kept(msgspec.Struct):
    url: str = ""
    day: str = ""
    upto: dict[str, str] = {}


@dataclass(slots=True, kw_only=True)
class Cursor:
    """``day`` is the clinic's, on which it was looked back last. ``upto`` is by search, as the configuration writes it."""

    url: str
    day: str = ""
    upto: dict[str, datetime] = field(default_factory=dict)

    def text(self) -> str:
        """As it is stored."""
        upto = {search: at.isoformat() for search, at in self.upto.items()}
        return msgspec.json.encode(_Kept(url=self.url, day=self.day, upto=upto)).decode()


def cursor_of(text: str | None, feed: FhirFeed) -> Cursor:
    """The stored one; at its beginning where there is none, it cannot be read, or it is of another server."""
    try:
        kept = msgspec.json.decode(text or "{}", type=_Kept)
        upto = {search: datetime.fromisoformat(at) for search, at in kept.upto.items()}
    except (msgspec.MsgspecError, ValueError):
        return Cursor(url=feed.url)
    return Cursor(url=feed.url, day=kept.day, upto=upto) if kept.url == feed.url else Cursor(url=feed.url)


def asked_from(cursor: Cursor, search: str, feed: FhirFeed, settings: Settings, today: date) -> datetime | None:
    """From when on to ask; None for everything. The first question of each day goes further back."""
    upto = cursor.upto.get(search)
    if upto is None:
        return start_of_day(feed.since, settings.time_zone) if feed.since else None
    back = feed.overlap if cursor.day == today.isoformat() else max(feed.overlap, feed.look_back)
    return upto - back


def read_upto(times: list[datetime], newest: datetime | None, before: datetime | None, feed: FhirFeed) -> datetime | None:
    """Up to when an answer was whole: the earliest of the ``times`` that the server gave for its first page.

    ``newest`` of what came, where it gives none. A server whose clock went back, ``before`` being later, is read further
    back: what it stored by the wrong time and since may be on both sides.
    """
    found = min(times, default=newest)
    if found is None:
        return before
    return found - feed.look_back if before is not None and found < before - timedelta(seconds=1) else found


def instant(at: datetime) -> str:
    """As FHIR writes it, to the millisecond, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
