"""What the tests of the mails share: every sample in every language, as text, as page and as mail."""

from __future__ import annotations

import html.parser
from datetime import datetime, timedelta, timezone

import pytest

from monitor.delivery.facts import Kind, MailFacts
from monitor.delivery.language import LANGUAGES, Language
from monitor.delivery.message import OutgoingMessage, build, mint_message_id
from monitor.delivery.render import render
from monitor.delivery.samples import samples

EVERY = [
    pytest.param(kind, facts, id=f"{kind}-{place}") for kind, several in samples().items() for place, facts in enumerate(several)
]
SAID = [
    pytest.param(kind, facts, language, id=f"{kind}-{place}-{language}")
    for kind, several in samples().items()
    for place, facts in enumerate(several)
    for language in LANGUAGES
]
FULLEST = [
    pytest.param(kind, several[0], language, id=f"{kind}-{language}")
    for kind, several in samples().items()
    for language in LANGUAGES
]


def as_mail(kind: Kind, facts: MailFacts, token: str, language: Language = "en") -> bytes:
    """The mail's bytes. ``token`` makes its Message-ID."""
    rendered = render(kind, facts, language=language)
    return build(
        OutgoingMessage(
            message_id=mint_message_id("hospital.example", token),
            sender="alerts@hospital.example",
            recipient="nurse@hospital.example",
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            date=datetime(2011, 3, 15, 10, 21, tzinfo=timezone(timedelta(hours=1))),
            language=language,
        )
    )


def visible(page: str) -> str:
    """The text of a page, style sheets and comments left out."""
    parser = _Text()
    parser.feed(page)
    return "".join(parser.pieces)


def words(text: str) -> str:
    """A text with one space wherever it had any."""
    return " ".join(text.split())


class _Text(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._style = self._style and tag != "style"

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.pieces.append(data)
