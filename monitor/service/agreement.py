"""All daemons of one database look at patients by the same policy: else each would look at everybody again after the other.

What one of them opens the other would withdraw. So each says by which policy it watches, and since when; who has an earlier
one than another that runs looks at nobody until it is reloaded. Its mails go out, and it says so.
"""

from __future__ import annotations

from datetime import timedelta

from monitor.errors import ConfigError
from monitor.service import clock
from monitor.service.holder import has_died, is_this_process
from monitor.service.opening import Site
from monitor.store import lease
from monitor.store.lease import Lease
from monitor.store.troubles import clear_trouble, is_known, set_trouble

SAID = "policy of "
TROUBLE = "policies-differ"
GOOD_FOR = timedelta(minutes=2)
SAID_AGAIN_AFTER = GOOD_FOR / 4

WORDS = (
    "another daemon of this database watches by another policy, put in force later: this one looks at nobody until both have "
    "the same configuration; correct it where it is wrong, and reload that daemon"
)


class Agreement:
    """One daemon's."""

    def __init__(self, holder: str) -> None:
        self._name = f"{SAID}{holder}"
        self._policy, self._since = "", 0
        self._said_at: float | None = None  # monotonic

    def check(self, site: Site) -> None:
        """Raises ConfigError while another daemon watches by another policy that is newer than the site's."""
        if not site.database.shared:
            return
        self._say(site)
        now = clock.now()
        with site.database.read() as connection:
            others = [each for each in lease.declared(connection, SAID, now) if _lives(each)]
            known = is_known(connection, TROUBLE)
        differ = [each for each in others if each.holder != self._policy]
        if any((each.token, each.name) > (self._since, self._name) for each in differ):
            if not known:
                with site.database.write("policies") as connection:
                    set_trouble(connection, TROUBLE, WORDS, now)
            raise ConfigError(WORDS)
        if known and not differ:
            with site.database.write("policies") as connection:
                clear_trouble(connection, TROUBLE)

    def withdraw(self, site: Site) -> None:
        """This daemon ends."""
        if site.database.shared:
            with site.database.write("lease", beside_others=True) as connection:
                lease.withdraw(connection, self._name)

    def _say(self, site: Site) -> None:
        seconds = clock.monotonic_seconds()
        changed = self._policy != site.policy.sha256
        if not changed and self._said_at is not None and seconds - self._said_at < SAID_AGAIN_AFTER.total_seconds():
            return
        now = clock.now()
        if changed:
            self._policy, self._since = site.policy.sha256, int(now.timestamp())
        good_for = max(GOOD_FOR, 3 * site.settings.poll_every)
        with site.database.write("lease", beside_others=True) as connection:
            lease.declare(connection, Lease(self._policy, self._since, now + good_for, self._name))
        self._said_at = seconds


def _lives(said: Lease) -> bool:
    holder = said.name.removeprefix(SAID)
    return is_this_process(holder) or not has_died(holder)
