"""What an alert says, in a form that can be said in another language; the figure of a mail; what an act was about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitor.store.dialect import Words
from monitor.store.migrations.columns import required

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("alerts", sa.Column("said", Words))
    op.add_column("messages", sa.Column("figure", Words))
    op.add_column("alert_events", sa.Column("what", Words))
    op.create_table("figures", sa.Column("sha256", Words, primary_key=True), required("data"))
