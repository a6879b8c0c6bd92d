"""What goes out so that answers can come back: each message's random name, and the mail that acknowledges it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from monitor.delivery.facts import AlertFacts, MailFacts
from monitor.delivery.reply_tokens import ack_mail, acknowledge_token, reply_key
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
