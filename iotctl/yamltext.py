"""YAML as people write it: texts of several lines stand as lines."""

from __future__ import annotations

from typing import Any

import yaml

Json = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """PyYAML's, with blocks for texts of several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(value: object, *, sort_keys: bool = False) -> str:
    """Any value of JSON as YAML."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True)
