"""When what an original agent left was taken over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table("iotistic_adoption", sa.Column("time", sa.Text, primary_key=True))
