"""What goes out so that answers can come back: each message's random name, the mail that acknowledges it, the board's link."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from monitor.config.settings import Board
from monitor.delivery.board_links import board_link
from monitor.delivery.facts import AlertFacts, CorrectionFacts, DigestFacts, MailFacts, ReminderFacts
from monitor.delivery.reply_tokens import ack_mail, acknowledge_token, reply_key
from monitor.service.opening import Site
from monitor.store import keys


def new_reply_key(site: Site) -> str | None:
    """The random name of a new message; None where nobody reads answers and there is no board."""
    return None if site.settings.answers is None and site.settings.board is None else reply_key()


def with_ways_to_answer(site: Site, connection: Connection, facts: MailFacts, key: str | None, now: datetime) -> MailFacts:
    """The facts of one recipient's mail, with the mail that acknowledges what they tell and the link to the board.

    Each where it is configured; both are that recipient's alone. In the caller's writing transaction: the first message of
    a year makes the secrets that sign.
    """
    if key is None:
        return facts
    if site.settings.board is not None:
        facts = _with_link(facts, link_of(connection, site.settings.board, key, now))
    if site.settings.answers is not None:
        token = acknowledge_token(key, keys.keys_for(connection, keys.REPLY_TOKENS, now), now)
        facts = _with_ack_mail(facts, site.settings.answers.address, token)
    return facts


def link_of(connection: Connection, board: Board, key: str, now: datetime) -> str:
    """The link that signs in the recipient of the message with this reply key. As above."""
    return board_link(board.address, key, keys.keys_for(connection, keys.BOARD_LINKS, now))


def _with_link(facts: MailFacts, link: str) -> MailFacts:
    match facts:
        case AlertFacts() | ReminderFacts() | DigestFacts() | CorrectionFacts():
            return replace(facts, board_link=link)
        case _:
            return facts


def _with_ack_mail(facts: MailFacts, address: str, token: str) -> MailFacts:
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
