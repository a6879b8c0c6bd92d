"""Names in mails: to whom, decided when a mail is written and again when it leaves; in no subject, whatever a template asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.service.broken_templates import broken_templates
from monitor.service.coverage import daily_statement
from monitor.service.naming import may_name
from monitor.service.opening import open_site, read_configuration
from monitor.service.post import send_due
from monitor.service.round import run_round
from tests.delivery.test_smime import Pair, a_pair, openssl
from tests.service.clinic import CONFIG, NORTH, SOUTH, Clinic, on
from tests.service.marked import CHIEF, OPERATIONS, Marked, a_marked_clinic
from tests.service.test_privacy import bodies
from tests.service.test_rounds_and_mails import LOST, WELL, watched
from tests.smtp_server import ReceivedMail

NAME, BORN = "Zacharias Quibberling", "1911-11-23"
PATIENT: dict[str, object] = {"display_name": NAME, "birth_date": BORN}


@pytest.fixture
def naming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Marked]:
    """Everybody is staff, every relay speaks TLS, and mails name patients."""
    with a_marked_clinic(tmp_path, "identified", monkeypatch) as marked:
        yield marked


def named(mails: tuple[ReceivedMail, ...]) -> dict[str, bool]:
    """Whether each reader's mail names the patient, in both bodies, and says so in its header."""
    found = {}
    for mail in mails:
        parts = [str(part.get_content()) for part in mail.message.walk() if part.get_content_maintype() == "text"]
        told = {NAME in part for part in parts}
        assert told == {mail.message["Sensitivity"] == "Company-Confidential"}, mail.message["Subject"]
        found[mail.recipient] = told == {True}
    return found


def lost_walking(marked: Marked) -> tuple[ReceivedMail, ...]:
    watched(marked.clinic, "P-1", **PATIENT)
    marked.clinic.assess("P-1", 36, **LOST)
    return marked.clinic.watch(on(36, 15)).mails


def test_given_staff_and_tls_when_told_then_each_reads_name_and_birth_date_as_his_language_writes_it(naming: Marked) -> None:
    mails = lost_walking(naming)
    assert named(mails) == dict.fromkeys(NORTH, True)
    texts = {mail.recipient: " ".join(mail.text.split()) for mail in mails}
    assert "born 23 Nov 1911" in texts[NORTH[0]]
    assert "geboren 23. Nov. 1911" in texts[NORTH[1]]
    assert all("P-1" in text for text in texts.values())


def test_given_a_name_that_was_corrected_when_told_then_the_mail_has_the_one_in_force(naming: Marked) -> None:
    watched(naming.clinic, "P-1", display_name="Zacharias Wrong", birth_date=BORN)
    naming.clinic.tell("patients", {"patient_id": "P-1"} | PATIENT, now=on(36, 9))
    naming.clinic.assess("P-1", 36, **LOST)
    mails = naming.clinic.watch(on(36, 15)).mails
    assert named(mails) == dict.fromkeys(NORTH, True)
    assert not [mail for mail in mails if "Wrong" in bodies(mail)]


def test_given_a_patient_without_a_name_when_told_then_the_pseudonym_stands_alone_and_nothing_says_none(naming: Marked) -> None:
    watched(naming.clinic, "P-1")
    naming.clinic.assess("P-1", 36, **LOST)
    for mail in naming.clinic.watch(on(36, 15)).mails:
        assert "P-1" in mail.text
        assert "None" not in bodies(mail)


def test_given_an_address_that_is_configured_no_more_when_corrected_then_it_is_told_by_pseudonym(naming: Marked) -> None:
    lost_walking(naming)
    naming.again((f"      - {{name: Second North, address: {NORTH[1]}, language: de}}\n", ""))
    naming.clinic.assess("P-1", 36, known=on(36, 15, 10), **WELL)
    corrected = naming.clinic.watch(on(36, 15, 11)).mails
    assert named(corrected) == {NORTH[0]: True, NORTH[1]: False}
    assert all("P-1" in mail.text for mail in corrected)


