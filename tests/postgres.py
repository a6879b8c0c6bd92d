"""A PostgreSQL server of the tests' own, in a folder and at a socket of its own. One a process, started when first asked for.

    url = a_postgres_database()      # an empty one
    url = a_postgres_database(like=migrated_template())

The server runs as another user where the tests run as root, as PostgreSQL will not. No binary: the test skips, and says so.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest

from monitor.store.database import open_database
from monitor.store.migrate import migrate

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # a test's database need not survive a power cut
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
}
_numbers = count(1)


@dataclass(frozen=True)
class Server:
    """``folder`` holds data and socket. ``restart`` and ``stop`` are for tests of what happens then: have one of your own."""

    binaries: Path
    folder: Path
    user: str | None

    def url(self, database: str, user: str = "postgres") -> str:
        """The URL of a database, as a configuration writes it."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres", user: str = "postgres") -> psycopg.Connection:
        """A plain connection, as another program's; each statement commits by itself."""
        return psycopg.connect(host=str(self.folder), dbname=database, user=user, autocommit=True)

    def control(self, *words: str) -> None:
        """pg_ctl, waiting until it is done."""
        self._run("pg_ctl", "--pgdata", str(self.folder / "data"), "--silent", "--wait", *words)

    def start(self, **settings: str) -> None:
        options = " ".join(f"-c {name}='{value}'" for name, value in {**_SETTINGS, **settings}.items())
        options += f" -c unix_socket_directories='{self.folder}'"
        self.control("--log", str(self.folder / "log"), "--options", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self.control("--mode", mode, "stop")

    def make(self) -> None:
        made = ("--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8")
        german = ("--locale-provider=icu", "--icu-locale=de-DE")  # where a server sorts otherwise than we do, a test fails
        self._run("initdb", *made, *german, "--pgdata", str(self.folder / "data"))

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def _run(self, program: str, *words: str) -> None:
        ran = subprocess.run(
            [str(self.binaries / program), *words],
            cwd=self.folder,
            user=self.user,
            group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
            extra_groups=None if self.user is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=program != "pg_ctl",  # the server keeps pg_ctl's open, and we would wait for its end
            check=False,
        )
        assert ran.returncode == 0, f"{program} ended with {ran.returncode}: {ran.stderr or b''!r} {self._log()}"


def a_server(**settings: str) -> Server:
    """A server of one's own, running. ``settings`` go before those of the tests, such as ``fsync="on"``."""
    if not BINARIES:
        pytest.skip("no PostgreSQL server is installed here: see `make machine`")
    folder = Path(tempfile.mkdtemp(prefix="bipn-pg-"))  # short: the name of a socket may have 107 characters
    user = None
    if os.geteuid() == 0:
        user = next(name for name in ("postgres", "nobody") if name in {each.pw_name for each in pwd.getpwall()})
        shutil.chown(folder, user)
    server = Server(BINARIES[0], folder, user)
    server.make()
    server.start(**settings)
    atexit.register(remove, server)
    return server


def remove(server: Server) -> None:
    """End a server and remove all it had."""
    if (server.folder / "data" / "postmaster.pid").exists():
        server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@cache
def shared_server() -> Server:
    """The server of this process, for every test that does not stop it."""
    return a_server()


def a_postgres_database(like: str = "template1") -> str:
    """The URL of a new database in the shared server, a copy of another one."""
    name = f"test_{next(_numbers)}"
    with shared_server().connect() as connection:
        connection.execute(f'CREATE DATABASE {name} TEMPLATE "{like}"')
    return shared_server().url(name)


@cache
def migrated_template() -> str:
    """The name of an empty database of this version's schema, to copy: to migrate one takes a second."""
    url = a_postgres_database()
    database = open_database(url.replace("postgresql://", "postgresql+psycopg://"))
    migrate(database)
    database.close()
    return url.split("/")[3].partition("?")[0]
