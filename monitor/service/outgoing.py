"""From a stored message to the bytes that leave, signed and encrypted where that is configured, and who they are from."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.config.secrets import secret
from monitor.config.settings import Smime
from monitor.delivery import plain
from monitor.delivery.figure.drawer import Drawer
from monitor.delivery.language import LANGUAGES, Language
from monitor.delivery.message import OutgoingMessage, Picture, build, figure_cid
from monitor.delivery.reply_tokens import bounce_address
from monitor.errors import ConfigError
from monitor.service import clock, naming
from monitor.service.figure_of import drawer
from monitor.service.mailing import IN_REPLY_TO, LANGUAGE
from monitor.service.opening import Site
from monitor.store import drawn, keys
from monitor.store.outbox import StoredMessage

if TYPE_CHECKING:
    from cryptography import x509

Protect = Callable[[bytes, str], bytes]
"""A mail's bytes and its recipient's address to the bytes that leave. Raises ConfigError for that recipient's certificate."""


_LANGUAGES: dict[str, Language] = {language: language for language in LANGUAGES}

FIGURES_KEPT = 64
"""Of one burst (J): those who are told of the same alerts stand together in it."""


class Writer:
    """Writes the messages of one burst. Making one raises ConfigError for a key, a certificate or a missing extra."""

    def __init__(self, site: Site, drawing: Callable[[], Drawer] = drawer) -> None:
        self._site, self._drawer = site, drawing
        self._protect = protection(site)
        self._keys: tuple[str, ...] = ()
        self._figures: dict[str, bytes] = {}
        self._drawing = asyncio.Lock()
        if site.settings.answers is not None:
            with site.database.write() as connection:
                self._keys = keys.keys_for(connection, keys.REPLY_TOKENS, clock.now())

    async def written(self, message: StoredMessage) -> bytes:
        """``bytes_of`` with its figure drawn, one at a time and without holding up those who wait for a relay."""
        if message.figure is None or message.html is None:
            return self.bytes_of(message)
        async with self._drawing:
            png = await asyncio.to_thread(self._drawn, message.figure)
        return self.bytes_of(message, png)

    def bytes_of(self, message: StoredMessage, png: bytes | None = None) -> bytes:
        """The same bytes for the same message and figure, but for signatures. Raises whatever is wrong with it."""
        settings = self._site.settings
        naming.check_still_allowed(settings, message.headers, message.recipient_address)
        data = build(
            OutgoingMessage(
                message_id=message.message_id,
                sender=settings.mail.sender,
                recipient=message.recipient_address,
                subject=message.subject,
                text=message.text,
                html=message.html,
                date=message.created_at.astimezone(settings.time_zone),
                in_reply_to=message.headers.get(IN_REPLY_TO),
                reply_to=None if settings.answers is None else settings.answers.address,
                urgent=message.priority == 2,
                sensitivity=message.headers.get(naming.SENSITIVITY),
                maybe_repeat=message.maybe_repeat,
                language=_LANGUAGES.get(message.headers.get(LANGUAGE, "")),
                picture=_picture(message, png),
            )
        )
        if self._protect is None or message.kind == plain.KIND:  # which says nothing of a patient, and has to arrive
            return data
        return self._protect(data, message.recipient_address)

    def _drawn(self, figure: str) -> bytes | None:
        """The figure of a hash as PNG; drawn once for all who are told of it together. None where it cannot be drawn."""
        if figure not in self._figures:
            with self._site.database.read() as connection:
                data = drawn.load(connection, figure)
            png = None if data is None else self._drawer().draw(data, "png")
            if png is None:
                return None
            self._figures[figure] = png
            while len(self._figures) > FIGURES_KEPT:
                del self._figures[next(iter(self._figures))]
        return self._figures[figure]

    def envelope_sender(self, message: StoredMessage) -> str:
        """Where a bounce goes: to the mailbox that answers are read from, naming the message, where there is one."""
        answers = self._site.settings.answers
        return bounce_address(answers.address, message.id, self._keys) if answers is not None else self._site.settings.mail.sender


def _picture(message: StoredMessage, png: bytes | None) -> Picture | None:
    if message.figure is None or png is None:
        return None
    return Picture(figure_cid(message.figure, message.message_id), png)


def protection(site: Site) -> Protect | None:
    """What signs and encrypts, None where nothing does. Raises ConfigError for a key, a certificate or a missing extra."""
    return None if site.settings.mail.smime is None else _protection(site, site.settings.mail.smime)


def _protection(site: Site, configured: Smime) -> Protect:
    try:
        from monitor.delivery import smime  # here: an extra, and a hospital that signs nothing need not have it
    except ModuleNotFoundError as error:
        raise ConfigError(f"mail.smime needs {error.name}, which is not installed: pip install 'bipn-monitor[smime]'") from None
    signer = smime.identity(configured.certificate, secret("smime_key", os.environ, site.folder))
    paths = _certificates(site) if configured.encrypt else {}

    def protect(data: bytes, address: str) -> bytes:
        path = paths.get(address.lower())
        recipient: x509.Certificate | None = None if path is None else smime.recipient_certificate(path)
        return smime.protect(data, signer, recipient)

    return protect


def _certificates(site: Site) -> dict[str, Path]:
    """The certificates of everybody who has one, by address in small letters."""
    people = [person.recipient for person in site.settings.directory.people.values()]
    listed = [recipient for team in site.settings.teams for recipient in team.recipients]
    return {each.address.lower(): Path(each.certificate) for each in (*listed, *people) if each.certificate is not None}
