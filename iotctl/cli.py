"""All commands of iotctl, in the order in which help shows them."""

from __future__ import annotations

from typer.completion import completion_init  # type: ignore[attr-defined]

from iotctl.commands import (
    about,
    apply,
    apps,
    delete,
    device,
    events,
    get,
    inside,
    install,
    logs,
    plan,
    releases,
    services,
    waits,
)
from iotctl.frame import Front, new_group

START = "\b\nStart here:\n  iotctl apply -f app.yaml --wait\n  iotctl get apps\n  iotctl help exit-codes"
WHAT_RUNS = "What runs"

root = new_group(
    "iotctl", "Runs Apps on edge devices, and says what goes on and why.", epilog=START, cls=Front
)
for _commands in (apply, get, plan, delete, waits):
    _commands.add_to(root)
root.add_typer(apps.group, rich_help_panel=WHAT_RUNS)
root.add_typer(services.group, rich_help_panel=WHAT_RUNS)
for _commands in (logs, events, inside):
    _commands.add_to(root)
root.add_typer(inside.images, rich_help_panel=WHAT_RUNS)
releases.add_to(root)
root.add_typer(device.config, rich_help_panel=device.HEADING)
for _commands in (device, about, install):
    _commands.add_to(root)

# Not typer's own options for this: groups here have none. `iotctl completion` prints the script.
completion_init()
