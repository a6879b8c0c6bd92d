"""The clock of the machine is really set while the daemon runs, by libfaketime: only the wall clock, as by a hand or by NTP.

What the test writes is written under the real clock, as by another machine; it says itself when it was known.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.service import clock
from tests.e2e.installation import NURSES, Installation, until, write_csv
from tests.smtp_server import SmtpServer

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed: apt install faketime")

PATIENT = "P-0007"
HOUR = timedelta(hours=1)
ZONE = ZoneInfo("Europe/Berlin")
OVERDUE_AFTER = timedelta(days=29)
"""From an assessment on weekly bortezomib to the day on which the next one is overdue, by the shipped policy."""


@dataclass
class Clock:
    """The daemon's wall clock. It runs on from what it was set to; its monotonic clock is the machine's."""

    file: Path

    def set(self, at: datetime) -> None:
        """It is ``at`` now."""
        self._written(f"@{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}")

    def move(self, by: timedelta) -> None:
        """So far from the machine's."""
        self._written(f"{by.total_seconds():+.0f}")

    def _written(self, text: str) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text + "\n", encoding="ascii")
        fresh.rename(self.file)  # at once: half a line would be another time

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds: it reads its file without a lock, and many threads ask for the time
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, relay: SmtpServer) -> Installation:
    return Installation(tmp_path / "site", relay.port)


@pytest.fixture
def moved(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@contextmanager
def running(site: Installation, moved: Clock) -> Iterator[subprocess.Popen[str]]:
    """The daemon under the moved clock, from its first round on; fails unless it ends with 0 when told to."""
    process = site.start("run", configured=True, **moved.environ)
    try:
        until(lambda: process.poll() is not None or rounds(site), seconds=60, what="the first round")
        assert process.poll() is None, process.communicate()[1]
        yield process
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=40)
        site.printed.append(err)
        assert process.returncode == 0, err
        assert "Traceback" not in err, err
    finally:
        process.kill()
        process.communicate()


def rounds(site: Installation) -> list[tuple[str]]:
    return site.rows("SELECT finished_at FROM rounds") if site.database.exists() and has_rounds(site) else []


def has_round_since(site: Installation, at: datetime) -> bool:
    """Whether a round has looked at what was due by then: one that ends after it may have begun before the clock was moved."""
    ((looked_at,),) = site.rows("SELECT started_at FROM rounds")
    return datetime.fromisoformat(looked_at).replace(tzinfo=UTC) >= at


def has_rounds(site: Installation) -> bool:
    return bool(site.rows("SELECT 1 FROM sqlite_master WHERE name = 'rounds'"))


def admit(site: Installation, today: date) -> None:
    """Five weekly doses up to yesterday, and well until then."""
    first, feed = today - timedelta(days=29), site.folder / "feed"
    feed.mkdir()
    write_csv(feed / "patients.csv", [{"patient_id": PATIENT}])
    write_csv(feed / "courses.csv", [{"patient_id": PATIENT, "started_on": f"{first}", "schedule": "weekly"}])
    doses = [{"patient_id": PATIENT, "given_at": f"{first + timedelta(days=7 * n)}", "dose_mg_per_m2": "1.3"} for n in range(5)]
    write_csv(feed / "doses.csv", doses)
    well = {"patient_id": PATIENT, "ctcae_version": "5", "sensory_grade": "0", "motor_grade": "0", "walking": "unaided"}
    write_csv(feed / "assessments.csv", [well | {"assessed_at": f"{today - timedelta(days=ago)}"} for ago in (28, 7)])
    site.call("import", feed)


def assess(site: Installation, at: datetime, walking: str) -> None:
    """Another program writes what was found, and known, at ``at``."""
    site.write(
        "INSERT INTO assessments (patient_id, assessed_at, ctcae_version, sensory_grade, motor_grade, walking, recorded_at)"
        " VALUES (?, ?, '5', 1, 3, ?, ?)",
        PATIENT,
        at.isoformat(),
        walking,
        at.isoformat(),
    )


def dose(site: Installation, at: datetime) -> None:
    """Another program writes a dose given, and known, at ``at``."""
    site.write(
        "INSERT INTO doses (patient_id, given_at, drug, dose_mg_per_m2, recorded_at) VALUES (?, ?, 'bortezomib', 1.3, ?)",
        PATIENT,
        at.isoformat(),
        at.isoformat(),
    )


