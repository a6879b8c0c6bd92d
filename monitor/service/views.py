"""Who looked at whom: each view of a patient is in the journal before anything of it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from monitor.service.opening import Site
from monitor.store import journal

VIEW = "view"


class Looker(Protocol):
    """Who looks. ``role`` is what lets him; the address tells people of one name apart."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def role(self) -> str: ...


def record_view(site: Site, who: Looker, patient_id: str, now: datetime) -> None:
    """Keep that somebody looks at a patient. Call it before anything of the patient is shown.

    Raises DatabaseError, and nothing is to be shown then, where the database cannot be written within its usual wait.
    """
    body = {"patient_id": patient_id, "by": who.name, "address": who.address, "role": who.role}
    with site.database.write(VIEW, beside_others=True) as connection:  # who looks does not wait for a round
        journal.append(connection, now, journal.Entry(VIEW, f"patient {patient_id}", body))
