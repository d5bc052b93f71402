"""Remembered releases, rollouts, settings, last log lines, volumes to empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "iotistic_revision",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("app", sa.Text, sa.ForeignKey("iotistic_app.name", ondelete="CASCADE"), nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("contents", sa.Text, nullable=False),
        sa.UniqueConstraint("app", "digest", name="iotistic_revision_of_app"),
    )
    op.create_table(
        "iotistic_rollout",
        sa.Column("app", sa.Text, sa.ForeignKey("iotistic_app.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_table(
        "iotistic_setting",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "iotistic_saved_lines",
        sa.Column("app", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("lines", sa.Text, nullable=False),
    )
    op.create_table("iotistic_purging", sa.Column("app", sa.Text, primary_key=True))