def test_given_operations_when_the_statement_is_made_then_it_has_the_pseudonym_alone(naming: Marked) -> None:
    watched(naming.clinic, "P-1", **PATIENT)
    naming.clinic.assess("P-1", 36, **LOST)
    naming.clinic.relay.always("MAIL", "451 4.3.0 not now")
    naming.clinic.watch(on(36, 15))
    daily_statement(naming.clinic.site, on(37, 7))
    naming.clinic.relay.always("MAIL", "250 2.1.0 fine")
    send_due(naming.clinic.site, on(38, 7), force_probe=True)
    (statement,) = [mail for mail in naming.clinic.relay.mails if mail.recipient == OPERATIONS and "P-1" in mail.text]
    assert named((statement,)) == {OPERATIONS: False}


@pytest.mark.parametrize(
    "change",
    [
        [("privacy: identified", "privacy: pseudonym")],
        [("privacy: identified", "privacy: none")],
        [("privacy: identified", "privacy: pseudonym"), ("  staff_domains: [hospital.example]\n", "")],
        [("privacy: identified", "privacy: pseudonym"), ("}\n  staff_domains", ", insecure: true}\n  staff_domains")],
    ],
)
def test_given_a_mail_that_waits_when_the_level_is_lowered_then_a_plain_mail_goes_in_its_place_and_operations_hear_why(
    naming: Marked, change: list[tuple[str, str]]
) -> None:
    watched(naming.clinic, "P-1", **PATIENT)
    naming.clinic.assess("P-1", 36, **LOST)
    run_round(naming.clinic.site, on(36, 15))
    naming.again(*change)
    send_due(naming.clinic.site, on(36, 15))
    mails = tuple(naming.clinic.relay.mails)
    assert named(mails) == dict.fromkeys([*NORTH, OPERATIONS], False)
    for mail in mails:
        assert NAME.encode() not in mail.data
        assert mail.recipient == OPERATIONS or mail.message.get_content_type() == "text/plain"
    assert naming.kinds() == {"plain", "operations"}
    with naming.clinic.another_program() as connection:
        reasons = {reason for (reason,) in connection.execute("SELECT reason FROM messages WHERE state = 'dead'")}
    words = "it names a patient, which the configuration does not allow to this address any more"
    assert reasons == {f"it cannot be written: {words}"}


def test_given_a_mail_that_waits_when_its_reader_leaves_the_configuration_then_a_plain_mail_goes_in_its_place(
    naming: Marked,
) -> None:
    watched(naming.clinic, "P-1", **PATIENT)
    naming.clinic.assess("P-1", 36, **LOST)
    run_round(naming.clinic.site, on(36, 15))
    naming.again((f"      - {{name: Second North, address: {NORTH[1]}, language: de}}\n", ""))
    send_due(naming.clinic.site, on(36, 15))
    assert named(tuple(naming.clinic.relay.mails)) == {NORTH[0]: True, NORTH[1]: False, OPERATIONS: False}


def test_given_a_template_that_asks_for_the_name_in_the_subject_when_told_then_the_subject_has_none(naming: Marked) -> None:
    own = naming.clinic.folder / "own" / "alert"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("look: {{ mail.patient.display_name or 'somebody' }} {{ mail.patient.born_on or '' }}")
    naming.again(("privacy: identified", "privacy: identified\ntemplates: own"))
    mails = lost_walking(naming)
    assert named(mails) == dict.fromkeys(NORTH, True)
    assert {mail.message["Subject"] for mail in mails} == {"look: somebody"}


