"""One daemon to a database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.store import lease
from tests.store.databases import NOW, a_database

TTL = timedelta(minutes=2)


def test_given_a_held_lease_when_another_asks_then_it_waits_for_the_end(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        assert lease.current(connection) is None
        first = lease.acquire(connection, "one", now=NOW, ttl=TTL)
        assert first == lease.Lease("one", 1, NOW + TTL)
        assert lease.acquire(connection, "two", now=NOW + TTL / 2, ttl=TTL) is None
        assert lease.acquire(connection, "two", now=NOW + TTL, ttl=TTL) == lease.Lease("two", 2, NOW + 2 * TTL)
        assert lease.renew(connection, first, now=NOW + TTL, ttl=TTL) is None


def test_given_a_holder_when_it_renews_or_releases_then_others_wait_or_follow(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        first = lease.acquire(connection, "one", now=NOW, ttl=TTL)
        assert first is not None
        renewed = lease.renew(connection, first, now=NOW + TTL, ttl=TTL)
        assert renewed == lease.current(connection) == lease.Lease("one", 1, NOW + 2 * TTL)
        lease.release(connection, first, now=NOW + TTL)
        assert lease.acquire(connection, "two", now=NOW + TTL, ttl=TTL) is not None


def test_given_a_crashed_holder_when_it_starts_again_then_it_takes_its_own_lease(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        lease.acquire(connection, "one", now=NOW, ttl=TTL)
        assert lease.acquire(connection, "one", now=NOW, ttl=TTL) == lease.Lease("one", 2, NOW + TTL)
