"""Triggers on the tables of facts, for SQLite and for PostgreSQL: what another program writes is noticed, nothing is lost.

    insert              the patient goes into ``changes``; a ``source_id`` that is known makes the row a correction
    update of a value   the values replaced are kept as a superseded version; both patients go into ``changes``
    the same, of a superseded version           is ignored: what was known is never edited
    update of when it was known or superseded   both patients go into ``changes``
    delete              the row comes back superseded; the patient goes into ``changes``
    insert or update that would put another row out of its place by ``OR REPLACE``       is refused (revision 0005)
    truncate            is refused

SQLite's ``recursive_triggers`` is off, its default: a trigger's own writes do not start the same trigger again. With it
off, ``INSERT OR REPLACE`` fires no delete trigger, so the row that it would remove is superseded before.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.store import triggers_postgresql
from monitor.store.dialect import NOW_TEXT

_CARRIED = ("source_id", "recorded_at", "stored_at", "fingerprint", "feed")


def trigger_statements(dialect: str, table: str, values: Sequence[str], identity: str) -> list[str]:
    """The statements that create all triggers of one table of facts.

    ``values`` are its clinical columns, ``identity`` the column that names a record across versions.
    """
    if dialect == "sqlite":
        return _sqlite(table, values, identity)
    if dialect == "postgresql":
        return _postgresql(table, values, identity)
    raise ValueError(f"no triggers are known for {dialect}")


def guard_statements(table: str, identity: str) -> list[str]:
    """The statements that keep SQLite's ``OR REPLACE`` from removing a row of facts unseen: it starts no trigger.

    Whoever does not write ``OR REPLACE`` is refused by the database itself in these cases.
    """
    pieces = {"t": table, "identity": identity, "same_record": f"{identity} = NEW.{identity}"}
    return [statement.format(**pieces) for statement in _SQLITE_GUARDS]


def trigger_names(dialect: str, table: str) -> set[str]:
    """The triggers that a table of facts has to have."""
    if dialect == "postgresql":
        return triggers_postgresql.trigger_names(table)
    return {statement.format(t=table).split()[2] for statement in map(_named, (*_SQLITE, *_SQLITE_GUARDS))}


def _named(statement: str) -> str:
    """The beginning of a statement, which says its name."""
    return " ".join(statement.split()[:3])


def append_only_statements(dialect: str, table: str) -> list[str]:
    """The statements that let nobody change or delete a row of ``table``, us included."""
    if dialect == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, '{t} is append-only'); END"
        return [
            f"CREATE TRIGGER {{t}}_no_{what.lower()} BEFORE {what} ON {{t}} {refuse}".format(t=table)
            for what in ("UPDATE", "DELETE")
        ]
    if dialect == "postgresql":
        return triggers_postgresql.append_only_statements(table)
    raise ValueError(f"no triggers are known for {dialect}")


def _names(table: str, values: Sequence[str], identity: str) -> dict[str, str]:
    """The pieces of SQL that both dialects fill into their triggers."""
    watched = values if identity in values else (*values, identity)
    carried = (*_CARRIED, *values)
    return {
        "t": table,
        "identity": identity,
        "watched": ", ".join(watched),
        "differs": " OR ".join(f"OLD.{name} {{unlike}} NEW.{name}" for name in watched),
        "carried": ", ".join(carried),
        "old_carried": ", ".join(f"OLD.{name}" for name in carried),
        "same_record": f"{identity} = NEW.{identity}",
    }


def _sqlite(table: str, values: Sequence[str], identity: str) -> list[str]:
    pieces = _names(table, values, identity) | {"now": NOW_TEXT["sqlite"]}
    pieces["differs"] = pieces["differs"].format(unlike="IS NOT")
    return [statement.format(**pieces) for statement in _SQLITE]


def _postgresql(table: str, values: Sequence[str], identity: str) -> list[str]:
    pieces = _names(table, values, identity) | {"now": NOW_TEXT["postgresql"]}
    pieces["differs"] = pieces["differs"].format(unlike="IS DISTINCT FROM")
    return triggers_postgresql.fact_statements(pieces)


_SQLITE = (
    """CREATE TRIGGER {t}_replaced BEFORE INSERT ON {t}
