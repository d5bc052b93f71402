"""The tables, as today's code reads them. How they came about: `migrations`.

The file may be an original agent's: its other tables are never touched.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, MetaData, Table, Text

HEAD = "0001"
"""Revision that this code reads and writes; the newest of `migrations/versions`."""
VERSION_TABLE = "iotistic_schema"

metadata = MetaData()

app = Table(
    "app",
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
    "run_state",
    metadata,
    Column("app", Text, ForeignKey("app.name", ondelete="CASCADE"), primary_key=True),
    Column("service", Text, primary_key=True),
    Column("state", Text, nullable=False),
)
deletion = Table(
    "deletion",
    metadata,
    Column("app", Text, primary_key=True),
    Column("purge", Boolean, nullable=False),
)
document = Table(
    "document",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
container_release = Table(
    "container_release",
    metadata,
    Column("container", Text, primary_key=True),
    Column("release", Text, nullable=False),
)
image = Table("image", metadata, Column("ref", Text, primary_key=True))
backoff = Table(
    "backoff",
    metadata,
    Column("app", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("seconds_left", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
)
counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)