def test_given_a_template_that_fails_on_a_name_when_told_then_neither_log_nor_alarm_says_it(
    naming: Marked, caplog: pytest.LogCaptureFixture
) -> None:
    own = naming.clinic.folder / "own" / "alert"
    own.mkdir(parents=True)
    (own / "body.txt").write_text("{{ {}[(mail.patient.display_name or 'x x').split()[0]] }}")
    naming.again(("privacy: identified", "privacy: identified\ntemplates: own"))
    lost_walking(naming)
    assert "a template failed" in caplog.text
    assert "Zacharias" not in caplog.text
    (alarm,) = [mail for mail in naming.clinic.relay.mails if mail.recipient == OPERATIONS]
    assert "Zacharias" not in bodies(alarm)
    with naming.clinic.another_program() as connection:
        journal = connection.execute("SELECT body FROM journal").fetchall()
    assert "Zacharias" not in str(journal)


@pytest.mark.parametrize(("privacy", "mistakes"), [("identified", 1), ("pseudonym", 0)])
def test_given_a_template_that_fails_only_with_a_name_when_checked_then_it_is_told_where_mails_name_patients(
    naming: Marked, privacy: str, mistakes: int
) -> None:
    own = naming.clinic.folder / "own" / "correction"
    own.mkdir(parents=True)
    (own / "body.txt").write_text(
        "x{% if mail.patient and mail.patient.display_name %}{{ mail.patient.display_name.nose }}{% endif %}"
    )
    naming.again(("privacy: identified", f"privacy: {privacy}\ntemplates: own"))
    found = [problem.message for problem in broken_templates(naming.clinic.site.settings)]
    assert found == ["there is no nose here; did you mean dose?"] * mistakes


def test_given_a_certificate_and_encryption_when_told_then_the_name_travels_inside_the_encryption_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, nurse = a_pair(tmp_path, "alerts"), a_pair(tmp_path, "nurse")
    with a_marked_clinic(tmp_path, "pseudonym", monkeypatch, tls=False) as marked:
        key = marked.clinic.folder / "smime_key"
        key.write_bytes(sender.key.read_bytes())
        key.chmod(0o600)
        with_certificate = [(f"{address}, ", f"{address}, certificate: nurse.pem, ") for address in (*NORTH, *SOUTH, CHIEF)]
        smime = "  smime: {certificate: alerts.pem, encrypt: true}\nteams:\n"
        marked.again(*with_certificate, ("teams:\n", smime), ("privacy: pseudonym", "privacy: identified"))
        mails = lost_walking(marked)
        assert {mail.recipient for mail in mails} == set(NORTH)
        for mail in mails:
            assert NAME.encode() not in mail.data
            assert mail.message.get_content_type() == "application/pkcs7-mime"
            assert _opened(mail, nurse)
        _without_encryption_it_is_refused(marked.clinic)


def _opened(mail: ReceivedMail, nurse: Pair) -> bool:
    return NAME.encode() in openssl("-decrypt", "-recip", str(nurse.certificate), "-inkey", str(nurse.key), data=mail.data)


def _without_encryption_it_is_refused(clinic: Clinic) -> None:
    path = clinic.folder / "monitor.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("encrypt: true", "encrypt: false"), encoding="utf-8")
    with pytest.raises(ConfigError, match="privacy: identified would name patients"):
        read_configuration(path)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        (NORTH[0], True),
        (NORTH[0].upper(), True),
        (CHIEF, True),
        (OPERATIONS, False),
        ("nurse@hospital.example", False),
        ("", False),
    ],
)
def test_given_an_address_when_asked_then_only_those_who_are_configured_to_hear_of_patients_may_read_names(
    naming: Marked, address: str, allowed: bool
) -> None:
    assert may_name(naming.clinic.site.settings, address) is allowed


def test_given_a_private_mailbox_and_staff_domains_when_opened_then_the_configuration_is_refused(tmp_path: Path) -> None:
    text = CONFIG.format(port=25).replace("teams:\n", "  staff_domains: [hospital.example]\nteams:\n")
    (tmp_path / "monitor.yaml").write_text(text.replace(SOUTH[0], "south@portal.example"), encoding="utf-8")
    with pytest.raises(ConfigError, match="a patient portal or private mailbox is no channel"):
        open_site(tmp_path / "monitor.yaml", create=True)
