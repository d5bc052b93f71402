"""The short-lived child that brings a file to today's schema: `python -m ... PATH`.

The only module that imports Alembic; the agent itself never does (decision 0007).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import event

from iotistic.api.errors import StoreError
from iotistic.store.sqlite.database import TOLD, connect, disconnect, errors_of


def configuration() -> Config:
    """Where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(path: Path, revision: str = "head") -> None:
    """Bring the file to a revision, in one transaction. Raises StoreError."""
    config = configuration()
    with errors_of(path):
        connection = connect(path)
        # The driver begins only before INSERT and the like: a cut between two CREATEs would leave half.
        event.listen(connection, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        disconnect(connection)


def main(arguments: list[str]) -> int:
    """Migrate the file named by the only argument."""
    try:
        migrate(Path(arguments[0]))
    except StoreError as error:
        sys.stderr.write(
            json.dumps({"reason": error.reason, "message": error.message, "hint": error.hint}) + "\n"
        )
        return TOLD
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
