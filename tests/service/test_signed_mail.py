"""S/MIME as configured: all are signed, those to owners of a certificate encrypted; whose cannot be gets a plain mail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.service.opening import open_site
from monitor.service.post import check_ready, send_due
from tests.delivery.test_smime import Pair, a_pair, openssl
from tests.service.clinic import NORTH, Clinic, on
from tests.service.test_figures_in_mails import lost_walking, pictures_of
from tests.service.test_post import enqueued, rows

NOON = on(36, 15)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return a_pair(tmp_path_factory.mktemp("sender"), "alerts")


@pytest.fixture(scope="module")
def nurse(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return a_pair(tmp_path_factory.mktemp("nurse"), "nurse")


@pytest.fixture
def signing(clinic: Clinic, sender: Pair, nurse: Pair) -> Iterator[Clinic]:
    """The clinic signs every mail, and encrypts those to the first nurse of North."""
    path = clinic.folder / "monitor.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("teams:\n", f"  smime: {{certificate: {sender.certificate}, encrypt: true}}\nteams:\n")
    text = text.replace(f"address: {NORTH[0]}", f"address: {NORTH[0]}, certificate: nurse.pem")
    path.write_text(text, encoding="utf-8")
    (clinic.folder / "nurse.pem").write_bytes(nurse.certificate.read_bytes())
    key = clinic.folder / "smime_key"
    key.write_bytes(sender.key.read_bytes())
    key.chmod(0o600)
    with open_site(path) as site:
        yield Clinic(clinic.folder, clinic.relay, site)


def test_given_a_signing_clinic_when_mails_are_sent_then_all_are_signed_and_those_with_a_certificate_encrypted(
    signing: Clinic, sender: Pair, nurse: Pair
) -> None:
    enqueued(signing, 2)
    assert send_due(signing.site, NOON).accepted == 2
    mails = {mail.recipient: mail.data for mail in signing.relay.mails}
    opened = openssl("-decrypt", "-recip", str(nurse.certificate), "-inkey", str(nurse.key), data=mails[NORTH[0]])
    for signed in (opened, mails[NORTH[1]]):
        assert b"text" in openssl("-verify", "-CAfile", str(sender.certificate), data=signed)
    assert b"<p>text</p>" not in mails[NORTH[0]]


def test_given_a_signing_clinic_when_an_alert_is_told_then_its_picture_is_signed_with_it(signing: Clinic, sender: Pair) -> None:
    lost_walking(signing)
    mails = {mail.recipient: mail for mail in signing.poll(NOON).mails}
    opened = openssl("-verify", "-CAfile", str(sender.certificate), data=mails[NORTH[1]].data)
    assert b"Content-Type: image/png" in opened
    assert pictures_of(mails[NORTH[1]])


def test_given_a_recipient_s_certificate_that_cannot_be_used_when_sent_then_that_one_gets_a_plain_mail_and_the_other_its_own(
    signing: Clinic, sender: Pair
) -> None:
    (signing.folder / "nurse.pem").write_text("no certificate")
    enqueued(signing, 2)
    sent = send_due(signing.site, NOON)
    assert (sent.accepted, sent.failed) == (2, 1)
    mails = {mail.recipient: mail for mail in signing.relay.mails}
    assert b"multipart/signed" in mails[NORTH[1]].data
    assert mails[NORTH[0]].message.get_content_type() == "text/plain"
    assert b"P-0" not in mails[NORTH[0]].data
    ((reason,),) = rows(signing, "SELECT reason FROM messages WHERE state = 'dead'")
    assert "holds no certificate in PEM" in reason


def test_given_a_key_that_is_missing_when_checked_then_a_sentence_says_so_and_nothing_is_claimed(
    signing: Clinic, sender: Pair
) -> None:
    (signing.folder / "smime_key").unlink()
    enqueued(signing, 1)
    for act in (lambda: check_ready(signing.site), lambda: send_due(signing.site, NOON)):
        with pytest.raises(ConfigError, match="no key was found"):
            act()
    assert rows(signing, "SELECT state, attempts FROM messages") == [("pending", 0)]
    assert rows(signing, "SELECT name FROM troubles") == [("mail-settings",)]
    (signing.folder / "smime_key").write_bytes(sender.key.read_bytes())
    (signing.folder / "smime_key").chmod(0o600)
    assert send_due(signing.site, NOON).accepted == 1
    assert rows(signing, "SELECT name FROM troubles") == []


def test_given_no_extra_when_signing_is_configured_then_what_to_install_is_said(signing: Clinic) -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None\n"  # as where it is not installed
        "from pathlib import Path\n"
        "from monitor.service.opening import open_site\n"
        "from monitor.service.post import check_ready\n"
        "check_ready(open_site(Path(sys.argv[1])))\n"
    )
    words = [sys.executable, "-c", program, str(signing.folder / "monitor.yaml")]
    here = Path(__file__).resolve().parents[2]
    ran = subprocess.run(words, check=False, capture_output=True, text=True, cwd=here)
    assert "ConfigError: mail.smime needs cryptography, which is not installed: pip install 'bipn-monitor[smime]'" in ran.stderr


def test_given_a_clinic_that_signs_nothing_when_mail_is_sent_then_the_extra_is_not_even_loaded(clinic: Clinic) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from monitor.service.opening import open_site\n"
        "from monitor.service.post import check_ready\n"
        "check_ready(open_site(Path(sys.argv[1])))\n"
        "print('cryptography' in sys.modules)\n"
    )
    words = [sys.executable, "-c", program, str(clinic.folder / "monitor.yaml")]
    here = Path(__file__).resolve().parents[2]
    assert subprocess.run(words, check=True, capture_output=True, text=True, cwd=here).stdout == "False\n"
