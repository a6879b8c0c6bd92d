"""A clinic in a folder of its own: an open site, a real relay, facts told as import files, rounds under a moved clock."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.clinical.alerts import Alert
from monitor.service import ingest
from monitor.service.escalate import escalate
from monitor.service.opening import Site, open_site
from monitor.service.post import PostSummary, send_due
from monitor.service.round import RoundSummary, run_round
from monitor.store import alerts
from tests import engines
from tests.engines import Other
from tests.smtp_server import ReceivedMail, SmtpServer

ZONE = ZoneInfo("Europe/Berlin")
FILE = "site.db"
NORTH = ("north-1@hospital.example", "north-2@hospital.example")
SOUTH = ("south@hospital.example",)
CONFIG = """\
time_zone: Europe/Berlin
database: sqlite:///site.db
guideline: us-label
poll_every: 60 s
announce_within_days: 14
mail:
  sender: alerts@hospital.example
  relay: {{host: 127.0.0.1, port: {port}, insecure: true}}
teams:
  north:
    sites: ["*"]
    recipients:
      - {{name: Nurse North, address: north-1@hospital.example, language: en}}
      - {{name: Second North, address: north-2@hospital.example, language: en}}
  south:
    sites: [South]
    recipients:
      - {{name: Nurse South, address: south@hospital.example, language: en}}
"""
FIRST_ON = date(2026, 1, 5)  # the first dose of every patient here; a Monday


def on(number: int, hour: int = 12, minute: int = 0) -> datetime:
    """A local time of a day of treatment, in UTC; day 0 is FIRST_ON."""
    return local(FIRST_ON + timedelta(days=number), hour, minute)


def local(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """A local time of a day, in UTC."""
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


@dataclass(frozen=True)
class Polled:
    """What one poll did, and the mails that came of it."""

    round: RoundSummary
    sent: PostSummary
    mails: tuple[ReceivedMail, ...]

    @property
    def recipients(self) -> list[str]:
        return sorted(mail.recipient for mail in self.mails)


@dataclass
class Clinic:
    """See the module."""

    folder: Path
    relay: SmtpServer
    site: Site
    _files: Iterator[int] = field(default_factory=count)

    def tell(self, kind: str, *rows: dict[str, object], now: datetime) -> ingest.ImportReport:
        """Import rows of one kind at an instant. ``recorded_at`` is that instant unless a row says."""
        columns = dict.fromkeys(name for row in rows for name in row)
        if kind != "patients":
            columns["recorded_at"] = None
        path = self.folder / f"feed-{next(self._files)}" / f"{kind}.csv"
        path.parent.mkdir()
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(columns))
            writer.writeheader()
            writer.writerows({"recorded_at": now.isoformat()} | row if kind != "patients" else row for row in rows)
        report = ingest.import_paths(self.site.database, [path], zone=ZONE, now=now)
        assert report.rejected == []
        return report

    def on_bortezomib(self, *patients: str, until_day: int = 35, **patient: Any) -> None:
        """Patients with a weekly course and its doses from FIRST_ON; each dose was known on its day."""
        for name in patients:
            self.tell("patients", {"patient_id": name} | patient, now=on(0, 7))
            course = {"patient_id": name, "started_on": FIRST_ON, "schedule": "weekly", "source_id": f"{name}-course"}
            self.tell("courses", course, now=on(0, 8))
            for number in range(0, until_day + 1, 7):
                dose = {"patient_id": name, "given_at": FIRST_ON + timedelta(days=number), "dose_mg_per_m2": 1.3}
                self.tell("doses", dose | {"source_id": f"{name}-d{number}"}, now=on(number, 9))

    def assess(self, patient: str, number: int, *, known: datetime | None = None, source: str = "", **found: Any) -> None:
        """An assessment on a day of treatment, known in its afternoon unless said otherwise."""
        row = {"patient_id": patient, "assessed_at": FIRST_ON + timedelta(days=number), "ctcae_version": "4.03"}
        self.tell("assessments", row | {"source_id": source or f"{patient}-a{number}"} | found, now=known or on(number, 14))

    def poll(self, at: datetime) -> Polled:
        """One round and its mails; what nobody answers is not told again."""
        before = len(self.relay.mails)
        done, sent = run_round(self.site, at), send_due(self.site, at)
        return Polled(done, sent, tuple(self.relay.mails[before:]))

    def watch(self, at: datetime) -> Polled:
        """As the daemon does: a round, what is due for want of an answer, and the mails of both."""
        before = len(self.relay.mails)
        done, reminders = run_round(self.site, at), escalate(self.site, at)
        sent = send_due(self.site, at)
        return Polled(replace(done, queued=done.queued + reminders), sent, tuple(self.relay.mails[before:]))

    def alerts(self, *, open_only: bool = False) -> list[Alert]:
        with self.site.database.read() as connection:
            return alerts.all_alerts(connection, open_only=open_only)

    def alert(self, patient: str, rule: str) -> Alert:
        """The newest alert of a rule."""
        return [each for each in self.alerts() if (each.patient_id, each.finding.rule) == (patient, rule)][-1]

    def holding(self) -> set[tuple[str, str, str]]:
        """Patient, rule and urgency of the alerts that are open or acknowledged."""
        return {(each.patient_id, each.finding.rule, each.urgency.value) for each in self.alerts(open_only=True)}

    def another_program(self) -> AbstractContextManager[Other]:
        """A plain connection as an electronic-record interface would open it; it commits at the end of the block."""
        return engines.another_program(self.folder, FILE, one_transaction=True)


@contextmanager
def a_clinic(folder: Path, *, more: str = "", north: str = "", second: str = "en") -> Iterator[Clinic]:
    """An empty clinic whose relay takes everything; ``more`` is added to its configuration, ``north`` to that team's.

    ``second`` is the language of that team's second nurse.
    """
    with SmtpServer() as relay:
        config = folder / "monitor.yaml"
        written = CONFIG.format(port=relay.port)
        if engines.engine_of(folder) == "postgresql":
            written = written.replace(f"sqlite:///{FILE}", engines.a_server_url(folder))
        written = written.replace("  south:\n", f"{north}  south:\n")
        written = written.replace(f"{NORTH[1]}, language: en", f"{NORTH[1]}, language: {second}")
        config.write_text(written + more, encoding="utf-8")
        with open_site(config, create=True) as site:
            yield Clinic(folder, relay, site)
