"""Bringing a database to this version's schema, by the Alembic revisions inside the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from monitor.errors import DatabaseError
from monitor.store.database import Database
from monitor.store.schema import FOREIGN, REVISIONS, foreign, schema_version

if TYPE_CHECKING:
    from alembic.config import Config


def migration_config(connection: Connection) -> Config:
    """Alembic's configuration for the revisions inside the package, run on ``connection``."""
    from alembic.config import Config  # here: Alembic is 11 MB that a daemon with a database of today never needs

    config = Config()
    config.set_main_option("script_location", "monitor.store:migrations")
    config.attributes["connection"] = connection
    return config


def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the schema to this version in one transaction. Returns the revision before and after.

    Raises DatabaseError if the database is of a newer version - there is no way back but its backup - or another program's.
    """
    before = schema_version(database)
    if before is not None and before not in REVISIONS:
        raise DatabaseError("the database is of a newer version than this program: install that version")
    if before is None and foreign(database):
        raise DatabaseError(FOREIGN)
    from alembic import command

    with database.rebuild() as connection:
        command.upgrade(migration_config(connection), "head")
    return before, REVISIONS[-1]
