"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "iotistic_app",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("app_id", sa.Integer, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("service_ids", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "iotistic_run_state",
        sa.Column("app", sa.Text, sa.ForeignKey("iotistic_app.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_table(
        "iotistic_deletion",
        sa.Column("app", sa.Text, primary_key=True),
        sa.Column("purge", sa.Boolean, nullable=False),
    )
    op.create_table(
        "iotistic_document",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "iotistic_container_release",
        sa.Column("container", sa.Text, primary_key=True),
        sa.Column("release", sa.Text, nullable=False),
    )
    op.create_table("iotistic_image", sa.Column("ref", sa.Text, primary_key=True))
    op.create_table(
        "iotistic_backoff",
        sa.Column("app", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("seconds_left", sa.Float, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_table(
        "iotistic_counter",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
