"""Whether what another program writes is noticed at all: the triggers of every table of facts are there, and on."""

from __future__ import annotations

from sqlalchemy import Connection

from monitor.store.fact_tables import KINDS
from monitor.store.triggers import trigger_names

_ON = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND relnamespace = current_schema()::regnamespace",
}


def unnoticed_tables(connection: Connection) -> list[str]:
    """The tables of facts of which a trigger is missing or off."""
    dialect = connection.dialect.name
    on: dict[str, set[str]] = {}
    for table, name in connection.exec_driver_sql(_ON[dialect]):
        on.setdefault(table, set()).add(name)
    return [kind for kind in KINDS if trigger_names(dialect, kind) - on.get(kind, set())]
