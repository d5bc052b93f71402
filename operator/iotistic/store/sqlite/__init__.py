"""The store in one SQLite file, by SQLAlchemy Core: `open_store`."""

from iotistic.store.sqlite.store import SqliteStore, open_store

__all__ = ["SqliteStore", "open_store"]
