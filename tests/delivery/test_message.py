"""One mail as bytes."""

from __future__ import annotations

import asyncio
import email
import email.policy
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiosmtplib
import pytest

from monitor.delivery.message import LARGEST_MAIL, REPEAT, OutgoingMessage, Picture, build, figure_cid, mint_message_id
from monitor.delivery.receiver import Receiver

FIRST = mint_message_id("hospital.example", "first")
MESSAGE = OutgoingMessage(
    message_id=mint_message_id("hospital.example", "second"),
    sender="alerts@hospital.example",
    recipient="nurse@hospital.example",
    subject="IMMEDIATE - look now: 1 patient [A-12]",
    text="first line\n.a dot\nFrom here\nné ≥ 1.3 mg/m²\n" + "word " * 60 + "\n",
    html="<!doctype html><html><body bgcolor='#fff'><p>né</p></body></html>\n",
    date=datetime(2011, 3, 15, 9, 21, tzinfo=UTC),
)


def test_given_one_message_when_built_twice_then_the_bytes_are_the_same() -> None:
    assert build(MESSAGE) == build(MESSAGE)
    assert build(MESSAGE) != build(replace(MESSAGE, message_id=FIRST))


def test_given_a_message_when_parsed_again_then_all_of_it_is_there() -> None:
    parsed = email.message_from_bytes(build(MESSAGE), policy=email.policy.default)
    assert parsed["Message-ID"] == MESSAGE.message_id
    assert parsed["To"] == MESSAGE.recipient
    assert parsed["Date"].datetime == MESSAGE.date
    assert "In-Reply-To" not in parsed
    assert "Importance" not in parsed
    text, html = parsed.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == MESSAGE.text
    assert html.get_content().replace("\r\n", "\n") == MESSAGE.html
    assert {text["Content-Transfer-Encoding"], html["Content-Transfer-Encoding"]} == {"quoted-printable"}


def test_given_a_follow_up_when_built_then_it_refers_to_the_first_mail() -> None:
    parsed = email.message_from_bytes(build(replace(MESSAGE, in_reply_to=FIRST, urgent=True)), policy=email.policy.default)
    assert (parsed["In-Reply-To"], parsed["References"], parsed["Importance"]) == (FIRST, FIRST, "high")


def test_given_an_unknown_outcome_when_sent_again_then_both_parts_say_so_under_the_same_id() -> None:
    again = email.message_from_bytes(build(replace(MESSAGE, maybe_repeat=True)), policy=email.policy.default)
    text, html = again.iter_parts()
    assert again["Message-ID"] == MESSAGE.message_id
    assert text.get_content().splitlines()[0] == REPEAT
    assert html.get_content().index(REPEAT) > html.get_content().index("<body")


def test_given_a_page_without_body_tag_when_repeated_then_the_notice_comes_first() -> None:
    again = email.message_from_bytes(build(replace(MESSAGE, html="<p>x</p>", maybe_repeat=True)), policy=email.policy.default)
    assert REPEAT in list(again.iter_parts())[1].get_content()


CID = figure_cid("ab" * 32, MESSAGE.message_id)
SHOWN = replace(
    MESSAGE,
    html=f'<html><body><p>before</p>\n<!--figure-->\n<img src="cid:{CID}" alt="x">\n<!--/figure-->\n<p>after</p></body></html>\n',
    picture=Picture(CID, b"\x89PNG" * 1000),
)


def kinds_in(data: bytes) -> list[str]:
    return [part.get_content_type() for part in email.message_from_bytes(data, policy=email.policy.default).walk()]


def test_given_a_picture_when_built_then_it_belongs_to_the_page_and_the_bytes_are_the_same_each_time() -> None:
    data = build(SHOWN)
    assert data == build(SHOWN)
    assert kinds_in(data) == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    picture = list(email.message_from_bytes(data, policy=email.policy.default).walk())[-1]
    assert picture["Content-ID"] == f"<{CID}>"
    assert picture.get_content() == b"\x89PNG" * 1000


