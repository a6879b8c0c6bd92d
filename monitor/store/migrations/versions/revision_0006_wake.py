"""PostgreSQL wakes the daemons that listen when there is something to do."""

from __future__ import annotations

from alembic import op

from monitor.store.wake_triggers import WAKE_STATEMENTS

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in WAKE_STATEMENTS:
            connection.exec_driver_sql(statement)
