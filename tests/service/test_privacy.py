"""Who may read what of a patient, in mails as they were sent (R15, R16, R21): markers in every field, every kind and level."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from email.message import EmailMessage, Message
from html import unescape

import pytest

from monitor.cli import run
from monitor.service.logs import KeyValue
from tests.service.clinic import NORTH
from tests.service.marked import BORN_WRITTEN, CHIEF, OPERATIONS, Marked, Marks, a_marked_clinic
from tests.smtp_server import ReceivedMail

LEVELS = ("none", "pseudonym", "identified")
KINDS = {"alert", "reminder", "escalation", "digest", "correction", "operations", "coverage", "plain"}
SHOWN_IN_AN_INBOX = 150
"""So many characters of a mail's beginning, where an inbox shows them."""


def bodies(mail: ReceivedMail) -> str:
    """Both bodies as text, decoded."""
    parts = [part for part in mail.message.walk() if part.get_content_maintype() == "text"]
    return "\n".join(unescape(part.get_content()) for part in parts if isinstance(part, EmailMessage))


def headers(mail: ReceivedMail) -> str:
    """Every header of the mail and of its parts, as it went through the wire and as a mail program reads it."""
    raw = mail.data.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    parts: list[Message] = list(mail.message.walk())
    read = [f"{name}: {value}" for part in parts for name, value in part.items()]
    return "\n".join([raw, *read, *(str(part.get_filename()) for part in parts)])


def beginning(mail: ReceivedMail) -> str:
    """What an inbox may show of a mail before it is opened: the page's first characters, and the first lines of the text."""
    page = mail.message.get_body(preferencelist=("html",))
    shown = re.sub(r"<(style|title)[^>]*>.*?</\1>|<!--.*?-->|<[^>]+>", " ", page.get_content() if page else "", flags=re.DOTALL)
    shown = re.sub(r"[ \r\n\t]+", " ", unescape(shown)).strip()[:SHOWN_IN_AN_INBOX]
    return "\n".join([shown, *mail.text.splitlines()[:2]])


def printed(marked: Marked) -> str:
    """What the commands say that people run on such a database."""
    config = str(marked.clinic.folder / "monitor.yaml")
    said = io.StringIO()
    for words in (
        ["status"],
        ["status", "--format", "json"],
        ["alerts"],
        ["explain", marked.marks.ids[0]],
        ["explain", marked.marks.ids[2]],
        ["journal", "export"],
        ["journal", "verify"],
        ["check-config"],
        ["test-mail", OPERATIONS],
    ):
        with redirect_stdout(said), redirect_stderr(said):
            run(["--config", config, *words])
    assert "Traceback" not in said.getvalue()
    return said.getvalue()


@dataclass(frozen=True)
class Told:
    """All that left the program in some weeks, by mail, on the terminal and in the log."""

    privacy: str
    marks: Marks
    mails: tuple[ReceivedMail, ...]
    kinds: set[str]
    printed: str
    logged: str


class Everything(logging.Handler):
    """Every record, as it is written and with all that it carries."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{KeyValue().format(record)} {record.__dict__}")


@contextmanager
def all_logged() -> Iterator[Everything]:
    handler, root = Everything(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture(scope="module", params=enumerate(LEVELS), ids=LEVELS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    seed, privacy = request.param
    folder = tmp_path_factory.mktemp(privacy)
    with pytest.MonkeyPatch.context() as patch, all_logged() as log, a_marked_clinic(folder, privacy, patch, seed=seed) as marked:
        marked.live()
        kinds, said = marked.kinds(), printed(marked)
        return Told(privacy, marked.marks, tuple(marked.clinic.relay.mails), kinds, said, "\n".join(log.lines))


def test_given_some_weeks_when_looked_back_then_every_kind_of_mail_was_sent(told: Told) -> None:
    assert told.kinds == KINDS
    assert {mail.recipient for mail in told.mails} == {*NORTH, CHIEF, OPERATIONS}


def test_given_markers_in_every_field_when_mails_were_sent_then_no_header_of_any_part_holds_one(told: Told) -> None:
    for mail in told.mails:
        found = headers(mail)
        assert [mark for mark in (*told.marks.secret, *told.marks.ids) if mark in found] == [], mail.message["Subject"]


def test_given_any_mail_when_its_headers_are_read_then_they_name_neither_drug_nor_disease(told: Told) -> None:
    for mail in told.mails:
        found = headers(mail).lower() + beginning(mail).lower()
        assert [word for word in ("bortezomib", "neuropath", "myelom", "mg/m") if word in found] == [], mail.message["Subject"]


def test_given_an_inbox_that_shows_how_a_mail_begins_then_no_name_is_in_it(told: Told) -> None:
    for mail in told.mails:
        begun = beginning(mail)
        assert [mark for mark in told.marks.secret if mark in begun] == [], mail.message["Subject"]


def test_given_a_level_when_mails_were_sent_then_their_bodies_show_what_it_allows_and_nothing_else(told: Told) -> None:
    named = [mail for mail in told.mails if mail.message["Sensitivity"]]
    assert bool(named) == (told.privacy == "identified")
    assert OPERATIONS not in {mail.recipient for mail in named}
    for mail in told.mails:
        text = bodies(mail)
        assert [mark for mark in told.marks.never if mark in text] == [], mail.message["Subject"]
        assert (told.marks.name in text) == (mail in named), mail.message["Subject"]
        assert mail in named or not [date for date in BORN_WRITTEN if date in " ".join(text.split())], mail.message["Subject"]
        assert mail.over_tls
    shown = {name for name in told.marks.ids if any(name in bodies(mail) for mail in told.mails)}
    assert shown >= set(told.marks.ids[:2]) if told.privacy != "none" else not shown


def test_given_markers_in_every_field_when_the_commands_and_the_log_are_read_then_they_hold_none(told: Told) -> None:
    assert [mark for mark in (*told.marks.secret, *told.marks.ids) if mark in told.logged] == []
    assert told.marks.ids[0] in told.printed  # the administrator's own commands name the identifier, and that of a record
    assert [mark for mark in told.marks.secret if mark in told.printed and mark != told.marks.record] == []


def test_given_any_mail_when_sent_then_it_has_one_recipient_no_hidden_reader_and_says_that_nobody_wrote_it(told: Told) -> None:
    for mail in told.mails:
        assert mail.message["To"] == mail.recipient
        assert not {"Cc", "Bcc", "Resent-To"} & set(mail.message.keys())
        assert mail.message["Auto-Submitted"] == "auto-generated"
