"""The faults of a real Postfix, one after the other, while the daemon watches: see ``test_relay_faults`` for what must hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.installation import NURSES, Installation, until
from tests.e2e.nursery import Nursery
from tests.e2e.ward import admit, assert_told, assess, configure, copies, daemon, is_known, later, until_status_says, waiting
from tests.postfix import Postfix
from tests.smtp_server import self_signed

FIRST, SECOND = "P-0001", "P-0002"
ONE, OTHER = NURSES


@dataclass(frozen=True)
class Fault:
    """What Postfix is made to do, and its end; a word that ``status`` has to say; who is told in spite of it."""

    begin: Callable[[Postfix], None]
    end: Callable[[Postfix], None]
    said: str
    spares: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def answered(reply: str, said: str, *, refused: tuple[str, ...] = ()) -> Fault:
    """One nurse of two is answered so."""
    return Fault(lambda relay: relay.answer(ONE, reply), lambda relay: relay.answer(ONE, None), said, (OTHER,), refused)


def set_to(name: str, value: str, said: str) -> Fault:
    """One line of main.cf, for everybody."""
    return Fault(lambda relay: relay.set(name, value), lambda relay: relay.set(name, None), said)


def another_certificate(relay: Postfix) -> None:
    """One that nobody here trusts, at the same place."""
    kept = relay.folder / "kept"
    shutil.copytree(relay.certificate.certificate.parent, kept, ignore=lambda folder, names: [n for n in names if "." not in n])
    self_signed(relay.folder).key.chmod(0o600)
    relay.stop()
    relay.start()


def own_certificate(relay: Postfix) -> None:
    """The one it had."""
    for name in ("certificate.pem", "key.pem"):
        shutil.copy(relay.folder / "kept" / name, relay.folder / name)
    relay.stop()
    relay.start()


FAULTS = {
    "450 for one": answered("450 4.2.0 greylisted", "greylisted"),
    "550 for one": answered("550 5.1.1 unknown", "refused for good", refused=(ONE,)),
    "552 for one": answered("552 5.2.2 over quota", "over quota"),
    "552 for the mail": set_to("message_size_limit", "100", "exceeds fixed limit"),
    "421": set_to("smtpd_client_restrictions", "check_client_access inline:{ {127.0.0.1 = 421 4.3.2 later} }", "later"),
    "no STARTTLS": set_to("smtpd_tls_security_level", "none", "STARTTLS"),
    "untrusted certificate": Fault(another_certificate, own_certificate, "certificate"),
    "silence after connect": set_to("smtpd_client_restrictions", "sleep 4", "relay"),
    "silence after DATA": set_to("smtpd_data_restrictions", "sleep 4", "relay"),
    "silence before 250": set_to("smtpd_end_of_data_restrictions", "sleep 4", "indeterminate"),
}


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Warnings end a daemon, but for one that pyproject.toml names too: a relay under TLS that says nothing any more, whose
    connection asyncio had begun to close when its loop ended.
    """
    folder = tmp_path_factory.mktemp("like") / "site"
    with Nursery(Installation(folder, 1, {"PYTHONWARNINGS": "error,ignore::ResourceWarning"})) as made:
        yield made


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Postfix]:
    """A relay whose certificate this machine trusts."""
    with Postfix.here() as running:
        trusted = tmp_path / "trusted.pem"
        shutil.copy(running.certificate.certificate, trusted)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        yield running


@pytest.fixture
def installed(tmp_path: Path, relay: Postfix) -> Installation:
    """Two patients who are well, and a relay that is spoken to under TLS."""
    made = Installation(tmp_path / "site", relay.port)
    made.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_FILE"]
    configure(made, "insecure: true", "timeout: 1 s")
    admit(made, (FIRST, SECOND))
    return made


@pytest.mark.parametrize("name", FAULTS)
def test_given_a_fault_of_postfix_when_somebody_gets_worse_then_nothing_is_lost_and_it_is_told(
    nursery: Nursery, installed: Installation, relay: Postfix, name: str
) -> None:
    fault = FAULTS[name]
    fault.begin(relay)
    with daemon(nursery, installed):
        assess(installed, FIRST)
        until_status_says(installed, fault.said)
        until(lambda: {mail.recipient for mail in relay.mails()} >= set(fault.spares), what="the mail to the others")
        assess(installed, SECOND)
        until(lambda: is_known(installed, SECOND), what="the second patient's alert")
    fault.end(relay)
    later(installed)
    assert not waiting(installed)
    relay.wait_for(len(installed.rows("SELECT id FROM messages WHERE state = 'accepted'")))
    assert_told(installed, copies(relay.mails()), refused=fault.refused)


def test_given_a_postfix_that_is_restarted_when_somebody_gets_worse_meanwhile_then_the_daemon_sends_by_itself(
    nursery: Nursery, installed: Installation, relay: Postfix
) -> None:
    with daemon(nursery, installed):
        assess(installed, FIRST)
        relay.wait_for(len(NURSES))
        relay.stop()
        assess(installed, SECOND)
        until_status_says(installed, "relay")
        relay.start()
        relay.wait_for(2 * len(NURSES), seconds=120)
        until(lambda: not waiting(installed), what="their outcome")
    assert_told(installed, copies(relay.mails()), most=1)
