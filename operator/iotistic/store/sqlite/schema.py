"""The tables, as today's code reads them. How they came about: `migrations`.

The file may be an original agent's: its tables are never touched, and the prefix keeps ours apart from
them (some of its versions had an `app` and an `image`).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, MetaData, Table, Text, UniqueConstraint

HEAD = "0004"
"""Revision that this code reads and writes; the newest of `migrations/versions`."""
VERSION_TABLE = "iotistic_schema"

metadata = MetaData()

app = Table(
    "iotistic_app",
    metadata,
    Column("name", Text, primary_key=True),
    Column("app_id", Integer, nullable=False),
    Column("release", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("service_ids", Text, nullable=False),
    Column("document", Text, nullable=False),
)
run_state = Table(
    "iotistic_run_state",
    metadata,
    Column("app", Text, ForeignKey("iotistic_app.name", ondelete="CASCADE"), primary_key=True),
    Column("service", Text, primary_key=True),
    Column("state", Text, nullable=False),
)
deletion = Table(
    "iotistic_deletion",
    metadata,
    Column("app", Text, primary_key=True),
    Column("purge", Boolean, nullable=False),
)
document = Table(
    "iotistic_document",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
container_release = Table(
    "iotistic_container_release",
    metadata,
    Column("container", Text, primary_key=True),
    Column("release", Text, nullable=False),
)
image = Table("iotistic_image", metadata, Column("ref", Text, primary_key=True))
backoff = Table(
    "iotistic_backoff",
    metadata,
    Column("app", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("seconds_left", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
)
counter = Table(
    "iotistic_counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)
revision = Table(
    "iotistic_revision",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("app", Text, ForeignKey("iotistic_app.name", ondelete="CASCADE"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("contents", Text, nullable=False),
    UniqueConstraint("app", "digest", name="iotistic_revision_of_app"),
)
rollout = Table(
    "iotistic_rollout",
    metadata,
    Column("app", Text, ForeignKey("iotistic_app.name", ondelete="CASCADE"), primary_key=True),
    Column("state", Text, nullable=False),
)
setting = Table(
    "iotistic_setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
saved_lines = Table(
    "iotistic_saved_lines",
    metadata,
    Column("app", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("time", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lines", Text, nullable=False),
)
purging = Table("iotistic_purging", metadata, Column("app", Text, primary_key=True))
adoption = Table("iotistic_adoption", metadata, Column("time", Text, primary_key=True))
adopted = Table(
    "iotistic_adopted",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("app", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("labels", Text, nullable=False),
)
