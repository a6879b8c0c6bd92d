"""How old what each feed brought is, and what is wrong with it: for ``status``, the board and the daily statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.config.settings import Settings
from monitor.store import feeds, rejects
from monitor.store.feed_age import newest_by_sql_at

BY_SQL = "sql"
"""What another program writes into the tables itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAge:
    """One feed. ``received_at`` is when it last brought anything new, ``ok_at`` when it was last read without a fault.

    ``lasting``: its fault is older than ``feed_trouble_after``. ``quiet``: it brought nothing for longer than it may.
    ``rejects`` is how many of its records are refused and not settled.
    """

    name: str
    kind: str
    tried_at: datetime | None
    ok_at: datetime | None
    received_at: datetime | None
    problem: str | None
    problem_since: datetime | None
    lasting: bool
    quiet: bool
    rejects: int


def feed_ages(connection: Connection, settings: Settings, now: datetime) -> tuple[FeedAge, ...]:
    """Every configured feed in their order, then what was imported without one, then what came by SQL. Reads only."""
    known = {feed.name: feed for feed in feeds.all_feeds(connection)}
    refused = rejects.open_by_feed(connection)
    named: dict[str, str] = {name: feed.kind for name, feed in settings.feeds.items()}
    named |= {name: feed.kind for name, feed in known.items() if feed.kind == "files" and name not in named}
    ages = [_age(name, kind, known.get(name), settings, refused.get(name, 0), now) for name, kind in named.items()]
    by_sql = newest_by_sql_at(connection)
    if by_sql is not None and BY_SQL not in named:
        came = feeds.Feed(name=BY_SQL, kind=BY_SQL, received_at=by_sql)
        ages.append(_age(BY_SQL, BY_SQL, came, settings, 0, now))
    return tuple(ages)


def quiet_after(settings: Settings, name: str) -> timedelta:
    """After how long without anything new a feed counts as quiet."""
    own = getattr(settings.feeds.get(name), "quiet_after", None)
    return own if isinstance(own, timedelta) else settings.feed_quiet_after


def _age(name: str, kind: str, known: feeds.Feed | None, settings: Settings, refused: int, now: datetime) -> FeedAge:
    since = known.problem_since if known else None
    received = known.received_at if known else None
    return FeedAge(
        name=name,
        kind=kind,
        tried_at=known.tried_at if known else None,
        ok_at=known.ok_at if known else None,
        received_at=received,
        problem=known.problem if known else None,
        problem_since=since,
        lasting=since is not None and now - since >= settings.feed_trouble_after,
        quiet=name in settings.feeds and received is not None and now - received > quiet_after(settings, name),
        rejects=refused,
    )
