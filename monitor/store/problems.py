"""What the errors of both databases mean, and what to do. No text holds a stored value or a password."""

from __future__ import annotations

import re

from sqlalchemy.exc import DBAPIError

_NO_ROOM = "the disk of the database is full, or fails: make room, then repeat; nothing of this step was stored"
_SQLITE = (
    ("SQLITE_BUSY", "the database is locked: another program has been writing for more than 10 s; end it, then repeat"),
    ("SQLITE_LOCKED", "the database is locked by this program itself; please report this"),
    ("SQLITE_READONLY", "the database cannot be written: check the owner and mode of the file and of its folder"),
    ("SQLITE_FULL", "the disk of the database is full: make room, then repeat; nothing of this step was stored"),
    ("SQLITE_CORRUPT", "the database is damaged: stop the daemon and restore the newest backup"),
    ("SQLITE_NOTADB", "the file is not an SQLite database: correct `database:`, or restore the newest backup"),
    ("SQLITE_CANTOPEN", "the database file cannot be opened: check that it exists, and its owner and mode"),
    ("SQLITE_PERM", "the database file cannot be opened: check its owner and mode"),
    ("SQLITE_IOERR_WRITE", _NO_ROOM),
    ("SQLITE_IOERR_SHMSIZE", _NO_ROOM),
    ("SQLITE_IOERR", "the disk of the database reports errors: check it, then restore the newest backup if need be"),
)
_OLDER = "the database lacks a table or column of this version: run `bipn-monitor migrate`"

_ENDED = "the PostgreSQL server ended the connection: see whether it runs, then repeat; nothing of this step was stored"
_STARTING = "the PostgreSQL server is starting or stopping: repeat when it runs"
_CROWDED = "the PostgreSQL server has no connection left: raise its max_connections, or end programs that hold some"
_FULL = "the disk of the PostgreSQL server is full: make room there, then repeat; nothing of this step was stored"
_OTHERS = "another program changed the same rows at the same time: repeat; nothing of this step was stored"
_DAMAGED = "the PostgreSQL server finds the database damaged: stop the daemon and restore the newest backup"
_READ_ONLY = "the PostgreSQL server only reads: it is a standby, or default_transaction_read_only is on; name the primary"
_POSTGRESQL = (
    ("08", _ENDED),
    ("22021", "a text holds bytes or a character that PostgreSQL does not store: correct it where it comes from"),
    ("22", "the database refused a value that does not fit its column: correct it where it comes from"),
    ("25006", _READ_ONLY),
    ("25P03", _ENDED),
    ("40", _OTHERS),
    ("42P01", _OLDER),
    ("42703", _OLDER),
    ("42883", _OLDER),
    ("53100", _FULL),
    ("53200", "the PostgreSQL server has no memory left: see its log"),
    ("53300", _CROWDED),
    ("55P03", "the database is locked: another program has held what is needed for 30 s; end it, then repeat"),
    ("57014", "the PostgreSQL server ended a statement that took too long: raise its statement_timeout for this role"),
    ("57P03", _STARTING),
    ("57P", _ENDED),
    ("58", "the disk of the PostgreSQL server reports errors: check it, then restore the newest backup if need be"),
    ("XX001", _DAMAGED),
    ("XX002", _DAMAGED),
)
# A server tells why it lets nobody in by a sentence alone, in its own language: those of English and of German ones.
_NOT_LET_IN = (
    (
        r"password authentication failed|no password supplied|Passwort-Authentifizierung",
        "the PostgreSQL server refused the password: correct the secret database_password, or the one of the role",
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects|kein pg_hba\.conf-Eintrag|pg_hba\.conf lehnt",
        "the PostgreSQL server lets this role not in from here: add a line to its pg_hba.conf, then reload it",
    ),
    (
        r"(?:Peer|Ident) authentication failed|(?:Peer|Ident)-Authentifizierung",
        "the PostgreSQL server lets in only the role named as the system's user: name it in `database:`, or see pg_hba.conf",
    ),
    (
        r"role .* (?:does not exist|is not permitted)|Rolle .* (?:existiert nicht|nicht erlaubt)",
        "the PostgreSQL server knows no such role, or it may not log in: correct `database:`, or CREATE ROLE … LOGIN",
    ),
    (
        r"database .* does not exist|Datenbank .* existiert nicht",
        "the PostgreSQL server has no such database: correct `database:`, or create it with CREATE DATABASE",
    ),
    (
        r"permission denied for database|keine Berechtigung für Datenbank",
        "the role may not connect to this database: GRANT CONNECT ON DATABASE … TO it",
    ),
    (r"too many connections|connection slots|zu viele Verbindungen|Verbindungen sind für", _CROWDED),
    (r"starting up|shutting down|startet gerade|fährt (?:gerade )?herunter|recovery mode|Wiederherstellungsmodus", _STARTING),
    (
        r"resolve host|translate host name",
        "the name of the PostgreSQL server is not known: correct the host in `database:`, or the name service",
    ),
    (
        r"certificate|SSL|GSSAPI",
        "the PostgreSQL server and this program agree on no encryption: name the authority of its certificate with"
        " sslrootcert=FILE in `database:`, or say sslmode=require (encrypted, not verified) or sslmode=disable there",
    ),
    (
        r"Connection refused|No such file|Is the server running|timeout expired|timed out|No route|unreachable",
        "the PostgreSQL server cannot be reached: see whether it runs, and correct host and port in `database:`",
    ),
    (
        r"invalid .*(?:option|value)|missing \"=\"",
        "the URL of the PostgreSQL database has an option that is unknown, or a value it cannot have: correct `database:`",
    ),
)


