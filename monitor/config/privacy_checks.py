"""What a shape cannot say about who may read what: mailboxes outside the hospital, names on a way that others can read."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from monitor.config.addresses import is_address
from monitor.config.mail_checks import FALLBACK, RELAY
from monitor.config.mailboxes import board_users, items, mailboxes
from monitor.config.privacy import domain_of, may_be_named
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc

DOMAINS: Loc = ("mail", "staff_domains")
A_SLIP = 0.85
"""So alike are domains where one was meant for the other (J): a portal's is not to be taken for the hospital's."""


def check_privacy(document: Document) -> Iterator[Problem]:
    """All that is wrong with ``mail.staff_domains`` and ``privacy: identified``, each at its line."""
    wrong = list(_domains(document))
    yield from wrong
    if wrong:  # who is staff cannot be known before they are mended
        return
    staff = _staff(document)
    outside = [(*loc, "address") for loc in _addressed(document) if _outside(document.get((*loc, "address"), str), staff)]
    for loc in outside:
        written = document.get(loc, str) or ""
        near = next(iter(difflib.get_close_matches(domain_of(written), sorted(staff), n=1, cutoff=A_SLIP)), None)
        message = "this mailbox is in none of mail.staff_domains: a patient portal or private mailbox is no channel"
        suggestion = f"{written.rpartition('@')[0]}@{near}" if near else None
        yield document.at(loc, "not-staff", message, suggestion=suggestion)
    if document.get(("privacy",), str) == "identified":
        yield from _identified(document, staff, told=outside)


def _domains(document: Document) -> Iterator[Problem]:
    seen: set[str] = set()
    if document.get(DOMAINS, list) == []:
        yield document.at(
            DOMAINS, "nobody-home", "without any domain no mailbox would be of staff; name them, or delete the line"
        )
    for loc in items(document, DOMAINS):
        written = document.get(loc, str)
        if written is None:
            continue
        if not is_address(f"a@{written}"):
            near = written.rpartition("@")[2].removeprefix("*.")
            near_or_none = near if near != written and is_address(f"a@{near}") else None
            message = "the domain of mailboxes is expected, what stands after the @, such as hospital.example"
            yield document.at(loc, "bad-domain", message, suggestion=near_or_none)
        elif written.lower() in seen:
            yield document.at(loc, "duplicate-name", f"'{written}' is named here already")
        seen.add(written.lower())


def _staff(document: Document) -> frozenset[str]:
    return frozenset((document.get(loc, str) or "").lower() for loc in items(document, DOMAINS)) - {""}


def _addressed(document: Document) -> Iterator[Loc]:
    """Every place that has an address to which mails go."""
    yield from mailboxes(document)
    yield from (("operations",), ("answers",), ("data_quality", "owner"))
    yield from board_users(document)


def _outside(address: str | None, staff: frozenset[str]) -> bool:
    """One that is no address is told elsewhere."""
    return bool(staff) and address is not None and is_address(address) and domain_of(address) not in staff


def _identified(document: Document, staff: frozenset[str], *, told: list[Loc]) -> Iterator[Problem]:
    """Everybody to whom a mail with the patient's name may not go."""
    clear = [relay for relay in (RELAY, FALLBACK) if document.get((*relay, "insecure"), bool)]
    encrypt = document.get(("mail", "smime", "encrypt"), bool) or False
    if clear:
        why = f"{'.'.join(map(str, clear[0]))} has insecure: true"
    else:
        why = "there are no mail.staff_domains" if not staff else "his domain is none of mail.staff_domains"
    for loc in mailboxes(document):
        here = (*loc, "address")
        address = document.get(here, str)
        if address is None or not is_address(address) or here in told:
            continue
        certificate = document.get((*loc, "certificate"), str) is not None
        if not may_be_named(address, staff_domains=staff, tls_everywhere=not clear, certificate=certificate, encrypt=encrypt):
            more = "no `certificate` here" if encrypt else "no mail.smime with encrypt: true"
            message = f"privacy: identified would name patients in a mail that others could read: {why}, and there is {more}"
            yield document.at(here, "not-private", message)
