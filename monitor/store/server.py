"""How a connection to a PostgreSQL server is made: its time limits, its encryption and the password.

Whatever the URL leaves open is libpq's own: ``PGPASSWORD``, ``~/.pgpass``, ``PGSSLMODE``, ``PGSERVICE`` and the like.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

AT_ONCE, BESIDE = 5, 10
"""The connections that a process keeps, and how many more it makes while those are in use."""


_SESSION = "-c timezone=UTC -c lock_timeout=30s -c idle_in_transaction_session_timeout=60s"


def engine_options(url: URL, password: str | None = None, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """How connections of the database are made and kept; nothing for SQLite. ``password`` goes before libpq's own ways."""
    if url.get_backend_name() != "postgresql":
        return {}
    arguments: dict[str, Any] = {
        "connect_timeout": 10,
        "application_name": "bipn-monitor",
        "client_encoding": "utf8",
        # A server that is cut off is noticed; a process that was stopped gives up what it holds.
        "keepalives_idle": 30,
        "tcp_user_timeout": 30_000,
    }
    arguments = {name: value for name, value in arguments.items() if name not in url.query}
    arguments["options"] = f"{_SESSION} {url.query.get('options', '')}".strip()
    if password is not None:
        arguments["password"] = password
    return {
        "pool_pre_ping": True,  # the server may have been started anew meanwhile
        "pool_size": AT_ONCE,
        "max_overflow": BESIDE,
        "connect_args": arguments | _encryption(url, environ),
    }


def on_connect(driver_connection: Any, _: Any) -> None:
    """Whole numbers of a ``numeric`` column come as such."""
    from monitor.store.whole_numbers import WholeLoader  # here: whoever has SQLite need not have the driver

    driver_connection.adapters.register_loader("numeric", WholeLoader)


def on_return(driver_connection: Any, _: Any) -> None:
    """To the pool. After a transaction that only reads, SQLAlchemy would write where the server's own default forbids it."""
    if driver_connection is not None and not driver_connection.closed and driver_connection.read_only is False:
        driver_connection.read_only = None


def _encryption(url: URL, environ: Mapping[str, str]) -> dict[str, Any]:
    """As for mail: to another host TLS, its certificate verified, unless somebody wrote otherwise.

    libpq alone would take a connection without encryption from any server that offers none.
    """
    said = "sslmode" in url.query or environ.get("PGSSLMODE") or "service" in url.query or environ.get("PGSERVICE")
    if said or not _elsewhere(url, environ):
        return {}
    arguments: dict[str, Any] = {"sslmode": "verify-full"}
    own = Path.home() / ".postgresql" / "root.crt"  # what libpq takes by itself
    if "sslrootcert" not in url.query and not environ.get("PGSSLROOTCERT") and not own.exists():
        arguments["sslrootcert"] = ssl.get_default_verify_paths().cafile or "system"
    return arguments


def _elsewhere(url: URL, environ: Mapping[str, str]) -> bool:
    """Whether any server that the URL names may be on another host: neither a socket's folder nor this host by its name."""
    named = url.query.get("host") or url.host or url.query.get("hostaddr") or environ.get("PGHOST") or ""
    hosts = [named] if isinstance(named, str) else list(named)
    return not all(_here(host.partition(":")[0] if host.count(":") == 1 else host) for each in hosts for host in each.split(","))


def _here(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