def problem(error: DBAPIError) -> str:
    """What a database error means and what to do, without any stored value."""
    cause = error.orig
    name = str(getattr(cause, "sqlite_errorname", ""))
    if name:
        return _sqlite_problem(name, str(cause))
    if cause is not None and hasattr(cause, "diag"):
        return _postgresql_problem(cause)
    return _unknown(type(cause).__name__)


def refuses_a_value(error: DBAPIError) -> bool:
    """Whether it is about a value of a row, and would be the same tomorrow; else the database is in no state to take any."""
    name, state = str(getattr(error.orig, "sqlite_errorname", "")), str(getattr(error.orig, "sqlstate", None) or "")
    return (name.startswith("SQLITE_CONSTRAINT") and name != "SQLITE_CONSTRAINT_TRIGGER") or state[:2] in {"22", "23"}


def _sqlite_problem(name: str, said: str) -> str:
    if name.startswith("SQLITE_CONSTRAINT"):
        return _refused(said)  # SQLite names the constraint or the column here, never the value
    for prefix, text in _SQLITE:
        if name.startswith(prefix):
            return text
    if name == "SQLITE_ERROR" and ("no such table" in said or "no such column" in said):
        return _OLDER
    return _unknown(name)


def _postgresql_problem(cause: BaseException) -> str:
    """Its sentences quote values, so only names are taken: of the constraint, the table, the column."""
    state, diag = str(getattr(cause, "sqlstate", None) or ""), getattr(cause, "diag", None)
    if not state:
        return _without_state(cause)
    if state.startswith("23"):
        constraint = getattr(diag, "constraint_name", None)
        column = ".".join(filter(None, (getattr(diag, "table_name", None), getattr(diag, "column_name", None))))
        return _refused(constraint or column or state)
    if state == "42501":
        return "the role of the database may not do this: GRANT it what `docs/operations.md` lists, or let the owner do it"
    for prefix, text in _POSTGRESQL:
        if state.startswith(prefix):
            return text
    return _unknown(state)


def _without_state(cause: BaseException) -> str:
    """An error before there is a connection, or of one that broke."""
    said = str(cause)
    if type(cause).__name__ == "DataError":
        return dict(_POSTGRESQL)["22021"]  # the driver's own: a NUL
    for pattern, text in _NOT_LET_IN:
        if re.search(pattern, said):
            return text
    if "connection failed" in said or "connection is bad" in said:
        return f"the PostgreSQL server lets nobody in: {' '.join(said.split())}"  # names host, role and database at most
    return _ENDED if type(cause).__name__ in {"OperationalError", "InterfaceError"} else _unknown(type(cause).__name__)


def _refused(what: str) -> str:
    return f"the database refused a row ({what}): correct the value where it comes from; nothing of this step was stored"


def _unknown(name: str) -> str:
    return f"the database reports an error ({name}); see its own log"
