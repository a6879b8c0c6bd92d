"""What a received mail is: mails as the usual programs write them, and mails that nobody should write."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery.inbound import Acknowledgement, AutomaticAnswer, Bounce, Other, Received, Reference, read_mail

RECEIVED = Path(__file__).parent / "received"
TOKEN = "AbCdEfGhIjKlMnOpQrStU-.20527.AbCdEfGhIjKlMnOpQrStUv"  # noqa: S105  # a made-up one
TAG = "57-0123456789abcdef"
MAIL = "<0f3a5c7e9b1d2f4a6c8e0a1b2c3d4e5f@hospital.example>"
FIRST_MAIL = "<11111111111111112222222222222222@hospital.example>"


def received(name: str) -> Received:
    return read_mail((RECEIVED / f"{name}.eml").read_bytes())


def written(*headers: str, body: str = "Seen.") -> bytes:
    """A nurse's answer with more headers."""
    usual = (
        "From: nurse@hospital.example",
        "To: alerts-reply@hospital.example",
        f"Subject: Seen A-12 [{TOKEN}]",
        "Message-ID: <x@hospital.example>",
    )
    return "\r\n".join([*headers, *usual, "", body, ""]).encode()


@pytest.mark.parametrize(
    ("name", "sender", "note"),
    [
        ("ack-outlook", "j.moller@hospital.example", "Bin bei der Patientin, Dosis zurückgestellt."),
        ("ack-outlook-encoded", "j.moller@hospital.example", "Gesehen – Ärztin verständigt."),  # noqa: RUF001  # as written
        ("ack-apple-mail", "nurse@hospital.example", "Dose held, seen by Dr B."),
        ("ack-gmail", "nurse.on.duty@clinic.example", "On my way."),
        ("ack-html-only", "nurse@hospital.example", "Seen & told the doctor"),
        ("ack-empty", "nurse@hospital.example", None),
    ],
)
def test_given_a_persons_answer_with_the_token_when_read_then_it_acknowledges(name: str, sender: str, note: str | None) -> None:
    alerts = (12, 13) if name == "ack-outlook" else (12,)
    assert received(name) == Acknowledgement(token=TOKEN, alert_ids=alerts, sender=sender, note=note)


def test_given_a_plain_reply_that_quotes_the_token_when_read_then_it_acknowledges_nothing() -> None:
    assert received("plain-reply") == Other(words="a mail without a token in its subject")


@pytest.mark.parametrize(
    ("name", "sign", "reference"),
    [
        ("oof-exchange", "Auto-Submitted", Reference(message_ids=(MAIL, FIRST_MAIL))),
        ("oof-exchange-to-the-token", "its subject", Reference()),
        ("vacation-gmail", "Auto-Submitted", Reference(bounce_token=TAG, message_ids=(MAIL,))),
        ("vacation-sieve", "Auto-Submitted", Reference(bounce_token=TAG, message_ids=(MAIL,))),
    ],
)
def test_given_an_out_of_office_answer_when_read_then_it_is_automatic_and_names_its_mail(
    name: str, sign: str, reference: Reference
) -> None:
    answer = received(name)
    assert isinstance(answer, AutomaticAnswer)
    assert (answer.sign, answer.reference) == (sign, reference)
    assert answer.own_id is not None


@pytest.mark.parametrize(
    ("name", "permanent", "words", "tag"),
    [
        ("dsn-postfix", True, "not delivered, status 5.1.1", TAG),
        ("dsn-postfix-expired", False, "not delivered, status 4.4.1", None),
        ("ndr-exchange", True, "not delivered, status 5.1.10", None),
        ("bounce-qmail", False, "not delivered", None),
    ],
)
def test_given_a_bounce_when_read_then_it_names_its_mail_and_whether_the_address_is_wrong(
    name: str, permanent: bool, words: str, tag: str | None
) -> None:
    bounce = received(name)
    assert isinstance(bounce, Bounce)
    assert (bounce.permanent, bounce.words) == (permanent, words)
    assert bounce.reference.message_ids[0] == MAIL
    assert bounce.reference.bounce_token == tag


