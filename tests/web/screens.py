"""A board that real browsers look at: served, with an open, an acknowledged and a snoozed alert; and its viewers' windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Page

from monitor.service.acts import acknowledge, snooze
from monitor.service.coverage import daily_statement
from monitor.service.ingest import import_paths
from monitor.web import sessions
from tests.service.clinic import ZONE, a_clinic, on
from tests.smtp_server import ReceivedMail
from tests.web.house import AUDITOR, BOARD, NURSE, House, served

GERMAN_NURSE, GERMAN_AUDITOR = "nord@hospital.example", "pruefer@hospital.example"
MORE = f"""\
{BOARD}    - {{name: Prüfer, address: {GERMAN_AUDITOR}, role: auditor, language: de}}
people:
  nord: {{name: Pflege Nord, address: {GERMAN_NURSE}, language: de}}
operations: {{address: operations@hospital.example}}
coverage: {{}}
"""
NORTH = "    escalation:\n      immediate: [{to: [nord]}]\n"

Result = TypeVar("Result")


def beside(work: Callable[[], Result]) -> Result:
    """Done in a thread of its own: Playwright's loop runs in the tests' one, and a relay is spoken to by a loop as well."""
    with ThreadPoolExecutor(1) as one:
        return one.submit(work).result()


@dataclass
class Screens:
    """A served board at ``address``, and what its pages said to their console, which is nothing where all is well."""

    house: House
    address: str
    mails: list[ReceivedMail]
    console: list[str] = field(default_factory=list)

    def window(self, browser: Browser, viewer: str | None, **screen: Any) -> Page:
        """A window of a viewer's own; ``screen`` as Playwright has it: viewport, color_scheme, java_script_enabled..."""
        context = browser.new_context(base_url=self.address, **screen)
        if viewer is not None:
            name, value = sessions.cookie_name(self.house.board), self.house.session_of(viewer)
            context.add_cookies([{"name": name, "value": value, "url": self.address}])
        page = context.new_page()
        page.on("console", lambda said: self.console.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.console.append(str(error)))
        return page


@contextmanager
def screens(folder: Path) -> Iterator[Screens]:
    """P-1 is open and immediate, P-2 acknowledged, P-3 to be looked at the same day and snoozed."""
    with a_clinic(folder, more=MORE, north=NORTH) as clinic:
        house = House(clinic)
        mails = beside(lambda: _story(house))
        with served(house) as address:
            yield Screens(house, address, mails)


def _story(house: House) -> list[ReceivedMail]:
    mails = house.worse("P-1", "P-2", site="North", display_name="Muster, Erika")
    house.clinic.on_bortezomib("P-3")
    house.clinic.assess("P-3", 35, sensory_grade=2, motor_grade=0, neuropathic_pain="no")
    mails += house.clinic.poll(on(36, 8, 30)).mails
    for alert in house.clinic.alerts(open_only=True):
        name = f"A-{alert.alert_id}"
        if alert.patient_id == "P-2":
            acknowledge(house.clinic.site, name, by="Nurse North", note="Neurologie informiert <b>", now=on(36, 8, 40))
        if alert.patient_id == "P-3" and alert.urgency.rank < 2:
            later = on(36, 8, 40) + timedelta(hours=3)
            snooze(house.clinic.site, name, until=later, by="Nurse North", reason="seen on the ward", now=on(36, 8, 40))
    daily_statement(house.clinic.site, on(36, 8, 45))
    refused = house.clinic.folder / "doses.csv"
    refused.write_text("patient_id,given_at,dose_mg_per_m2\nP-1,2026-02-09,much\n,someday,1.3\n", encoding="utf-8")
    import_paths(house.clinic.site.database, [refused], zone=ZONE, now=on(36, 8, 50))
    return mails


PAGES = {
    "list": ("/", NURSE, GERMAN_NURSE),
    "patient": ("/alerts/1", NURSE, GERMAN_NURSE),
    "patient read by an auditor": ("/alerts/1", AUDITOR, GERMAN_AUDITOR),
    "find": ("/find", NURSE, GERMAN_NURSE),
    "policy": ("/policy", NURSE, GERMAN_NURSE),
    "data quality": ("/data-quality", NURSE, GERMAN_NURSE),
    "health": ("/health", AUDITOR, GERMAN_AUDITOR),
    "coverage": ("/coverage", AUDITOR, GERMAN_AUDITOR),
    "journal": ("/journal", AUDITOR, GERMAN_AUDITOR),
    "sign in": ("/sign-in", None, None),
    "no such page": ("/alerts/999", NURSE, GERMAN_NURSE),
}
"""Every page: its path, and who looks at it in English and in German."""