def mails(site: Installation) -> list[tuple[str, str]]:
    """Kind and recipient of every message that was decided, in order."""
    return site.rows("SELECT kind, recipient_address FROM messages ORDER BY id")


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_given_a_daemon_when_the_clock_is_set_then_its_rounds_go_on_at_once_and_nothing_is_told_twice(
    site: Installation, relay: SmtpServer, moved: Clock, by: timedelta
) -> None:
    was = max(-by, timedelta(0))  # an hour fast, and put right; or right, and set wrong
    moved.move(was)
    admit(site, clock.now().date())
    with running(site, moved):
        assess(site, clock.now(), "cane")
        relay.wait_for(2, seconds=30)
        before = rounds(site)
        moved.move(was + by)
        until(lambda: site.rows("SELECT words FROM troubles WHERE name = 'clock'"), seconds=60, what="the trouble")
        until(lambda: rounds(site) != before, seconds=30, what="a round after the step")
        assess(site, clock.now(), "bedbound")
        relay.wait_for(4, seconds=30)
        told = mails(site)
        dose(site, clock.now())  # what was assessed before a step back is known all the same: nothing is withdrawn
        until(lambda: site.rows("SELECT count(*) FROM changes") == [(0,)], seconds=30, what="a look at the dose")
        again = rounds(site)
        until(lambda: rounds(site) != again, seconds=30, what="the next round")
    assert told == [("alert", NURSES[0]), ("alert", NURSES[1])] * 2
    assert {kind for kind, _ in mails(site)} == {"alert"}
    assert len({str(mail.message["Message-ID"]) for mail in relay.mails}) == len(relay.mails)
    ((words,),) = site.rows("SELECT words FROM troubles WHERE name = 'clock'")
    assert f"set by {by.total_seconds():+.0f} s" in words.replace("3599", "3600").replace("3601", "3600")
    assert "the clock of this machine was set" in site.printed[-1]


NIGHTS = {"spring": date(2026, 3, 29), "autumn": date(2026, 10, 25)}
LOOKS = ("00:20", "02:10", "02:40", "03:10", "07:40")
"""Times of the clinic's clock, on the day before the night, of it, and after it."""


@pytest.mark.parametrize("digest_at", ["02:30", "07:30"])
@pytest.mark.parametrize("night", NIGHTS)
def test_given_a_night_that_changes_the_time_when_it_passes_then_there_is_one_digest_a_day_and_none_is_missed(
    site: Installation, relay: SmtpServer, moved: Clock, night: str, digest_at: str
) -> None:
    text = site.config.read_text(encoding="utf-8") + f'digest_at: "{digest_at}"\n'
    site.config.write_text(text, encoding="utf-8")
    days = [NIGHTS[night] + timedelta(days=offset) for offset in (-1, 0, 1)]
    one_is_overdue_on_each(site, days)
    looks = [datetime.combine(day, time.fromisoformat(look), ZONE) for day in days for look in LOOKS]
    twice = [look.replace(fold=1) for look in looks if look.utcoffset() != look.replace(fold=1).utcoffset()]
    moved.set(looks[0] - HOUR)
    with running(site, moved):
        for look in sorted({look.astimezone(UTC) for look in looks + twice}):
            moved.set(look)
            until(partial(has_round_since, site, look), seconds=60, what=f"a round of {look}")
            until(
                lambda: site.rows("SELECT 1 FROM messages WHERE state IN ('pending', 'sending')") == [],
                seconds=60,
                what="the post",
            )
    found = site.rows("SELECT recipient_address, created_at FROM messages WHERE kind = 'digest' ORDER BY id")
    told = [(address, datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(ZONE)) for address, at in found]
    for nurse in NURSES:
        mine = [at for address, at in told if address == nurse]
        assert [at.date() for at in mine] == days
        assert all(f"{at:%H:%M}" >= digest_at for at in mine)
    assert len(relay.taken) == len(told) == 6


def one_is_overdue_on_each(site: Installation, days: Sequence[date]) -> None:
    """Patients on weekly bortezomib, each to be assessed again by one of these days: that is for the daily digest."""
    feed = site.folder / "feed"
    feed.mkdir()
    names = {f"P-{number}": day for number, day in enumerate(days, start=1)}
    first = days[0] - timedelta(days=64)  # the tenth dose was yesterday, the next is after the story
    write_csv(feed / "patients.csv", [{"patient_id": name} for name in names])
    write_csv(
        feed / "courses.csv",
        [{"patient_id": name, "started_on": f"{first}", "schedule": "weekly", "recorded_at": f"{first}"} for name in names],
    )
    given = [first + timedelta(days=7 * week) for week in range(10)]
    write_csv(
        feed / "doses.csv",
        [
            {"patient_id": name, "given_at": f"{day}", "dose_mg_per_m2": "1.3", "recorded_at": f"{day}"}
            for name in names
            for day in given
        ],
    )
    well = {"ctcae_version": "5", "sensory_grade": "0", "motor_grade": "0", "walking": "unaided"}
    write_csv(
        feed / "assessments.csv",
        [
            well | {"patient_id": name, "assessed_at": f"{seen}", "recorded_at": f"{seen}"}
            for name, overdue in names.items()
            for seen in (first + timedelta(days=1), overdue - OVERDUE_AFTER)
        ],
    )
    site.call("import", feed)