@pytest.mark.parametrize(("name", "words"), [("dsn-postfix-delayed", "a notice of delay"), ("receipt-outlook", "a receipt")])
def test_given_a_report_that_is_no_bounce_when_read_then_nothing_is_acted_on(name: str, words: str) -> None:
    assert received(name) == Other(words=words)


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; owner-email=x",
        "auto-submitted: AUTO-NOTIFIED",
        "X-Autoreply: yes",
        "X-Autorespond: Re",
        "X-Autoresponse: 1",
        "Precedence: bulk",
        "Precedence: JUNK",
        "Precedence: auto_reply",
        "Return-Path: <>",
        "Return-Path:",
    ],
)
def test_given_a_sign_of_a_machine_when_read_then_the_token_does_not_count(header: str) -> None:
    assert isinstance(read_mail(written(header)), AutomaticAnswer)


@pytest.mark.parametrize(
    "prefix",
    [
        "Automatic reply:",
        "AW: Automatische Antwort:",
        "Out of Office:",
        "Re: Out of office AutoReply:",
        "Abwesenheitsnotiz:",
        "Auto:",
        "Autoreply:",
        "=?utf-8?Q?R=C3=A9ponse_automatique_=3A?=",
        "=?utf-8?Q?Nicht_im_B=C3=BCro:?=",
        "Urlaub",
        "I am out of the office",
    ],
)
def test_given_a_subject_as_machines_write_it_when_read_then_the_token_does_not_count(prefix: str) -> None:
    answer = read_mail(written().replace(b"Subject: ", f"Subject: {prefix} ".encode()))
    assert isinstance(answer, AutomaticAnswer)
    assert answer.sign == "its subject"


@pytest.mark.parametrize(
    "header", ["Auto-Submitted: no", "Precedence: normal", "Return-Path: <n@h.example>", "X-Auto-Response-Suppress: DR, OOF"]
)
def test_given_what_a_person_s_mail_carries_too_when_read_then_it_acknowledges(header: str) -> None:
    assert isinstance(read_mail(written(header)), Acknowledgement)


def test_given_a_long_note_with_control_characters_when_read_then_it_is_one_bounded_line() -> None:
    answer = read_mail(written(body="a\x1b[31m\r\nb\x00 " + "x" * 2000))
    assert isinstance(answer, Acknowledgement)
    assert answer.note is not None
    assert answer.note.startswith("a [31m b x")
    assert len(answer.note) == 500


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\x00\xff\xfe" * 100,
        b"Subject: =?utf-8?B?%%%?=\n\n",
        b"Subject: =?no-such-charset?Q?Seen?=\nFrom: \xff\xff\n\n\xff",
        b"From: <<<>>>@\nTo: ;;;\n\n",
        b'Content-Type: multipart/report; boundary="x"\n\n--x\nContent-Type: message/delivery-status\n\n',
        b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(5000)),
    ],
)
def test_given_a_mail_that_is_none_when_read_then_it_is_nothing_to_us(data: bytes) -> None:
    assert not isinstance(read_mail(data), Acknowledgement)


def test_given_a_token_without_a_sender_when_read_then_it_acknowledges_nothing() -> None:
    assert read_mail(written().replace(b"From: nurse@hospital.example", b"From: ")) == Other(words="a token, but no sender")


@given(st.binary(max_size=400), st.integers(0, 600), st.sampled_from(sorted(path.name for path in RECEIVED.glob("*.eml"))))
def test_given_a_damaged_mail_when_read_then_it_is_one_of_the_four_kinds(garbage: bytes, place: int, name: str) -> None:
    data = (RECEIVED / name).read_bytes()
    found = read_mail(data[:place] + garbage + data[place + len(garbage) :])
    assert isinstance(found, Acknowledgement | AutomaticAnswer | Bounce | Other)


@given(st.integers(0, 3000))
def test_given_a_machines_mail_cut_off_when_read_then_it_never_acknowledges(length: int) -> None:
    for name in ("oof-exchange", "vacation-gmail", "vacation-sieve", "dsn-postfix", "ndr-exchange", "receipt-outlook"):
        assert not isinstance(read_mail((RECEIVED / f"{name}.eml").read_bytes()[:length]), Acknowledgement)
