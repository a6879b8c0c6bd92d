"""The daemon and a FHIR R4 server that nobody here wrote: from a record stored there to a nurse's mailbox, and back."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from monitor.service import clock
from tests.e2e.installation import NURSES, Installation, until
from tests.e2e.nursery import Child, Nursery
from tests.e2e.ward import WATCHING, waiting
from tests.fhir_server import a_motor_grade
from tests.sekmet import TOKEN, Sekmet
from tests.smtp_server import SmtpServer

FEED = """\
feeds:
  hospital: {{kind: fhir, url: "{url}", insecure: true, sign_in: bearer, every: 1 s, page_size: 3, deletions: true}}
"""
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PATIENT = {
    "resourceType": "Patient",
    "id": "ex-pat-1",
    "identifier": [{"system": "https://hospital.example/mrn", "value": "4711"}],
}


def a_dose(number: int, on: date) -> dict[str, Any]:
    return {
        "resourceType": "MedicationAdministration",
        "id": f"ex-admin-{number}",
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "358258", "display": "bortezomib"}]},
        "subject": {"reference": "Patient/ex-pat-1"},
        "effectiveDateTime": f"{on}T10:00:00+01:00",
        "dosage": {"dose": {"value": 2.2, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}},
    }


def a_surface(on: date) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "ex-bsa-1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "3140-1"}]},
        "subject": {"reference": "Patient/ex-pat-1"},
        "effectiveDateTime": f"{on}",
        "valueQuantity": {"value": 1.7, "unit": "m2", "system": "http://unitsofmeasure.org", "code": "m2"},
    }


def a_story(today: date) -> dict[str, Any]:
    """A transaction: a month of weekly bortezomib, well a week ago, weak today. More than one page of everything."""
    resources = [
        PATIENT,
        a_surface(today - timedelta(days=29)),
        *(a_dose(week, today - timedelta(days=29 - 7 * week)) for week in range(5)),
        *(
            a_motor_grade(f"ex-motor-{days}", patient="ex-pat-1", grade=1, on=f"{today - timedelta(days=days)}")
            for days in (14, 7)
        ),
        the_finding(today),
    ]
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}} for each in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def the_finding(today: date, status: str = "final") -> dict[str, Any]:
    return a_motor_grade("ex-motor-1", patient="ex-pat-1", grade=3, on=f"{today}", status=status)


def watching(nursery: Nursery, installed: Installation) -> Child:
    child = nursery.start(installed, "run")
    until(lambda: child.code is not None or WATCHING in child.own_log, seconds=30, what="a daemon that watches")
    assert child.code is None, child.log
    return child


def a_site(folder: Path, port: int, url: str) -> Installation:
    installed = Installation(folder / "site", port)
    with installed.config.open("a", encoding="utf-8") as config:
        config.write(FEED.format(url=url))
    secret = installed.folder / "feed_hospital"
    secret.write_text(TOKEN + "\n", encoding="utf-8")
    secret.chmod(0o600)
    return installed


def test_given_a_live_server_when_a_record_is_stored_and_taken_back_then_both_are_told_once_whatever_dies_in_between(
    tmp_path: Path,
) -> None:
    today = clock.now().date()
    with Sekmet.here() as server, SmtpServer() as relay:
        server.load(a_story(today))
        installed = a_site(tmp_path, relay.port, server.url)
        with Nursery(installed) as nursery:
            first = watching(nursery, installed)
            until(lambda: len(relay.mails) >= len(NURSES), what="the mail about the finding")
            until(lambda: not waiting(installed), what="their outcome")  # a mail whose outcome is not known goes once more
            first.kill()
            assert sorted(mail.recipient for mail in relay.mails) == sorted(NURSES)
            told = len(relay.mails)

            server.put(the_finding(today, status="entered-in-error"))
            second = watching(nursery, installed)
            until(lambda: len(relay.mails) >= told + len(NURSES), what="the correction notice")
            corrections = relay.mails[told:]
            assert sorted(mail.recipient for mail in corrections) == sorted(NURSES)
            assert all("correct" in str(mail.message["Subject"]).lower() for mail in corrections)

            server.stop()
            until(lambda: feed(installed)["problem"], what="a server that is missed")
            server.start()
            installed.write("UPDATE feeds SET retry_at = NULL")  # a test does not wait for the pause after a fault
            server.put(the_finding(today))
            until(lambda: len(relay.mails) >= told + 2 * len(NURSES), seconds=60, what="the mail about what was stored since")
            until(lambda: feed(installed)["problem"] is None, what="a server that is back")
            server.delete("Observation", "ex-motor-1")
            until(lambda: len(relay.mails) >= told + 3 * len(NURSES), what="the correction notice of what was deleted")
            assert second.terminate() == 0
            assert "Traceback" not in second.log
            assert TOKEN not in second.log
    assert len(relay.mails) == 4 * len(NURSES)


def feed(installed: Installation) -> dict[str, Any]:
    (found,) = installed.call("status", "--format", "json", code=None).json["feeds"]
    assert isinstance(found, dict)
    return found
