"""One fault of the relay after the other, while the daemon watches. In each the others get theirs, evaluation goes on,
``status`` says why it is not well, and mail goes out again without a hand once the fault is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.installation import NURSES, Installation, until
from tests.e2e.nursery import Nursery
from tests.e2e.ward import (
    admit,
    assert_told,
    assess,
    configure,
    copies,
    daemon,
    is_known,
    later,
    until_status_says,
    waiting,
)
from tests.smtp_server import DROP, SILENT, SmtpServer, self_signed

FIRST, SECOND = "P-0001", "P-0002"
PATIENCE = "insecure: true, timeout: 1 s"


@dataclass(frozen=True)
class Fault:
    """What the relay does, and a word of why that ``status`` has to say. ``spares``: who is told in spite of it."""

    begin: Callable[[SmtpServer], None]
    said: str
    spares: tuple[str, ...] = ()
    attempt: str = "relay_fault"
    refused: tuple[str, ...] = ()


def says(key: str, reply: str) -> Callable[[SmtpServer], None]:
    return lambda relay: relay.always(key, reply)


def one_nurse(reply: str) -> Callable[[SmtpServer], None]:
    return says(f"RCPT {NURSES[0]}", reply)


OTHER = (NURSES[1],)
FAULTS = {
    "450 for one": Fault(one_nurse("450 4.2.0 busy"), "busy", OTHER, "refused_for_now"),
    "550 for one": Fault(one_nurse("550 5.1.1 unknown"), "refused for good", OTHER, "refused_for_good", (NURSES[0],)),
    "552 for one": Fault(one_nurse("552 5.2.2 mailbox full"), "mailbox full", OTHER, "refused_for_now"),
    "552 for the mail": Fault(says(".", "552 5.3.4 no room for this"), "no room", (), "refused_for_now"),
    "421 at once": Fault(says("banner", "421 4.3.2 later"), "later"),
    "421 in between": Fault(says("RCPT", "421 4.3.2 going down"), "going down", (), "refused_for_now"),
    "535": Fault(says("AUTH", "535 5.7.8 account is locked"), "locked"),
    "silence after connect": Fault(says("banner", SILENT), "relay"),
    "silence after MAIL": Fault(says("MAIL", SILENT), "relay"),
    "silence after DATA": Fault(says("DATA", SILENT), "relay", (), ""),
    "silence before 250": Fault(says(".", SILENT), "indeterminate", (), "indeterminate"),
    "hangs up before 250": Fault(says(".", DROP), "indeterminate", (), "indeterminate"),
    "hangs up after RCPT": Fault(says("RCPT", DROP), "relay"),
}


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(Installation(tmp_path_factory.mktemp("like") / "site", port=1)) as made:
        yield made


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer(users={"monitor": "secret"}) as server:
        yield server


@pytest.fixture
def installed(tmp_path: Path, relay: SmtpServer) -> Installation:
    """Two patients who are well, a relay that wants a password."""
    made = Installation(tmp_path / "site", relay.port)
    (made.folder / "smtp_password").write_text("secret", encoding="utf-8")
    (made.folder / "smtp_password").chmod(0o600)
    configure(made, "insecure: true", f"{PATIENCE}, username: monitor")
    admit(made, (FIRST, SECOND))
    return made


@pytest.mark.parametrize("name", FAULTS)
def test_given_a_fault_of_the_relay_when_somebody_gets_worse_then_nothing_is_lost_and_it_is_told(
    nursery: Nursery, installed: Installation, relay: SmtpServer, name: str
) -> None:
    fault = FAULTS[name]
    fault.begin(relay)
    with daemon(nursery, installed):
        assess(installed, FIRST)
        until(lambda: fault.attempt in outcomes(installed), what=f"an attempt that ends as {fault.attempt}")
        until(lambda: {mail.recipient for mail in relay.taken} >= set(fault.spares), what="the mail to the others")
        assess(installed, SECOND)
        until(lambda: is_known(installed, SECOND), what="the second patient's alert")
        until_status_says(installed, fault.said)
    assert {mail.recipient for mail in relay.taken} == set(fault.spares)
    relay.forget_script()
    later(installed)
    assert_told(installed, copies(relay.mails), refused=fault.refused)


@pytest.mark.parametrize("said", ["STARTTLS", "certificate"])
def test_given_a_relay_that_offers_no_tls_to_be_trusted_when_somebody_gets_worse_then_nothing_goes_in_clear_and_nothing_is_lost(
    nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    for name in ("trusted", "strange"):
        (tmp_path / name).mkdir()
    trusted, strange = self_signed(tmp_path / "trusted"), self_signed(tmp_path / "strange")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.certificate))
    with SmtpServer(tls=strange.serving() if said == "certificate" else None) as relay:
        installed = Installation(tmp_path / "site", relay.port, {"SSL_CERT_FILE": str(trusted.certificate)})
        configure(installed, "insecure: true", "timeout: 3 s")
        admit(installed, (FIRST, SECOND))
        with daemon(nursery, installed):
            assess(installed, FIRST)
            until_status_says(installed, said)
            assess(installed, SECOND)
            until(lambda: is_known(installed, SECOND), what="the second patient's alert")
        assert relay.mails == []
        relay.tls = trusted.serving()
        later(installed)
        assert_told(installed, copies(relay.mails), most=1)
        assert all(mail.over_tls for mail in relay.mails)


def test_given_a_relay_that_answers_nothing_for_long_when_somebody_gets_worse_then_evaluation_does_not_wait_for_it(
    nursery: Nursery, installed: Installation, relay: SmtpServer
) -> None:
    configure(installed, PATIENCE, "insecure: true, timeout: 60 s")
    relay.always("RCPT", SILENT)
    watching = nursery.start(installed, "run")
    until(lambda: "round finished" in watching.log, what="the first round")
    assess(installed, FIRST)
    until(lambda: any(command.startswith("RCPT") for command in relay.commands), what="a mail that hangs")
    assess(installed, SECOND)
    until(lambda: is_known(installed, SECOND), seconds=10, what="the second patient's alert")
    watching.kill()  # in the middle of a mail
    relay.forget_script()
    later(installed)
    assert_told(installed, copies(relay.mails), most=1)


def test_given_a_relay_that_is_down_when_it_is_up_again_then_the_daemon_sends_by_itself(
    nursery: Nursery, installed: Installation, relay: SmtpServer
) -> None:
    with SmtpServer() as gone:
        port = gone.port
    configure(installed, f"port: {relay.port}", f"port: {port}")
    configure(installed, ", username: monitor", "")
    with daemon(nursery, installed):
        assess(installed, FIRST)
        until_status_says(installed, "relay")
        with SmtpServer(port=port) as up:
            until(lambda: len(up.taken) >= len(NURSES), seconds=90, what="the mails")
            until(lambda: not waiting(installed), what="their outcome")
            assert_told(installed, copies(up.mails), most=1)


def outcomes(installed: Installation) -> set[str]:
    return {outcome for (outcome,) in installed.rows("SELECT outcome FROM attempts")} | {""}
