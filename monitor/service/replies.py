"""What goes out so that answers can come back: each message's random name, and the mail that acknowledges it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from monitor.delivery.facts import AlertFacts, DigestFacts, MailFacts, ReminderFacts
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
    if site.settings.answers is None or key is None:
        return facts
    address = site.settings.answers.address
    token = acknowledge_token(key, keys.keys_for(connection, keys.REPLY_TOKENS, now), now)
    match facts:
        case AlertFacts():
            return replace(facts, acknowledge_by_mail=ack_mail(address, facts.alerts, token))
        case ReminderFacts():
            reminded = (replace(each, acknowledge_by_mail=ack_mail(address, [each.alert], token)) for each in facts.entries)
            return replace(facts, entries=tuple(reminded))
        case DigestFacts():
            listed = (replace(each, acknowledge_by_mail=ack_mail(address, [each.alert], token)) for each in facts.entries)
            return replace(facts, entries=tuple(listed))
        case _:
            return facts
