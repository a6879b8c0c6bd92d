"""Does no alert get lost on this machine? The program is ended at each point of its work where one could be, and started again.

All of it in a folder of its own: an embedded database, one invented patient, two recipients, a receiver on loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from monitor.crash_points import EXIT_CODE
from monitor.delivery.message import REPEAT
from monitor.delivery.receiver import receiving
from monitor.errors import MonitorError, UsageError
from monitor.service import clock
from monitor.service.ingest import import_paths
from monitor.service.opening import Site, open_site
from monitor.store import changes, outbox

BEFORE_250 = "before 250"  # the receiver has the mail and has not said so: no point of ours, so it is ended from outside
POINTS = (
    "before commit: round",
    "after commit: round",
    "before commit: claim",
    "after commit: claim",
    "after MAIL",
    "after RCPT",
    "after DATA",
    BEFORE_250,
    "after 250",
    "before commit: outcome",
    "after commit: outcome",
)
RECIPIENTS = ("first@selftest.example", "second@selftest.example")
CONFIG = """\
time_zone: UTC
database: sqlite:///selftest.db
guideline: us-label
poll_every: 1 s
mail:
  sender: bipn-monitor@selftest.example
  relay: {{host: 127.0.0.1, port: {port}, insecure: true}}
teams:
  everyone:
    sites: ["*"]
    recipients:
      - {{name: First, address: {first}, language: en}}
      - {{name: Second, address: {second}, language: en}}
"""
SECONDS = 45.0
"""For one step at one point; on a machine that does nothing else it takes two."""

AT_ONCE = 4
CONFIGURING = ("BIPN_", "NOTIFY_", "CREDENTIALS_", "STATE_", "WATCHDOG_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of one point. ``words`` is one line for people."""

    point: str
    ok: bool
    words: str


class LostError(MonitorError):
    """What should hold does not."""


def selftest(folder: Path, points: Sequence[str] = POINTS) -> Iterator[Checked]:
    """One result for each point, in their order. ``folder`` is an empty one. Raises UsageError where nothing can be tried."""
    try:
        fed = _fed(folder / "fed")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}; name another place in TMPDIR") from None
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        yield from pool.map(lambda numbered: _tried(fed, folder / f"{numbered[0]}", numbered[1]), enumerate(points))


def _tried(fed: Path, folder: Path, point: str) -> Checked:
    try:
        shutil.copytree(fed, folder)
        with receiving(folder / "mail", silent_at_first=point == BEFORE_250) as port:
            _configure(folder, port)
            _ended_at(point, folder)
            _started_again(folder)
        twice = told(folder)
    except LostError as lost:
        return Checked(point=point, ok=False, words=f"ended {point}: {lost}")
    how = f"each recipient told; {twice} of the mails came twice, the second marked" if twice else "each recipient told, once"
    return Checked(point=point, ok=True, words=f"ended {point}: {how}")


def _fed(folder: Path) -> Path:
    """A database with one patient who has just lost walking."""
    folder.mkdir(parents=True)
    _configure(folder, port=1)
    with open_site(folder / "monitor.yaml", create=True) as site:
        import_paths(site.database, [_feed(folder / "feed", clock.now().date())], zone=site.settings.time_zone, now=clock.now())
    return folder


