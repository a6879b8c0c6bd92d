"""For those who write by SQL: views of what is in force; SQLite's OR REPLACE removes no row unseen; PostgreSQL rounds nothing.

Views show columns: a revision that makes a table of facts anew drops its view before, and makes it again after.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitor.store.migrations.columns import partial
from monitor.store.triggers import guard_statements
from monitor.store.views import FEED_VIEWS, current_view

revision = "0005"
down_revision = "0004"

IDENTITY = {
    "patients": "patient_id",
    **dict.fromkeys(("courses", "doses", "assessments", "labs", "investigations", "treatments"), "source_id"),
}
WHOLE = {
    "patients": ("baseline_sensory_grade", "baseline_motor_grade"),
    "courses": ("cycle_days",),
    "assessments": (
        *("sensory_grade", "motor_grade", "autonomic_grade", "pain_nrs", "gbs_disability"),
        *("systolic_lying", "systolic_standing", "diastolic_lying", "diastolic_standing"),
    ),
}


def upgrade() -> None:
    connection = op.get_bind()
    for kind, identity in IDENTITY.items():
        columns = [str(column["name"]) for column in sa.inspect(connection).get_columns(kind)]
        connection.exec_driver_sql(current_view(kind, columns))
        partial(f"ix_{kind}_by_sql", kind, ["id"], "feed IS NULL")
        if connection.dialect.name == "sqlite":
            for statement in guard_statements(kind, identity):
                connection.exec_driver_sql(statement)
    for statement in FEED_VIEWS:
        connection.exec_driver_sql(statement)
    if connection.dialect.name == "postgresql":
        _refuse_what_sqlite_refuses()


def _refuse_what_sqlite_refuses() -> None:
    """Its strict tables take no fraction for a whole number, and know no number that is none."""
    for table, columns in WHOLE.items():
        for column in columns:
            op.create_check_constraint(op.f(f"ck_{table}_{column}_whole"), table, f"{column} = trunc({column})")
    op.create_check_constraint(op.f("ck_labs_value_number"), "labs", "value <> 'NaN'")
