"""Where the facts live, as the configuration or ``--database`` writes it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from monitor.errors import UsageError

_SQLITE = "sqlite:///"
_POSTGRESQL = re.compile(r"(?:postgres|postgresql|postgresql\+psycopg)://")
_USER_AND_PASSWORD = re.compile(rf"({_POSTGRESQL.pattern})([^:@/?#]*):([^@/?#]*)@")
POSTGRESQL = "postgresql+psycopg://"
_WRITE_POSTGRESQL = "write it postgresql://user@host/database; the password does not belong there"


def resolve_database(url: str, *, folder: Path) -> str:
    """The URL as SQLAlchemy takes it, the path of an SQLite file made absolute, relative ones from ``folder``.

    Raises UsageError, never showing the URL: it may hold a password.
    """
    if has_password(url):
        raise UsageError(
            "a password does not belong in the URL of a database, where others can read it: give it as the systemd credential or"
            " the file database_password, or in BIPN_MONITOR_DATABASE_PASSWORD"
        )
    if _POSTGRESQL.match(url):
        return _postgresql(url)
    if not url.startswith(_SQLITE):
        raise UsageError(
            "a database is written sqlite:///file.db (beside this file), sqlite:////full/path/file.db, "
            "or postgresql://user@host/database"
        )
    path = url.removeprefix(_SQLITE)
    if path in {"", ":memory:"}:
        raise UsageError("a database in memory forgets every alert; name a file, such as sqlite:///bipn-monitor.db")
    if "?" in path or "#" in path or "\0" in path:
        raise UsageError("the file of the database cannot hold '?' or '#', and takes no options")
    return f"{_SQLITE}{(folder / path).resolve()}"


def is_postgresql(url: str) -> bool:
    """Whether a resolved URL names a PostgreSQL database."""
    return url.startswith(POSTGRESQL)


def has_password(url: str) -> bool:
    """Whether a URL, as somebody wrote it, holds a password."""
    if not _POSTGRESQL.match(url):
        return False
    try:
        parts = urlsplit(f"postgresql://{_POSTGRESQL.sub('', url, count=1)}")
    except ValueError:
        return False  # no URL at all: what reads it says so
    return bool(parts.password) or any(key == "password" for key, _ in parse_qsl(parts.query))


def without_password(url: str) -> tuple[str, str | None]:
    """A URL as somebody typed it, and the password that stood between user and host.

    >>> without_password("postgresql://monitor:s%3Acret@db/bipn")
    ('postgresql://monitor@db/bipn', 's:cret')
    """
    found = _USER_AND_PASSWORD.match(url)
    if found is None:
        return url, None
    return f"{found[1]}{found[2]}@{url[found.end() :]}", unquote(found[3])


def _postgresql(url: str) -> str:
    rest = _POSTGRESQL.sub("", url, count=1)
    try:
        parts = urlsplit(f"postgresql://{rest}")
        named = bool(parts.path.strip("/")) or any(key == "dbname" for key, _ in parse_qsl(parts.query))
        parts.port  # noqa: B018  # raises for a port that is no number
    except ValueError as error:
        raise UsageError(f"the URL of the PostgreSQL database cannot be read: {_WRITE_POSTGRESQL}") from error
    if not named:
        raise UsageError(f"the URL of the PostgreSQL server names no database: {_WRITE_POSTGRESQL}")
    return POSTGRESQL + rest
