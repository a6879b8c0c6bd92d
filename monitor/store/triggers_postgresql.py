"""The triggers of ``triggers.py`` as PostgreSQL has them: fewer, since a trigger there may change the row that it is about.

They run with the rights of whoever made the tables (SECURITY DEFINER), so that another program needs none on ``changes``,
and with a search path of their own, so that it cannot put something else in the place of what they call. A statement
of many rows, COPY too, notes its patients once. What they write themselves starts triggers again, other than on SQLite:
each of them says in its condition, or by what it writes, why that ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

SEARCH_PATH = "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)"
"""For this transaction: the schema of the tables, after the server's own and before anybody's temporary tables."""


class _Trigger(NamedTuple):
    name: str
    occasion: str
    condition: str
    declare: str
    body: str
    planned: str = ""


def fact_statements(pieces: Mapping[str, str]) -> list[str]:
    """All statements for one table of facts; ``pieces`` are the parts of SQL that ``triggers.py`` names."""
    found = [SEARCH_PATH]
    for trigger in _TRIGGERS:
        filled = _Trigger(*(part.format(**pieces) for part in trigger))
        found += _statements(pieces["t"], filled)
    return found


def trigger_names(table: str) -> set[str]:
    """What the triggers of a table of facts are called."""
    return {f"{table}_{trigger.name}" for trigger in _TRIGGERS}


def append_only_statements(table: str) -> list[str]:
    """The statements that refuse UPDATE, DELETE and TRUNCATE of ``table``, also to its owner."""
    refuse = f"RAISE EXCEPTION '{table} is append-only';"
    function = f"{table}_append_only"
    return [
        SEARCH_PATH,
        *_function(function, "", refuse),
        f"CREATE TRIGGER {function} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
        f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
    ]


def _statements(table: str, trigger: _Trigger) -> list[str]:
    function = f"{table}_{trigger.name}"
    condition = f" WHEN ({trigger.condition})" if trigger.condition else ""
    return [
        *_function(function, trigger.declare, trigger.body, trigger.planned),
        f"CREATE TRIGGER {function} {trigger.occasion}{condition} EXECUTE FUNCTION {function}()",
    ]


def _function(name: str, declare: str, body: str, more: str = "") -> list[str]:
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT{more}"
        f" AS $$ {declare} BEGIN {body} END $$",
        # Else anybody could hang the function on a table of their own, and so write with our rights.
        f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC",
    ]


_TRIGGERS = (
    # Two writers of one record: the second waits for the first, then its statement sees what that one left: hence the loop.
    _Trigger(
        "arriving",
        "BEFORE INSERT ON {t} FOR EACH ROW",
        "NEW.superseded_at IS NULL AND NEW.{identity} IS NOT NULL AND current_setting('bipn.import', true) IS DISTINCT FROM 'on'",
        "DECLARE known text := coalesce(NEW.recorded_at, {now});",
        "WHILE EXISTS (SELECT 1 FROM {t} WHERE {same_record} AND superseded_at IS NULL) LOOP"
        " UPDATE {t} SET superseded_at = known WHERE {same_record} AND superseded_at IS NULL; END LOOP;"
        " IF NEW.recorded_at IS NULL AND EXISTS (SELECT 1 FROM {t} WHERE {same_record} AND superseded_at IS NOT NULL)"
        " THEN NEW.recorded_at := known; END IF;"
        " RETURN NEW;",
        # A table that grows within one statement is taken for as small as it was, and would be read from end to end.
        " SET enable_seqscan = off",
    ),
    _Trigger(
        "inserted",
        "AFTER INSERT ON {t} REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT",
        "",
        "",
        "INSERT INTO changes (patient_id) SELECT patient_id FROM arrived GROUP BY patient_id ORDER BY min(id); RETURN NULL;",
    ),
    # What is inserted here is superseded, so nothing above but "inserted" concerns it: it notes the patient before.
    _Trigger(
        "changing",
        "BEFORE UPDATE OF {watched} ON {t} FOR EACH ROW",
        "OLD.superseded_at IS NOT NULL OR {differs}",
        "DECLARE present text := {now};",
        "IF OLD.superseded_at IS NOT NULL THEN RETURN NULL; END IF;"
        " IF NEW.recorded_at IS NULL OR NEW.recorded_at IS NOT DISTINCT FROM OLD.recorded_at"
        " THEN NEW.recorded_at := present; END IF;"
        " INSERT INTO {t} (superseded_at, record, version, {carried})"
        " VALUES (NEW.recorded_at, coalesce(OLD.record, OLD.id), coalesce(OLD.version, OLD.id), {old_carried})"
        " RETURNING id INTO NEW.version;"
        " NEW.stored_at := present; NEW.fingerprint := NULL; NEW.feed := NULL;"
        " RETURN NEW;",
    ),
    _Trigger(
        "changed",
        "AFTER UPDATE ON {t} FOR EACH ROW",
        "OLD.recorded_at IS DISTINCT FROM NEW.recorded_at OR OLD.superseded_at IS DISTINCT FROM NEW.superseded_at OR {differs}",
        "",
        "INSERT INTO changes (patient_id) VALUES (NEW.patient_id); RETURN NULL;",
    ),
    _Trigger(
        "deleted",
        "AFTER DELETE ON {t} FOR EACH ROW",
        "",
        "",
        "INSERT INTO {t} (id, superseded_at, record, version, {carried})"
        " VALUES (OLD.id, coalesce(OLD.superseded_at, {now}), OLD.record, OLD.version, {old_carried}); RETURN NULL;",
    ),
    _Trigger(
        "not_emptied",
        "BEFORE TRUNCATE ON {t} FOR EACH STATEMENT",
        "",
        "",
        "RAISE EXCEPTION '{t} cannot be truncated: DELETE its rows, which keeps what was known';",
    ),
)
