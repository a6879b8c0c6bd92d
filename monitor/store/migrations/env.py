"""What Alembic runs for every command: on the connection that ``monitor.store.migrate`` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

import monitor.store.feed_tables
import monitor.store.watch_tables  # noqa: F401  # fills the metadata, with the tables it refers to
from monitor.store.fact_tables import Stored


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Stored.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