@pytest.mark.parametrize(
    "without",
    [
        replace(SHOWN, picture=None),
        replace(SHOWN, picture=Picture(CID, b"x" * LARGEST_MAIL)),  # the mail would be too large
        replace(SHOWN, picture=Picture("another@hospital.example", b"x")),  # the page does not show it
    ],
    ids=["not drawn", "too large", "not shown"],
)
def test_given_no_picture_to_show_when_built_then_its_place_is_cut_from_the_page(without: OutgoingMessage) -> None:
    data = build(without)
    assert kinds_in(data) == ["multipart/alternative", "text/plain", "text/html"]
    _, html = email.message_from_bytes(data, policy=email.policy.default).iter_parts()
    assert html.get_content().split() == ["<html><body><p>before</p>", "<p>after</p></body></html>"]


def test_given_a_mail_of_text_alone_when_built_then_no_picture_comes_with_it() -> None:
    assert kinds_in(build(replace(SHOWN, html=None))) == ["text/plain"]


def test_given_a_german_mail_when_sent_again_then_it_says_so_in_german() -> None:
    again = email.message_from_bytes(build(replace(SHOWN, language="de", maybe_repeat=True)), policy=email.policy.default)
    text, page = again.iter_parts()
    notice = "Diese Nachricht ist möglicherweise schon einmal angekommen."
    assert again["Content-Language"] == "de"
    assert text.get_content().splitlines()[0] == notice
    assert notice in next(page.iter_parts()).get_content()


def test_given_one_figure_in_two_mails_when_named_then_the_names_differ_and_say_nothing() -> None:
    other = figure_cid("ab" * 32, FIRST)
    assert other != CID
    assert other.endswith("@hospital.example")
    assert "abab" not in CID


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "look\r\nBcc: all@hospital.example"},
        {"recipient": "nurse@hospital.example\nBcc: all@hospital.example"},
        {"message_id": "no id"},
        {"in_reply_to": "<a@b>\r\nX: y"},
    ],
)
def test_given_a_header_with_a_line_end_when_built_then_it_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        build(replace(MESSAGE, **wrong))  # type: ignore[arg-type]  # the fields above are text


@pytest.mark.parametrize(
    "domain", ["hospital.example", "x\r\n>.example", "", "a-very-long-name.of-a-department.university-hospital.example"]
)
def test_given_any_domain_when_an_id_is_minted_then_it_says_nothing_and_fits_in_its_line(domain: str) -> None:
    minted = mint_message_id(domain, "SAMPLE-0042 grade 3")
    assert "SAMPLE" not in minted
    assert minted == mint_message_id(domain, "SAMPLE-0042 grade 3")
    parsed = email.message_from_bytes(build(replace(MESSAGE, message_id=minted, in_reply_to=minted)), policy=email.policy.default)
    assert [parsed["Message-ID"], parsed["In-Reply-To"], parsed["References"]] == [minted] * 3


def test_given_a_non_ascii_subject_when_built_then_it_comes_back_whole_in_short_lines() -> None:
    subject = "SOFORT \u2013 Patientin ansehen: " + "ä" * 150
    data = build(replace(MESSAGE, subject=subject))
    assert email.message_from_bytes(data, policy=email.policy.default)["Subject"] == subject
    assert max(len(line) for line in data.split(b"\r\n")) <= 78


@pytest.mark.parametrize("length", range(1, 200, 3))
def test_given_a_subject_of_any_length_when_built_then_its_first_line_is_not_empty(length: int) -> None:
    subject = ("SAME DAY - look today, before the next dose [A-4, A-5] " * 4)[:length].strip()
    data = build(replace(MESSAGE, subject=subject))
    assert b"Subject: " + subject.split()[0].encode() in data
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    assert email.message_from_bytes(data, policy=email.policy.default)["Subject"] == subject


def test_given_the_receiver_when_mails_are_sent_then_each_is_a_private_file_byte_for_byte(tmp_path: Path) -> None:
    data = build(MESSAGE)

    async def deliver() -> list[Path]:
        async with Receiver(tmp_path / "mail") as receiver:
            for _ in range(2):
                async with aiosmtplib.SMTP(hostname="127.0.0.1", port=receiver.port, start_tls=False, timeout=5) as client:
                    await client.sendmail(MESSAGE.sender, [MESSAGE.recipient], data)
            return receiver.written

    written = asyncio.run(deliver())
    assert [path.name for path in written] == ["001.eml", "002.eml"]
    assert written[0].read_bytes() == data
    assert stat.S_IMODE(written[0].stat().st_mode) == 0o600
