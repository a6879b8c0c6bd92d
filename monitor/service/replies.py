"""What goes out so that answers can come back: the acknowledging mail of each message, and the address of its bounces."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from monitor.delivery.facts import AlertFacts, MailFacts
from monitor.delivery.reply_tokens import ack_mail, acknowledge_token, bounce_address, reply_key
from monitor.service.opening import Site
from monitor.store import keys


def new_reply_key(site: Site) -> str | None:
    """The random name of a new message; None where nobody reads answers."""
    return None if site.settings.answers is None else reply_key()


def with_ack_mail(site: Site, connection: Connection, facts: MailFacts, key: str | None, now: datetime) -> MailFacts:
    """The facts of one recipient's mail, with the mail that acknowledges what they tell; unchanged without a key.

    In the caller's writing transaction: the first one of a year makes the secret that signs.
    """
    if site.settings.answers is None or key is None or not isinstance(facts, AlertFacts):
        return facts
    address = site.settings.answers.address
    token = acknowledge_token(key, keys.keys_for(connection, keys.REPLY_TOKENS, now), now)
    return replace(facts, acknowledge_by_mail=ack_mail(address, facts.alerts, token))


def reply_to(site: Site) -> str | None:
    """Where a plain reply goes, so that an out-of-office reply does too; None where nobody reads answers."""
    return None if site.settings.answers is None else site.settings.answers.address


def envelope_sender(site: Site, connection: Connection, number: int, key: str | None, now: datetime) -> str:
    """Where message ``number`` comes back to if it cannot be delivered: an address that names it, in the answers' mailbox.

    The plain sender where nobody reads answers, and for messages without a reply key.
    """
    if site.settings.answers is None or key is None:
        return site.settings.mail.sender
    signing = tuple(keys.known_keys(connection, keys.REPLY_TOKENS, now).values())
    return bounce_address(site.settings.answers.address, number, signing) if signing else site.settings.answers.address
