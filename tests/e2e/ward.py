"""A ward that is watched while things go wrong: its patients, the daemon as a process, and who was told what."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from monitor.delivery.message import REPEAT
from monitor.service import clock
from tests.e2e.installation import NURSES, Installation, until, write_csv
from tests.e2e.nursery import Child, Nursery
from tests.postfix import DeliveredMail
from tests.smtp_server import ReceivedMail

WATCHING = "info watching"


@dataclass(frozen=True)
class Copy:
    """One mail that reached somebody. ``marked``: it says that it may be a repeat."""

    message_id: str
    recipient: str
    marked: bool


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A message as it stands in the outbox in the end."""

    number: int
    message_id: str
    recipient: str
    state: str
    alerts: tuple[int, ...]
    reason: str | None

    def fitting(self, most: int) -> range:
        """How many copies of it may have arrived. What was cancelled may have gone out before, unknown to us."""
        return {"accepted": range(1, most + 1), "dead": range(1)}.get(self.state, range(most + 1))


def copies(mails: Iterable[ReceivedMail | DeliveredMail]) -> list[Copy]:
    """What was received, in the same order."""
    return [Copy(str(mail.message["Message-ID"]), mail.recipient, REPEAT in mail.text) for mail in mails]


def admit(installed: Installation, patients: Iterable[str], *, days_ago: int = 0) -> None:
    """Patients on weekly bortezomib for the month before, and well a week before; the database is made where there is none."""
    names, today = list(patients), clock.now().date() - timedelta(days=days_ago)
    first = today - timedelta(days=29)
    feed = installed.folder / f"admitted-{days_ago}"
    feed.mkdir()
    write_csv(feed / "patients.csv", [{"patient_id": name} for name in names])
    write_csv(feed / "courses.csv", [{"patient_id": name, "started_on": f"{first}", "schedule": "weekly"} for name in names])
    doses = [
        {"patient_id": name, "given_at": f"{first + timedelta(days=7 * week)}", "dose_mg_per_m2": "1.3"}
        for name in names
        for week in range(5)
    ]
    write_csv(feed / "doses.csv", doses)
    well = {"ctcae_version": "5", "sensory_grade": "0", "motor_grade": "0", "walking": "unaided"}
    seen = [well | {"patient_id": name, "assessed_at": f"{today - timedelta(days=days)}"} for name in names for days in (28, 7)]
    write_csv(feed / "assessments.csv", seen)
    installed.call("import", feed)


def assess(installed: Installation, patient: str, walking: str = "wheelchair", *, days_ago: int = 0) -> None:
    """Another program writes an assessment; as it stands by default, it is an immediate alert of today."""
    installed.write(
        "INSERT INTO assessments (patient_id, assessed_at, ctcae_version, sensory_grade, motor_grade, walking)"
        " VALUES (?, ?, '5', 1, 3, ?)",
        patient,
        f"{clock.now().date() - timedelta(days=days_ago)}",
        walking,
    )


def is_known(installed: Installation, patient: str) -> bool:
    """Whether an alert was raised about this patient."""
    return bool(installed.rows("SELECT id FROM alerts WHERE patient_id = ?", patient))


@contextmanager
def daemon(nursery: Nursery, installed: Installation, **environ: str) -> Iterator[Child]:
    """``run``, from when it watches until SIGTERM; fails if it does not stop or prints a traceback."""
    child = nursery.start(installed, "run", **environ)
    until(lambda: child.code is not None or WATCHING in child.own_log, seconds=30, what="a daemon that watches")
    assert child.code is None, child.log
    try:
        yield child
    except BaseException:
        child.kill()
        print(child.log)  # noqa: T201  # shown with the failure
        raise
    assert child.terminate() == 0, child.log
    installed.printed.append(child.log)
    assert "Traceback" not in child.log, child.log


def later(installed: Installation, *, hours: Iterable[float] = (1, 2, 3)) -> None:
    """As if the daemon had gone on for so long: rounds and mails under a clock that is moved."""
    for hour in hours:
        installed.call("poll", "--at", (clock.now() + timedelta(hours=hour)).isoformat(), code=None)


def assert_told(
    installed: Installation, arrived: list[Copy], *, refused: Iterable[str] = (), most: int = 2, after: int = 0
) -> None:
    """Never 0 and at most ``most`` copies of each message, all but the first marked; none of one that was refused for good.

    Only who is among ``refused`` may have such, and then has. Every urgent alert is named by a message to each nurse, and nothing
    arrived that was not decided; what was not sent has a reason. Messages up to number ``after`` had arrived before.
    """
    decided = [
        Decided(
            number=number, message_id=message_id, recipient=recipient, state=state, alerts=tuple(json.loads(ids)), reason=reason
        )
        for number, message_id, recipient, state, ids, reason in installed.rows(
            "SELECT id, message_id, recipient_address, state, alert_ids, reason FROM messages ORDER BY id"
        )
    ]
    assert {copy.message_id for copy in arrived} <= {message.message_id for message in decided}
    assert {message.recipient for message in decided if message.state == "dead"} == set(refused)
    for message in decided:
        got = [copy for copy in arrived if copy.message_id == message.message_id]
        assert message.number <= after or len(got) in message.fitting(most), (message, len(got))
        assert message.state in ("accepted", "dead", "cancelled"), message
        assert message.state == "accepted" or message.reason, message
        assert {copy.recipient for copy in got} <= {message.recipient}
        assert all(copy.marked for copy in got[1:]), "a repeat that does not say so"
    told = {(alert, message.recipient) for message in decided for alert in message.alerts}
    for (alert,) in installed.rows("SELECT id FROM alerts WHERE urgency != 'review'"):  # a review waits for the morning
        assert {(alert, nurse) for nurse in NURSES} <= told


def configure(installed: Installation, old: str, new: str) -> None:
    """Another line in the configuration."""
    text = installed.config.read_text(encoding="utf-8")
    assert old in text
    installed.config.write_text(text.replace(old, new), encoding="utf-8")


def waiting(installed: Installation) -> list[tuple[str]]:
    """The messages of which nobody knows yet that they arrived."""
    return installed.rows("SELECT state FROM messages WHERE state IN ('pending', 'sending')")


def held_back(installed: Installation) -> list[tuple[int]]:
    """The urgent alerts of which the end of a round has still to decide how they are told: there were many at once."""
    return installed.rows(
        "SELECT alert_id FROM digest_entries JOIN alerts ON alerts.id = alert_id WHERE state = 'open' AND urgency != 'review'"
    )


def until_status_says(installed: Installation, words: str) -> None:
    """Waits for ``status`` to end in 1 and to say ``words`` among what it finds wrong."""
    said: list[str] = []

    def says() -> bool:
        time.sleep(0.2)  # each look is work
        ran = installed.call("status", "--format", "json", code=None)
        said[:] = ran.json["problems"]
        assert ran.code == int(bool(said)), ran
        return any(words in problem for problem in said)

    try:
        until(says, what=f"a status that says {words!r}")
    except AssertionError as error:
        raise AssertionError(f"{error}; it says {said}") from None
