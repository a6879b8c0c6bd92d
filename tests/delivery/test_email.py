"""Handing over, against a real SMTP server: the nine ways it can end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.delivery.conversation import RelayAddress
from monitor.delivery.email import Outcome, Session, cleaned, send
from monitor.delivery.walk import WalkedStep, walk
from tests.smtp_server import DROP, SILENT, Certificate, SmtpServer, self_signed

SENDER, NURSE, SECOND = "alerts@hospital.example", "nurse@hospital.example", "nurse2@hospital.example"
MAIL = b"From: alerts@hospital.example\r\nSubject: look\r\n\r\n.a line that begins with a dot\r\nlast\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(certificate: Certificate) -> Iterator[SmtpServer]:
    with SmtpServer(tls=certificate.serving()) as running:
        yield running


def hand_over(
    port: int, context: ssl.SSLContext | None, *, deadline: float = 5.0, password: str | None = None, **relay: object
) -> Outcome:
    address = RelayAddress(host="localhost", port=port, timeout_seconds=5.0, **relay)  # type: ignore[arg-type]  # by the callers
    return asyncio.run(send(address, SENDER, NURSE, MAIL, password=password, tls_context=context, deadline_seconds=deadline))


def test_given_a_relay_that_takes_mail_when_sent_then_it_is_accepted_over_tls_byte_for_byte(
    server: SmtpServer, certificate: Certificate
) -> None:
    outcome = hand_over(server.port, certificate.trusting())
    assert (outcome.kind, outcome.code, outcome.at, outcome.words) == ("accepted", 250, None, "250 2.0.0 taken")
    (mail,) = server.mails
    assert (mail.sender, mail.recipient, mail.over_tls, mail.data) == (SENDER, NURSE, True, MAIL)


def test_given_tls_from_the_first_byte_when_sent_then_it_is_accepted(certificate: Certificate) -> None:
    with SmtpServer(tls=certificate.serving(), implicit_tls=True) as server:
        assert hand_over(server.port, certificate.trusting(), tls="implicit").kind == "accepted"
        assert server.mails[0].over_tls


@pytest.mark.parametrize(
    ("key", "reply", "kind"),
    [
        ("RCPT", "450 4.2.0 mailbox busy", "refused_for_now"),
        ("RCPT", "550 5.1.1 no such user", "refused_for_good"),
        ("RCPT", "552 5.2.2 mailbox full", "refused_for_now"),
        ("RCPT", "530 5.7.0 authentication required", "relay_fault"),
        ("RCPT", "421 4.3.2 shutting down", "refused_for_now"),
        ("MAIL", "451 4.3.0 try later", "refused_for_now"),
        ("MAIL", "553 5.1.8 sender not allowed", "relay_fault"),
        ("DATA", "451 4.3.0 try later", "refused_for_now"),
        (".", "554 5.6.0 content refused", "refused_for_good"),
        (".", "552 5.2.2 too much", "refused_for_now"),
        (".", "451 4.7.1 greylisted", "refused_for_now"),
        ("EHLO", "554 5.7.1 go away", "relay_fault"),
        ("banner", "421 4.3.2 not now", "relay_fault"),
        ("banner", DROP, "relay_fault"),
        ("MAIL", DROP, "relay_fault"),
        ("RCPT", DROP, "relay_fault"),
        ("DATA", DROP, "relay_fault"),
        (".", DROP, "indeterminate"),
    ],
)
def test_given_a_reply_when_sent_then_the_outcome_is_classified(
    server: SmtpServer, certificate: Certificate, key: str, reply: str, kind: str
) -> None:
    server.always(key, reply)
    outcome = hand_over(server.port, certificate.trusting())
    assert outcome.kind == kind
    assert outcome.code == (int(reply[:3]) if reply[:3].isdigit() else None)
    assert not server.taken


@pytest.mark.parametrize(("key", "kind"), [("banner", "relay_fault"), ("RCPT", "relay_fault"), (".", "indeterminate")])
def test_given_a_silent_relay_when_the_deadline_passes_then_sending_ends(
    server: SmtpServer, certificate: Certificate, key: str, kind: str
) -> None:
    server.always(key, SILENT)
    outcome = hand_over(server.port, certificate.trusting(), deadline=0.4)
    assert (outcome.kind, outcome.words) == (kind, "no answer within the deadline")


def test_given_a_relay_that_says_yes_before_it_was_asked_when_it_then_refuses_the_mail_then_that_is_no_acceptance(
    server: SmtpServer,
) -> None:
    server.always("DATA", "354 go on\r\n250 2.0.0 taken")
    server.always(".", "451 4.3.0 no")
    outcome = hand_over(server.port, None, tls="none")
    assert (outcome.kind, outcome.at, outcome.words) == ("relay_fault", "data", "the relay answered more than it was asked")
    assert not server.mails


@pytest.mark.parametrize(
    "reply",
    [
        "250-endless\r\n" * 3_000,
        "250 " + "9" * 9_000,
        "\x00\x01",
        "354 go on",
        "-12 odd",
        "25",
        " 2 odd",
        "2\u00e9\u20ac",
        "250\n\n250",
    ],
)
@pytest.mark.parametrize("key", ["banner", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_given_a_reply_that_is_none_when_sent_then_it_ends_and_is_no_acceptance(server: SmtpServer, key: str, reply: str) -> None:
    server.always(key, reply)
    outcome = hand_over(server.port, None, tls="none", deadline=0.5)
    taken = len(server.taken) == 1
    assert (outcome.kind == "accepted") <= taken
    assert outcome.words.isprintable()
    assert len(outcome.words) <= 300


def test_given_no_starttls_when_tls_is_required_then_no_byte_of_the_mail_leaves() -> None:
    with SmtpServer() as server:
        outcome = hand_over(server.port, None)
    assert (outcome.kind, outcome.at) == ("relay_fault", "starttls")
    assert server.bodies == 0
    assert [command.split()[0] for command in server.commands] == ["EHLO"]


def test_given_a_self_signed_certificate_when_sent_then_it_is_refused_before_the_mail(server: SmtpServer) -> None:
    outcome = hand_over(server.port, None)
    assert (outcome.kind, outcome.at) == ("relay_fault", "starttls")
    assert server.bodies == 0
    assert not any(command.startswith(("MAIL", "RCPT")) for command in server.commands)


def test_given_a_certificate_of_another_host_when_sent_then_it_is_refused_before_the_mail(tmp_path: Path) -> None:
    other = self_signed(tmp_path, names="DNS:other.example")
    with SmtpServer(tls=other.serving()) as server:
        outcome = hand_over(server.port, other.trusting())
    assert (outcome.kind, outcome.at, server.bodies) == ("relay_fault", "starttls", 0)


def test_given_clear_text_asked_for_by_name_when_sent_then_it_goes_in_clear(server: SmtpServer) -> None:
    assert hand_over(server.port, None, tls="none").kind == "accepted"
    assert not server.mails[0].over_tls


def test_given_a_closed_port_when_sent_then_the_relay_is_at_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert hand_over(port, None).kind == "relay_fault"


def test_given_users_when_logging_in_then_the_right_password_is_taken_and_a_wrong_one_is_the_relay_s_fault(
    certificate: Certificate,
) -> None:
    with SmtpServer(tls=certificate.serving(), users={"monitor": "s3cret"}) as server:
        wrong = hand_over(server.port, certificate.trusting(), username="monitor", password="guess")  # noqa: S106  # a test's
        missing = hand_over(server.port, certificate.trusting())
        right = hand_over(server.port, certificate.trusting(), username="monitor", password="s3cret")  # noqa: S106
    assert (wrong.kind, wrong.code, wrong.at) == ("relay_fault", 535, "login")
    assert (missing.kind, missing.code, missing.at) == ("relay_fault", 530, "sender")
    assert right.kind == "accepted"
    assert server.mails[0].user == "monitor"


def test_given_an_address_smtp_cannot_carry_when_sent_then_it_is_refused_for_good(
    server: SmtpServer, certificate: Certificate
) -> None:
    for address in ("pflegé@hospital.example", "a@b.example>\r\nRCPT TO:<c@d.example"):
        relay = RelayAddress(host="localhost", port=server.port)
        context = certificate.trusting()
        outcome = asyncio.run(send(relay, SENDER, address, MAIL, password=None, tls_context=context, deadline_seconds=5))
        assert (outcome.kind, outcome.at) == ("refused_for_good", "recipient")
    assert not server.mails


def test_given_a_burst_when_one_is_refused_then_the_others_go_over_the_same_connection(
    server: SmtpServer, certificate: Certificate
) -> None:
    server.always(f"RCPT {SECOND}", "550 no such user")

    async def burst() -> list[str]:
        relay = RelayAddress(host="localhost", port=server.port)
        async with Session(relay, password=None, tls_context=certificate.trusting()) as session:
            return [(await session.send(SENDER, each, MAIL, deadline_seconds=5)).kind for each in (NURSE, SECOND, NURSE)]

    assert asyncio.run(burst()) == ["accepted", "refused_for_good", "accepted"]
    assert server.connections == 1
    assert server.commands.count("RSET") == 1  # after the refusal; after an acceptance there is nothing to end


def test_given_a_connection_that_the_relay_closes_after_each_message_when_sent_then_it_connects_anew(
    server: SmtpServer, certificate: Certificate
) -> None:
    async def burst() -> list[str]:
        relay = RelayAddress(host="localhost", port=server.port)
        async with Session(relay, tls_context=certificate.trusting()) as session:
            first = await session.send(SENDER, NURSE, MAIL, deadline_seconds=5)
            server.script("MAIL", "421 4.7.0 too many messages on this connection")
            return [first.kind, (await session.send(SENDER, NURSE, MAIL, deadline_seconds=5)).kind]

    assert asyncio.run(burst()) == ["accepted", "accepted"]
    assert server.connections == 2


def test_given_lines_that_begin_with_dots_and_odd_line_ends_when_sent_then_they_arrive_as_lines(
    server: SmtpServer, certificate: Certificate
) -> None:
    relay = RelayAddress(host="localhost", port=server.port)
    data = b".\r\n..\nlone\r.\r\n.\n\nlast"
    outcome = asyncio.run(send(relay, SENDER, NURSE, data, tls_context=certificate.trusting(), deadline_seconds=5))
    assert outcome.kind == "accepted"
    assert server.mails[0].data == b".\r\n..\r\nlone\r\n.\r\n.\r\n\r\nlast\r\n"


def test_given_a_burst_when_the_relay_hangs_up_in_between_then_it_connects_anew(
    server: SmtpServer, certificate: Certificate
) -> None:
    async def burst() -> list[str]:
        relay = RelayAddress(host="localhost", port=server.port)
        async with Session(relay, password=None, tls_context=certificate.trusting()) as session:
            first = await session.send(SENDER, NURSE, MAIL, deadline_seconds=5)
            server.script("MAIL", DROP)  # left alone too long; nothing of the second is lost by it
            second = await session.send(SENDER, NURSE, MAIL, deadline_seconds=5)
            server.script(".", DROP)
            third = await session.send(SENDER, NURSE, MAIL, deadline_seconds=5)
            fourth = await session.send(SENDER, NURSE, MAIL, deadline_seconds=5)
        return [first.kind, second.kind, third.kind, fourth.kind]

    assert asyncio.run(burst()) == ["accepted", "accepted", "indeterminate", "accepted"]
    assert server.connections == 3


def test_given_words_of_a_relay_when_kept_then_addresses_and_control_characters_are_gone() -> None:
    words = cleaned("5.1.1 <nurse@hospital.example>:\r\n user\x1b[31m unknown; contact postmaster@hospital.example" + "x" * 500)
    assert "hospital.example" not in words
    assert words.isprintable()
    assert len(words) <= 300


def walked(port: int, context: ssl.SSLContext | None, **relay: object) -> list[WalkedStep]:
    address = RelayAddress(host="localhost", port=port, **relay)  # type: ignore[arg-type]  # by the callers
    return asyncio.run(walk(address, SENDER, NURSE, MAIL, password="x", tls_context=context, deadline_seconds=2))  # noqa: S106


def test_given_a_relay_that_takes_mail_when_walked_then_every_step_is_told(server: SmtpServer, certificate: Certificate) -> None:
    steps = walked(server.port, certificate.trusting())
    names = ["resolve", "connect", "banner", "EHLO", "STARTTLS", "certificate", "MAIL", "RCPT", "DATA", "accepted"]
    assert [step.name for step in steps] == names
    assert all(step.ok for step in steps)


@pytest.mark.parametrize(
    ("key", "reply", "name"),
    [
        ("banner", "554 no", "banner"),
        ("EHLO", "550 no", "EHLO"),
        ("STARTTLS", "454 not now", "STARTTLS"),
        ("MAIL", "553 not allowed", "MAIL"),
        ("RCPT", "550 no such user", "RCPT"),
        (".", "554 refused", "DATA"),
        ("RCPT", SILENT, "RCPT"),
    ],
)
def test_given_a_failing_step_when_walked_then_it_is_named_with_what_to_do(
    server: SmtpServer, certificate: Certificate, key: str, reply: str, name: str
) -> None:
    server.always(key, reply)
    *before, last = walked(server.port, certificate.trusting())
    assert all(step.ok for step in before)
    assert (last.name, last.ok) == (name, False)
    assert " - " in last.words


@pytest.mark.parametrize(
    ("key", "reply", "what"),
    [
        ("banner", "HTTP/1.1 400 Bad Request", "no mail server"),
        ("MAIL", "530 5.7.0 authentication required", "set mail.relay.username"),
        ("RCPT", "450 4.2.0 busy", "for now"),
        (".", DROP, "may have gone"),
    ],
)
def test_given_an_error_that_tells_more_than_its_step_when_walked_then_the_remedy_is_the_particular_one(
    server: SmtpServer, certificate: Certificate, key: str, reply: str, what: str
) -> None:
    server.always(key, reply)
    last = walked(server.port, certificate.trusting())[-1]
    assert not last.ok
    assert what in last.words
    assert "-1" not in last.words


def test_given_a_username_when_no_password_is_found_or_no_login_is_offered_then_that_is_said(certificate: Certificate) -> None:
    with SmtpServer(users={"monitor": "right"}) as relay:
        address = RelayAddress(host="localhost", port=relay.port, tls="none", username="monitor")
        last = asyncio.run(walk(address, SENDER, NURSE, MAIL, password=None, deadline_seconds=2))[-1]
    assert (last.name, "no password was found" in last.words) == ("AUTH", True)
    with SmtpServer(tls=certificate.serving()) as relay:
        assert "offers no login" in walked(relay.port, certificate.trusting(), username="monitor")[-1].words


def test_given_faults_around_tls_when_walked_then_the_certificate_or_tls_is_named(
    server: SmtpServer, certificate: Certificate
) -> None:
    assert walked(server.port, None)[-1].name == "certificate"
    assert walked(server.port, certificate.trusting(), tls="implicit")[-1].name == "TLS"
    assert walked(server.port, certificate.trusting(), username="monitor")[-1].name == "AUTH"
    with SmtpServer() as plain:
        assert walked(plain.port, None)[-1].name == "STARTTLS"


def test_given_an_unknown_host_when_walked_then_resolving_is_named() -> None:
    relay = RelayAddress(host="no-such-host.invalid", port=25)
    (step,) = asyncio.run(walk(relay, SENDER, NURSE, MAIL, password=None, deadline_seconds=5))
    assert (step.name, step.ok) == ("resolve", False)
