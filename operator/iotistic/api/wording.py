"""What is wrong with a document, in sentences: from what the models say to what a person reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from iotistic.api.positions import member
from iotistic.api.shape import Schema, Where, at, expected, known_fields

MOST_SHOWN = 40
"""Characters of a written value that a message repeats."""

ELSEWHERE = {
    "environment": "env", "env_file": "envFrom", "volumes": "volumeMounts", "mounts": "volumeMounts",
    "entrypoint": "command", "restart": "restartPolicy", "healthcheck": "readinessProbe",
    "expose": "ports", "privileged": "securityContext.privileged", "user": "securityContext.runAsUser",
    "cap_add": "securityContext.capabilities.add", "cap_drop": "securityContext.capabilities.drop",
    "read_only": "securityContext.readOnlyRootFilesystem", "mem_limit": "resources.limits.memory",
    "cpus": "resources.limits.cpu", "deploy": "resources", "strategy": "update.strategy",
    "containers": "services", "workdir": "workingDir", "published": "hostPort", "target": "containerPort",
    "source": "name", "network": "networks", "stringData": "data", "binaryData": "data",
}  # fmt: skip
"""What compose, Docker and Kubernetes call something that has another name here."""

OTHER_FORMS = {
    "dependsOn": "write  dependsOn: {db: started}",
    "env": "write  env: [{name: NAME, value: 'text'}]",
    "ports": "write  ports: [{containerPort: 80, hostPort: 8080}]",
    "volumeMounts": "write  volumeMounts: [{name: data, mountPath: /data}]",
    "networks": "write  networks: {back: {}}  in a service, and  networks: [{name: back}]  in the App",
    "volumes": "write  volumes: [{name: data}]",
    "services": "write  services: [{name: web, image: 'web:1'}]",
    "command": "write  command: [sh, -c, 'text']",
    "args": "write  args: [first, second]",
    "tmpfs": "write  tmpfs: [{mountPath: /tmp}]",
}
"""How a field is written whose form people know otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong at one place of a document."""

    path: str
    message: str
    hint: str = ""


def findings_of(error: ValidationError, root: Schema, data: Any, *, secret: bool) -> list[Finding]:
    """All that a model found, one finding a place.

    Args:
        root: schema of the model.
        data: what was validated.
        secret: show no value.
    """
    by_place: dict[Where, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        by_place.setdefault(_place(detail, data), []).append(detail)
    unknown = [where for where, details in by_place.items() if details[0]["type"] == "extra_forbidden"]
    meant = {(*where[:-1], _suggestion(root, where)) for where in unknown}
    found = []
    for where, details in by_place.items():
        if details[0]["type"] == "missing" and where in meant:
            continue
        found.append(_finding(where, details, root, secret=secret))
    return found


def path_text(where: Where) -> str:
    """A place as it is written: `spec.services[1].image`."""
    path = ""
    for part in where:
        path = member(path, part)
    return path


def shown(value: Any) -> str:
    """A written value as a message repeats it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            cut = value if len(value) <= MOST_SHOWN else f"{value[: MOST_SHOWN - 3]}..."
            return repr(cut)
        case int() | float():
            return str(value)[:MOST_SHOWN]
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def printable(text: str) -> str:
    """The text on one line, whatever was written: a name with a line break is shown with \\n."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def kind_of(value: Any) -> str:
    """What a value is, without saying it."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "text" if isinstance(value, str) else shown(value)


def closest(word: str, choices: Iterable[str]) -> str:
    """The choice that was probably meant; empty when none is near."""
    plain = {_plain(choice): choice for choice in choices}
    near = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.65)
    return plain[near[0]] if near else ""


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """A hint with the choice that was probably meant, else with all if they are few."""
    near = closest(word, choices)
    if near:
        return f"did you mean {near}?"
    return f"known: {', '.join(choices)}" if 0 < len(choices) <= 12 else ""


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _place(detail: ErrorDetails, data: Any) -> Where:
    """Where an error is; the names of a union's members in its location are no place."""
    where: list[str | int] = []
    here = data
    for part in detail["loc"]:
        inside = range(len(here)) if isinstance(here, list) else here if isinstance(here, dict) else ()
        if part not in inside and not (detail["type"] == "missing" and isinstance(here, dict)):
            break
        here = here[part] if part in inside else None
        where.append(part)
    return tuple(where)


def _suggestion(root: Schema, where: Where) -> str:
    known = known_fields(root, where[:-1])
    word = str(where[-1])
    other = ELSEWHERE.get(word, "")
    return other if other.partition(".")[0] in known else closest(word, known)


def _finding(where: Where, details: Sequence[ErrorDetails], root: Schema, *, secret: bool) -> Finding:
    detail = details[0]
    path = path_text(where)
    value = kind_of(detail["input"]) if secret else shown(detail["input"])
    match detail["type"]:
        case "missing":
            return Finding(path=path, message="is missing")
        case "extra_forbidden":
            near = _suggestion(root, where)
            known = known_fields(root, where[:-1])
            hint = f"did you mean {near}?" if near else did_you_mean(str(where[-1]), known)
            return Finding(path=path, message="unknown field", hint=hint)
        case "value_error":
            return Finding(path=path, message=str(detail.get("ctx", {}).get("error", detail["msg"])))
        case "too_short":
            return Finding(path=path, message="needs at least one entry")
        case _ if detail["loc"][-1:] == ("[key]",):
            words = "expected a name of lower case letters, digits and '-'"
            return Finding(path=path, message=f"{words}, got {shown(where[-1])}")
    wanted = expected(root, where)
    message = f"expected {wanted}, got {value}" if wanted else f"{detail['msg']}, got {value}"
    return Finding(path=path, message=message, hint=_hint(where, detail, at(root, where), wanted))


def _hint(where: Where, detail: ErrorDetails, node: Schema, wanted: str) -> str:
    value = detail["input"]
    if detail["type"] in {"enum", "literal_error"} and isinstance(value, str):
        near = closest(value, [str(choice) for choice in node.get("enum", [])])
        return f"did you mean {near}?" if near else ""
    if wanted.startswith("text") and isinstance(value, bool | int | float):
        return "put it in quotes"
    if detail["type"] == "int_type" and isinstance(value, str) and value.isdigit():
        return "write it without quotes"
    if detail["type"] in {"list_type", "dict_type", "model_type"}:
        return next((OTHER_FORMS[str(p)] for p in where[-2:][::-1] if str(p) in OTHER_FORMS), "")
    return ""
