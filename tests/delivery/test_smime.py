"""S/MIME, read back by the ``openssl`` program."""

from __future__ import annotations

import email
import email.policy
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.delivery.message import OutgoingMessage, build
from monitor.delivery.smime import Identity, certificate_of, identity, protect, recipient_certificate
from monitor.errors import ConfigError

MESSAGE = OutgoingMessage(
    message_id="<1@hospital.example>",
    sender="alerts@hospital.example",
    recipient="nurse@hospital.example",
    subject="IMMEDIATE - look at once: 1 patient [A-1] für a subject so long that it has to be folded over several lines",
    text="Lost walking. Größe.\n.a dot\n\nlast line\n",
    html="<html><body><p>Lost walking</p></body></html>",
    date=datetime(2026, 3, 1, 12, tzinfo=UTC),
    maybe_repeat=True,
)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path


def a_pair(folder: Path, name: str, algorithm: str = "rsa:2048") -> Pair:
    """Self-signed, by the ``openssl`` program."""
    made = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"] if algorithm == "ec" else []
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", algorithm, *curve, "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=email:{name}@hospital.example", "-addext", "extendedKeyUsage=emailProtection",
         "-keyout", str(made.key), "-out", str(made.certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return a_pair(tmp_path_factory.mktemp("sender"), "alerts")


@pytest.fixture(scope="module")
def nurse(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return a_pair(tmp_path_factory.mktemp("nurse"), "nurse")


def signer(pair: Pair) -> Identity:
    return identity(pair.certificate, pair.key.read_text())


def openssl(*words: str, data: bytes) -> bytes:
    done = subprocess.run(["openssl", "smime", *words], input=data, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def body_of(data: bytes) -> tuple[str, str]:
    """The text and the page of a mail."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    plain, page = message.get_body(preferencelist=("plain",)), message.get_body(preferencelist=("html",))
    assert plain is not None
    assert page is not None
    return str(plain.get_content()), str(page.get_content())


@pytest.mark.parametrize("algorithm", ["rsa:2048", "ec"])
def test_given_a_mail_when_signed_then_openssl_verifies_it_and_a_reader_without_s_mime_reads_it(
    algorithm: str, tmp_path: Path
) -> None:
    pair = a_pair(tmp_path, "alerts", algorithm)
    data = build(MESSAGE)
    protected = protect(data, signer(pair), None)
    verified = openssl("-verify", "-CAfile", str(pair.certificate), data=protected)
    assert body_of(verified) == body_of(data) == body_of(protected)
    before, after = (email.message_from_bytes(each, policy=email.policy.default) for each in (data, protected))
    for name in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"):
        assert after[name] == before[name]
        assert len(after.get_all(name, [])) == 1


def test_given_a_signed_mail_when_a_letter_is_changed_then_openssl_refuses_it(sender: Pair) -> None:
    protected = protect(build(MESSAGE), signer(sender), None).replace(b"Lost walking", b"Lost walling")
    words = ["openssl", "smime", "-verify", "-CAfile", str(sender.certificate)]
    assert subprocess.run(words, input=protected, check=False, capture_output=True).returncode != 0


def test_given_a_recipient_with_a_certificate_when_encrypted_then_only_its_key_reads_it(
    sender: Pair, nurse: Pair, tmp_path: Path
) -> None:
    data = build(MESSAGE)
    protected = protect(data, signer(sender), recipient_certificate(nurse.certificate))
    assert b"Lost walking" not in protected
    assert b"multipart/signed" not in protected
    opened = openssl("-decrypt", "-recip", str(nurse.certificate), "-inkey", str(nurse.key), data=protected)
    verified = openssl("-verify", "-CAfile", str(sender.certificate), data=opened)
    assert body_of(verified) == body_of(data)
    other = a_pair(tmp_path, "other")
    words = ["openssl", "smime", "-decrypt", "-recip", str(other.certificate), "-inkey", str(other.key)]
    assert b"Lost walking" not in subprocess.run(words, input=protected, check=False, capture_output=True).stdout


def test_given_a_mail_when_protected_then_its_lines_end_as_smtp_wants_and_are_short(sender: Pair, nurse: Pair) -> None:
    for recipient in (None, recipient_certificate(nurse.certificate)):
        protected = protect(build(MESSAGE), signer(sender), recipient)
        assert b"\n" not in protected.replace(b"\r\n", b"")
        assert b"\r" not in protected.replace(b"\r\n", b"")
        assert max(map(len, protected.split(b"\r\n"))) <= 100


def test_given_keys_and_certificates_that_do_not_serve_when_read_then_a_sentence_says_why(
    sender: Pair, nurse: Pair, tmp_path: Path
) -> None:
    curve = a_pair(tmp_path, "curve", "ec")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    with pytest.raises(ConfigError, match="no key was found"):
        identity(sender.certificate, None)
    with pytest.raises(ConfigError, match="without a password"):
        identity(sender.certificate, "no key")
    with pytest.raises(ConfigError, match="does not belong"):
        identity(sender.certificate, nurse.key.read_text())
    with pytest.raises(ConfigError, match="holds no certificate"):
        certificate_of(nonsense)
    with pytest.raises(ConfigError, match="cannot be read"):
        certificate_of(tmp_path / "missing.pem")
    with pytest.raises(ConfigError, match="not an RSA"):
        recipient_certificate(curve.certificate)