WHEN NEW.superseded_at IS NULL AND NEW.{identity} IS NOT NULL
 AND EXISTS (SELECT 1 FROM {t} WHERE {same_record} AND superseded_at IS NULL)
BEGIN
 UPDATE {t} SET superseded_at = coalesce(NEW.recorded_at, {now}) WHERE {same_record} AND superseded_at IS NULL;
END""",
    """CREATE TRIGGER {t}_inserted AFTER INSERT ON {t}
BEGIN
 INSERT INTO changes (patient_id) VALUES (NEW.patient_id);
END""",
    """CREATE TRIGGER {t}_corrected AFTER INSERT ON {t}
WHEN NEW.superseded_at IS NULL AND NEW.recorded_at IS NULL AND NEW.{identity} IS NOT NULL
 AND EXISTS (SELECT 1 FROM {t} WHERE {same_record} AND superseded_at IS NOT NULL)
BEGIN
 UPDATE {t} SET recorded_at = {now} WHERE id = NEW.id;
END""",
    """CREATE TRIGGER {t}_kept BEFORE UPDATE OF {watched} ON {t}
WHEN OLD.superseded_at IS NOT NULL
BEGIN
 SELECT RAISE(IGNORE);
END""",
    """CREATE TRIGGER {t}_updated AFTER UPDATE OF {watched} ON {t}
WHEN OLD.superseded_at IS NULL AND ({differs})
BEGIN
 INSERT INTO {t} (superseded_at, record, version, {carried})
 VALUES (CASE WHEN NEW.recorded_at IS NULL OR NEW.recorded_at IS OLD.recorded_at THEN {now} ELSE NEW.recorded_at END,
  coalesce(OLD.record, OLD.id), coalesce(OLD.version, OLD.id), {old_carried});
 UPDATE {t} SET stored_at = {now}, fingerprint = NULL, feed = NULL, version = last_insert_rowid(),
  recorded_at = CASE WHEN NEW.recorded_at IS NULL OR NEW.recorded_at IS OLD.recorded_at THEN {now} ELSE NEW.recorded_at END
 WHERE id = NEW.id;
 INSERT INTO changes (patient_id) VALUES (NEW.patient_id);
END""",
    """CREATE TRIGGER {t}_dated AFTER UPDATE OF recorded_at, superseded_at ON {t}
WHEN OLD.recorded_at IS NOT NEW.recorded_at OR OLD.superseded_at IS NOT NEW.superseded_at
BEGIN
 INSERT INTO changes (patient_id) VALUES (NEW.patient_id);
END""",
    """CREATE TRIGGER {t}_deleted AFTER DELETE ON {t}
BEGIN
 INSERT INTO {t} (id, superseded_at, record, version, {carried})
 VALUES (OLD.id, coalesce(OLD.superseded_at, {now}), OLD.record, OLD.version, {old_carried});
END""",
)

_SQLITE_GUARDS = (
    """CREATE TRIGGER {t}_id_taken BEFORE INSERT ON {t}
WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM {t} WHERE id = NEW.id)
BEGIN
 SELECT RAISE(ABORT, '{t}: a row of this id is there: change it by UPDATE');
END""",
    """CREATE TRIGGER {t}_place_taken BEFORE UPDATE OF id, {identity}, superseded_at ON {t}
WHEN (NEW.id IS NOT OLD.id AND EXISTS (SELECT 1 FROM {t} WHERE id = NEW.id))
 OR (NEW.superseded_at IS NULL AND (NEW.{identity} IS NOT OLD.{identity} OR OLD.superseded_at IS NOT NULL)
  AND EXISTS (SELECT 1 FROM {t} WHERE {same_record} AND superseded_at IS NULL AND id IS NOT OLD.id))
BEGIN
 SELECT RAISE(ABORT, '{t}: another current row has this {identity}');
END""",
)
