"""Who signs in on the board and by what: links in mails, a link on request, and what the journal keeps of both."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Urgency
from monitor.config.settings import Board
from monitor.delivery.board_links import read_link_token
from monitor.delivery.facts import LinkFacts, TimeFacts
from monitor.delivery.language import Language
from monitor.delivery.message import mint_message_id
from monitor.delivery.render import render_or_builtin
from monitor.delivery.reply_tokens import reply_key
from monitor.delivery.wording import instant_in_words
from monitor.said import say
from monitor.service import alarms, replies
from monitor.service.opening import Site
from monitor.store import alerts, answers, journal, keys, outbox

log = logging.getLogger(__name__)

KIND = "link"
ON_REQUEST_VALID = timedelta(minutes=30)  # (J): somebody waits for it at a screen

How = Literal["link", "link on request", "sign-on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The link of one mail: whose it is, what the mail told of, and since when it is of no use any more."""

    message: int
    address: str
    how: How
    alert_ids: tuple[int, ...]
    valid_until: datetime


def link_behind(site: Site, board: Board, token: str) -> Link | None:
    """The link that a token stands for, valid or not; None for a forged one and one of a message that there is not."""
    with site.database.read() as connection:
        key = read_link_token(token, keys.known_keys(connection, keys.BOARD_LINKS))
        message = answers.by_reply_key(connection, key) if key is not None else None
    if message is None:
        return None
    on_request = message.kind == KIND
    return Link(
        message=message.id,
        address=message.address,
        how="link on request" if on_request else "link",
        alert_ids=message.alert_ids,
        valid_until=message.created_at + (ON_REQUEST_VALID if on_request else board.link_valid),
    )


def alerts_behind(site: Site, link: Link) -> list[Alert]:
    """The alerts that the link's mail told of, as they are now, in the order of the mail."""
    with site.database.read() as connection:
        found = {each.alert_id: each for each in alerts.by_ids(connection, link.alert_ids)}
    return [found[alert_id] for alert_id in link.alert_ids if alert_id in found]


def signed_in(site: Site, address: str, role: str, how: How, now: datetime, *, message: int | None = None) -> tuple[str, ...]:
    """Keep on record that somebody signed in; the secrets that his session is signed with, this year's made if need be."""
    body = {"how": how, "role": role} | ({"message": message} if message is not None else {})
    with site.database.write("sign-in") as connection:
        journal.append(connection, now, journal.Entry("sign-in", address, body))
        return keys.keys_for(connection, keys.BOARD_SESSIONS, now)


def signed_out(site: Site, address: str, now: datetime) -> None:
    """Keep on record that somebody signed out."""
    with site.database.write("sign-out") as connection:
        journal.append(connection, now, journal.Entry("sign-out", address, {}))


def refused_link(site: Site, link: Link, why: str, now: datetime, *, by: str | None = None) -> None:
    """Keep on record that somebody's link was used and not taken; ``by`` is who was signed in."""
    body = {"message": link.message, "why": why} | ({"by": by} if by is not None else {})
    with site.database.write("refused link") as connection:
        journal.append(connection, now, journal.Entry("refused link", link.address, body))


def queue_link(site: Site, board: Board, name: str, address: str, language: Language, now: datetime) -> None:
    """Put a mail with a link of 30 minutes into the outbox, for somebody whom the configuration knows."""
    zone, key = site.settings.time_zone, reply_key()
    domain = site.settings.mail.sender.rpartition("@")[2]
    with site.database.write("link") as connection:
        facts = LinkFacts(
            name=name,
            board_link=replies.link_of(connection, board, key, now),
            valid_until=instant_in_words(now + ON_REQUEST_VALID, zone),
            times=(TimeFacts(label=say("Asked for"), at=instant_in_words(now, zone)),),
        )
        rendered, broken = render_or_builtin("link", facts, folder=site.settings.templates, language=language)
        if broken is not None:
            log.error("a template failed, the built-in text was used: %s", broken)
            alarms.raise_alarm(site, connection, alarms.broken_template(str(broken)), now)
        message = outbox.NewMessage(
            message_id=mint_message_id(domain, f"link {key} {address}"),
            kind=KIND,
            recipient_address=address,
            recipient_name=name,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            priority=Urgency.SAME_DAY.rank,  # somebody waits, yet what is immediate goes first
            reply_key=key,
        )
        outbox.enqueue(connection, [message], now=now)
