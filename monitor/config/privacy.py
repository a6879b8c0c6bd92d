"""What mails tell about the patient, and to which address they may name him."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Privacy = Literal["none", "pseudonym", "identified"]


def domain_of(address: str) -> str:
    """What stands after the ``@``, in lower case; empty without one."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def may_be_named(address: str, *, staff_domains: Collection[str], tls_everywhere: bool, certificate: bool, encrypt: bool) -> bool:
    """Whether a mail to this address may hold the patient's name and birth date.

    Either the mailbox is staff's (``staff_domains`` in lower case) and every relay is spoken to with TLS, or the mail is
    encrypted for its owner.
    """
    return (certificate and encrypt) or (tls_everywhere and domain_of(address) in staff_domains)
