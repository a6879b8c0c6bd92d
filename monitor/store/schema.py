"""Which revision of the schema a database has, told without loading Alembic."""

from __future__ import annotations

from sqlalchemy import inspect

from monitor.store.database import Database

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Every revision of ``migrations/versions``, oldest first; a test compares them."""


FOREIGN = "the database is another program's: it has tables, and none of this program's; correct `database:`"


def schema_version(database: Database) -> str | None:
    """The revision of the database's schema, or None while it has none."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return None if found is None else str(found)


def foreign(database: Database) -> bool:
    """Whether the database holds tables, and was never this program's."""
    with database.read() as connection:
        tables = inspect(connection).get_table_names()
    return bool(tables) and "alembic_version" not in tables


def schema_problem(database: Database) -> str | None:
    """Why this version of the program cannot use the database, with the remedy; None if it can."""
    found = schema_version(database)
    if found == REVISIONS[-1]:
        return None
    if found is None and foreign(database):
        return FOREIGN
    if found is None:
        return "the database is empty: run `bipn-monitor migrate`"
    if found in REVISIONS:
        return "the database is of an older version: stop the daemon, back the database up, run `bipn-monitor migrate`"
    return "the database is of a newer version than this program: install that version, or restore the backup made before it"
