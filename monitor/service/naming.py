"""Which mails name their patients. Everything is made up with the pseudonym; name and birth date come in last, for one reader.

So whoever is told of an alert, and however, the level is decided for him alone, at that moment; and again when the mail
leaves, since the configuration may have changed while it waited.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from monitor.config.privacy import may_be_named
from monitor.config.settings import Settings
from monitor.delivery.facts import MailFacts
from monitor.delivery.named import named, patients_of
from monitor.errors import MonitorError
from monitor.service.opening import Site
from monitor.service.people import everybody
from monitor.store.identities import identities

SENSITIVITY, CONFIDENTIAL = "Sensitivity", "Company-Confidential"
"""The header (RFC 4021) of a mail that names a patient: gateways may go by it, and it is how the outbox knows."""


class NamedNoMoreError(MonitorError):
    """A mail that waited names a patient, and the configuration lets it no longer."""

    def __init__(self) -> None:
        super().__init__("it names a patient, which the configuration does not allow to this address any more")


def may_name(settings: Settings, address: str) -> bool:
    """Whether a mail to this address may name its patients. To one that the configuration does not list, never."""
    if settings.privacy != "identified":
        return False
    theirs = [each for each in everybody(settings) if each.address.lower() == address.lower()]
    relays = [relay for relay in (settings.mail.relay, settings.mail.fallback_relay) if relay is not None]
    return bool(theirs) and may_be_named(
        address,
        staff_domains=settings.mail.staff_domains,
        tls_everywhere=not any(relay.insecure for relay in relays),
        certificate=any(each.certificate is not None for each in theirs),
        encrypt=settings.mail.smime is not None and settings.mail.smime.encrypt,
    )


def with_names(site: Site, connection: Connection, facts: MailFacts, address: str) -> MailFacts:
    """The facts as the reader at this address may have them: the same ones where he may not read names."""
    if not may_name(site.settings, address):
        return facts
    ids = {patient.patient_id for patient in patients_of(facts)}
    return named(facts, identities(connection, ids, site.settings.time_zone)) if ids else facts


def check_still_allowed(settings: Settings, headers: Mapping[str, str], address: str) -> None:
    """Raises NamedNoMoreError for a stored mail that names a patient and may not any more."""
    if SENSITIVITY in headers and not may_name(settings, address):
        raise NamedNoMoreError
