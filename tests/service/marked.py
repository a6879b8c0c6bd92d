"""A clinic whose patients carry a marker in every field, and a relay under TLS: every kind of mail, as it was really sent.

with a_marked_clinic(tmp_path, "identified", monkeypatch, seed=1) as marked:
    marked.live()                              # weeks of it: alert, reminder, escalation, digest, correction, coverage, ...
    marked.clinic.relay.mails
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.service.coverage import daily_statement
from monitor.service.opening import open_site, read_configuration
from monitor.service.post import send_due
from tests.service.clinic import CONFIG, FIRST_ON, NORTH, Clinic, on
from tests.service.test_rounds_and_mails import LOST, WELL
from tests.smtp_server import SmtpServer, self_signed

CHIEF, OPERATIONS = "chief@hospital.example", "it-duty@hospital.example"
BORN = "1911-11-23"
BORN_WRITTEN = (BORN, "23 Nov 1911", "23. Nov. 1911", "23.11.1911", "11/23/1911")
MORE = f"""\
privacy: {{privacy}}
operations: {{{{address: {OPERATIONS}, language: de}}}}
coverage: {{{{at: "06:30", days: 7}}}}
people:
  chief: {{{{name: The Chief, address: {CHIEF}, language: de}}}}
"""
CHAIN = "    escalation: {immediate: [{to: [chief], after: 30 min}]}\n"
AROUND = ("{0} <b>&amp; %s", "{{{{ {0} }}}}", "{0}, \u00c4\u0142\u00e9 'x'", '{0} "%(y)s" {{0}}', "\u201e{0}\u201c;--")
"""What stands around a marker: what templates, formats, HTML and headers might trip over."""


@dataclass(frozen=True)
class Marks:
    """Words that occur nowhere else. ``name`` may be read where patients are named, ``ids`` where pseudonyms are.

    ``record`` is the one of ``never`` that identifies records.
    """

    name: str
    record: str
    never: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def secret(self) -> tuple[str, ...]:
        """What no header, log or status may hold."""
        return (self.name, *BORN_WRITTEN, *self.never)


@dataclass
class Marked:
    """See the module."""

    clinic: Clinic
    marks: Marks
    words: dict[str, str]

    def live(self) -> None:
        """Three patients: one told alone, one in a digest, one whose record cannot be read; two are corrected."""
        alone, listed, unreadable = self.marks.ids
        for name in self.marks.ids:
            self._admit(name)
        assert self.clinic.watch(on(35, 18)).mails == ()
        self._assess(alone, 36, on(36, 14), LOST)
        self.clinic.relay.script(".", "554 5.6.0 not as it is written")  # one gets a plain mail in its place
        for minutes in (15 * 60, 15 * 60 + 30, 16 * 60 + 30):
            self.clinic.watch(on(36) - timedelta(hours=12) + timedelta(minutes=minutes))
        self._state(on(37, 6, 31))
        self._assess(listed, 37, on(52, 8), LOST)
        with self.clinic.another_program() as connection:
            connection.execute(
                "INSERT INTO assessments (patient_id, assessed_at, notes, assessor, source_id) VALUES (?, '2026-13-45', ?, ?, ?)",
                (unreadable, self.words["notes"], self.words["assessor"], self.words["source_id"]),
            )
        self.clinic.watch(on(52, 9))
        for name, day in ((alone, 36), (listed, 37)):
            self._assess(name, day, on(53, 10), WELL)
        self.clinic.watch(on(53, 11))
        self._state(on(54, 6, 31))

    def kinds(self) -> set[str]:
        """Of the mails that the relay took."""
        with self.clinic.another_program() as connection:
            return {kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM messages WHERE state = 'accepted'")}

    def again(self, *exchanges: tuple[str, str]) -> None:
        """The same clinic with its configuration changed."""
        path = self.clinic.folder / "monitor.yaml"
        text = path.read_text(encoding="utf-8")
        for old, new in exchanges:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        read = read_configuration(path)
        self.clinic.site = replace(self.clinic.site, settings=read.settings, policy=read.policy)

    def _admit(self, name: str) -> None:
        words = self.words
        self.clinic.tell(
            "patients",
            {
                "patient_id": name,
                "display_name": words["display_name"],
                "birth_date": BORN,
                "sex": words["sex"],
                "diagnosis": words["diagnosis"],
                "comorbidities": words["comorbidities"],
            },
            now=on(0, 7),
        )
        course = {"patient_id": name, "started_on": FIRST_ON, "schedule": "weekly", "source_id": f"{words['source_id']}{name}"}
        self.clinic.tell("courses", course, now=on(0, 8))
        for number in range(0, 36, 7):
            dose = {"patient_id": name, "given_at": FIRST_ON + timedelta(days=number), "dose_mg_per_m2": 1.3}
            self.clinic.tell("doses", dose | {"source_id": f"{words['source_id']}{name}d{number}"}, now=on(number, 9))
        self._assess(name, 30, on(30, 14), WELL)

    def _assess(self, name: str, day: int, known: datetime, found: dict[str, object]) -> None:
        words = {"notes": self.words["notes"], "assessor": self.words["assessor"]}
        self.clinic.assess(name, day, known=known, source=f"{self.words['source_id']}{name}a{day}", **found, **words)

    def _state(self, at: datetime) -> None:
        daily_statement(self.clinic.site, at)
        send_due(self.clinic.site, at)


def marks(seed: int) -> tuple[Marks, dict[str, str]]:
    """Generated: a marker for each field, and the fields as they are written."""
    drawn = random.Random(seed)  # noqa: S311  # the same for each seed

    def marker() -> str:
        return "Zq" + "".join(drawn.choices(string.ascii_lowercase, k=8))

    fields = {name: marker() for name in ("display_name", "sex", "diagnosis", "comorbidities", "notes", "assessor", "source_id")}
    words = {name: drawn.choice(AROUND).format(found) for name, found in fields.items()}
    words |= {"source_id": fields["source_id"], "comorbidities": f"{fields['comorbidities']}; gout"}
    ids = tuple(f"{marker()}-{number}" for number in range(3))
    name = fields.pop("display_name")
    return Marks(name=name, record=fields["source_id"], never=tuple(fields.values()), ids=ids), words


@contextmanager
def a_marked_clinic(
    folder: Path, privacy: str, monkeypatch: pytest.MonkeyPatch, *, seed: int = 1, tls: bool = True
) -> Iterator[Marked]:
    """The second nurse of North and everybody else but the first read German."""
    certificate = self_signed(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    with SmtpServer(tls=certificate.serving()) as relay:
        text = CONFIG.format(port=relay.port).replace("  south:\n", f"{CHAIN}  south:\n")
        text = text.replace(f"{NORTH[1]}, language: en", f"{NORTH[1]}, language: de")
        if tls:
            text = text.replace(", insecure: true", "").replace("teams:\n", "  staff_domains: [hospital.example]\nteams:\n")
        path = folder / "monitor.yaml"
        path.write_text(text + MORE.format(privacy=privacy), encoding="utf-8")
        found, words = marks(seed)
        with open_site(path, create=True) as site:
            yield Marked(Clinic(folder, relay, site), found, words)
