"""What is wrong with one machine of several that share a database: under a name of its own, so that no other one ends it.

On a database that one daemon watches the names are plain. A machine whose daemons are gone has no troubles any more.
"""

from __future__ import annotations

import re
import socket
from datetime import datetime

from sqlalchemy import Connection

from monitor.service.opening import Site
from monitor.store import lease
from monitor.store.troubles import Trouble, all_troubles, clear_trouble, set_trouble

_ON = "@"
_OF_A_MACHINE = re.compile(r"(?:configuration|board|metrics|clock|feed \S+)@(.+)")


def set_own(site: Site, connection: Connection, name: str, words: str, now: datetime) -> bool:
    """As ``set_trouble``, of this machine."""
    said = f"{socket.gethostname()}: {words}" if site.database.shared else words
    return set_trouble(connection, _own(site, name), said, now)


def clear_own(site: Site, connection: Connection, name: str) -> bool:
    """As ``clear_trouble``, of this machine."""
    return clear_trouble(connection, _own(site, name))


def present(connection: Connection, now: datetime) -> list[Trouble]:
    """As ``all_troubles``, without those of machines on which no daemon is any more."""
    hosts = {held.holder.rsplit(":", 2)[0] for held in lease.of_daemons(connection, now)}
    of_machines = ((each, _OF_A_MACHINE.fullmatch(each.name)) for each in all_troubles(connection))
    return [each for each, found in of_machines if found is None or found[1] in hosts]


def is_about(trouble: Trouble, name: str) -> bool:
    """Whether it is ``name``, of whichever machine."""
    return trouble.name.partition(_ON)[0] == name


def _own(site: Site, name: str) -> str:
    return f"{name}{_ON}{socket.gethostname()}" if site.database.shared else name
