"""`-o`: the same answer as a table, as JSON, as YAML or as names."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from iotctl.tables import Column, Row, table
from iotctl.terminal import say


class Output(StrEnum):
    """Forms of output."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


OutputOption = Annotated[
    Output,
    typer.Option("--output", "-o", help="Form of the output.", show_default=True, case_sensitive=False),
]


def show(value: object, output: Output) -> None:
    """Any value as JSON or YAML."""
    if output is Output.YAML:
        from iotctl.yamltext import yaml_text

        say(yaml_text(value).rstrip())
        return
    import json

    say(json.dumps(value, indent=2, ensure_ascii=False))


def show_rows(
    rows: Sequence[Row], columns: Sequence[Column], output: Output, *, kind: str, whole: Any = None
) -> None:
    """Rows in the form that was asked for.

    Args:
        kind: prefix of names, e.g. `app`.
        whole: what JSON and YAML show; the rows when None.
    """
    match output:
        case Output.JSON | Output.YAML:
            show(list(rows) if whole is None else whole, output)
        case Output.NAME:
            for row in rows:
                say(f"{kind}/{row.get('address') or row['name']}")
        case _:
            say(table(columns, rows, wide=output is Output.WIDE))