def _feed(folder: Path, today: date) -> Path:
    """Import files: five weekly doses, well a week ago, in a wheelchair today."""
    folder.mkdir()
    first = today - timedelta(days=29)
    doses = [f"SELFTEST,{first + timedelta(days=7 * week)},1.3" for week in range(5)]
    seen = [(28, 0, "unaided"), (7, 0, "unaided"), (0, 3, "wheelchair")]
    files = {
        "patients": ["patient_id", "SELFTEST"],
        "courses": ["patient_id,started_on,schedule", f"SELFTEST,{first},weekly"],
        "doses": ["patient_id,given_at,dose_mg_per_m2", *doses],
        "assessments": [
            "patient_id,assessed_at,ctcae_version,sensory_grade,motor_grade,walking",
            *(f"SELFTEST,{today - timedelta(days=ago)},5,0,{grade},{walking}" for ago, grade, walking in seen),
        ],
    }
    for kind, lines in files.items():
        (folder / f"{kind}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


def _configure(folder: Path, port: int) -> None:
    first, second = RECIPIENTS
    (folder / "monitor.yaml").write_text(CONFIG.format(port=port, first=first, second=second), encoding="utf-8")


def _daemon(folder: Path, crash_at: str | None = None) -> subprocess.Popen[bytes]:
    """This very program, as the service runs it; nothing that configures the real one reaches it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURING)}
    crash = {} if crash_at is None else {"BIPN_MONITOR_CRASH_AT": crash_at}
    command = [sys.executable, "-m", "monitor", "--config", str(folder / "monitor.yaml"), "run"]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env={**inherited, **crash})  # noqa: S603  # ourselves


def _ended_at(point: str, folder: Path) -> None:
    daemon = _daemon(folder, None if point == BEFORE_250 else point)
    try:
        if point == BEFORE_250:
            _wait_until(lambda: (folder / "mail" / "001.eml").exists(), "no mail was sent")
            daemon.kill()
        code = daemon.wait(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise LostError("the program never came to this point") from None
    finally:
        daemon.kill()
        daemon.wait()
    if point != BEFORE_250 and code != EXIT_CODE:
        raise LostError(f"the program ended by itself, with {code}")


def _started_again(folder: Path) -> None:
    daemon = _daemon(folder)
    try:
        with open_site(folder / "monitor.yaml") as site:
            _wait_until(lambda: _all_sent(site), "the mails did not all go out after the restart")
        daemon.terminate()
        if daemon.wait(timeout=SECONDS) != 0:
            raise LostError("the restarted program did not stop in good order")
    except subprocess.TimeoutExpired:
        raise LostError("the restarted program did not stop in time") from None
    finally:
        daemon.kill()
        daemon.wait()


def _wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    """Raises LostError with ``otherwise`` when it does not come in time."""
    end = clock.monotonic_seconds() + SECONDS
    while not condition():
        if clock.monotonic_seconds() > end:
            raise LostError(otherwise)
        time.sleep(0.05)


def _all_sent(site: Site) -> bool:
    with site.database.read() as connection:
        counts = outbox.counts(connection)
        return counts["accepted"] > 0 and counts["pending"] + counts["sending"] + changes.waiting(connection) == 0


def told(folder: Path) -> int:
    """How many messages came twice. Raises LostError unless each came once, or twice with the second one marked."""
    with open_site(folder / "monitor.yaml") as site, site.database.read() as connection:
        decided = Counter(message.recipient_address for message in outbox.with_ids(connection, range(1, 100)))
    if set(decided) != set(RECIPIENTS):
        raise LostError("not every recipient was to be told")
    arrived: dict[str, list[bool]] = {}
    recipients: Counter[str] = Counter()
    for mail in sorted((folder / "mail").glob("*.eml")):
        message = message_from_bytes(mail.read_bytes(), policy=policy.default)
        body = message.get_body(preferencelist=("plain",))
        copies = arrived.setdefault(str(message["Message-ID"]), [])
        recipients[str(message["To"])] += not copies
        copies.append(body is not None and REPEAT in str(body.get_content()))
    if recipients != decided:
        raise LostError("A MESSAGE WAS LOST: " + _in_words(decided - recipients))
    return sum(_is_twice(copies) for copies in arrived.values())


def _is_twice(copies: Sequence[bool]) -> bool:
    """Whether one message came twice, by the marks of its copies. Raises LostError where it may not have come so."""
    if len(copies) > 2:
        raise LostError(f"a message came {len(copies)} times")
    if not all(copies[1:]):
        raise LostError("a repeated message does not say so")
    return len(copies) == 2


def _in_words(lost: Counter[str]) -> str:
    return ", ".join(f"{count} to {recipient}" for recipient, count in lost.items())
