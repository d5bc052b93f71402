"""Structural schemas: what Kubernetes takes as the schema of a kind, made from the models.

It wants a type at every place, no references, no choices, and bounds where a CEL rule looks, else the
rule might cost too much. What a pattern says becomes a rule too: a rule has a message for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from iotistic.api.base import Model
from iotistic.api.cel import RULES, Rule
from iotistic.api.shape import Schema, resolved, schema_of

LIST_KEYS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("AppSpec", "services"): ("name",),
    ("AppSpec", "networks"): ("name",),
    ("AppSpec", "volumes"): ("name",),
    ("Service", "env"): ("name",),
    ("Service", "ports"): ("containerPort", "protocol"),
    ("Service", "volumeMounts"): ("mountPath",),
    ("Service", "tmpfs"): ("mountPath",),
    ("Service", "imagePullSecrets"): ("name",),
    ("SecretSource", "items"): ("path",),
    ("ConfigMapSource", "items"): ("path",),
    ("AppStatusOnCluster", "services"): ("name",),
    ("AppStatusOnCluster", "conditions"): ("type",),
}
"""Lists whose items are told apart by these fields: nothing is there twice, and appliers share them."""

STORED_DEFAULTS = {("ContainerPort", "protocol"), ("AppStatusOnCluster", "observedGeneration")}
"""Defaults that the API server fills in: a key of a list, and what says that nobody has looked yet."""

SETS = {("Service", "devices")}
"""Lists of texts, none twice."""

MOST_ITEMS: Mapping[tuple[str, str], int] = {
    ("AppSpec", "services"): 64,
    ("AppSpec", "networks"): 32,
    ("AppSpec", "volumes"): 64,
    ("Service", "env"): 256,
    ("Service", "envFrom"): 64,
    ("Service", "imagePullSecrets"): 16,
    ("Service", "ports"): 64,
    ("Service", "networks"): 16,
    ("Service", "dependsOn"): 32,
    ("Service", "volumeMounts"): 64,
    ("Service", "tmpfs"): 16,
    ("Service", "devices"): 64,
    ("Service", "sysctls"): 64,
    ("Service", "extraHosts"): 64,
    ("NetworkAttachment", "aliases"): 32,
    ("HttpGet", "httpHeaders"): 32,
    ("SecretSource", "items"): 64,
    ("ConfigMapSource", "items"): 64,
    ("Ipam", "config"): 8,
}
"""More than anybody has; rules cost what these allow."""

ITEMS: Final = 200
"""Most items of every other list and mapping."""

LONGEST: Mapping[tuple[str, str], int] = {
    ("Service", "image"): 512,
    ("Service", "workingDir"): 4096,
    ("Service", "extraHosts"): 320,
    ("Service", "devices"): 512,
    ("EnvVar", "name"): 256,
    ("ContainerPort", "hostIP"): 64,
    ("NetworkAttachment", "ipv4Address"): 64,
    ("IpamConfig", "subnet"): 64,
    ("IpamConfig", "gateway"): 64,
    ("IpamConfig", "ipRange"): 64,
    ("VolumeMount", "mountPath"): 256,
    ("Tmpfs", "mountPath"): 256,
    ("HostPathSource", "path"): 1024,
    ("KeyToPath", "path"): 512,
    ("HttpGet", "path"): 2048,
    ("HttpHeader", "name"): 256,
    ("HttpHeader", "value"): 2048,
    ("HttpGet", "port"): 63,
    ("TcpSocket", "port"): 63,
}
"""Longest texts that rules read. Other texts have no limit but that of the object."""

PLAIN_PATTERNS = {("KeyRef", "name")}
"""Patterns that stay patterns, with poorer words: as rules, so far inside, they would be too dear."""

LONGEST_AMOUNT: Final = 48
"""Characters of a written quantity; no right one has more."""

LARGEST_EXACT = 2**53
"""Bounds beyond it lose their last digits on the way through the API server; int64 is one by itself."""


def structural(model: type[Model]) -> dict[str, Any]:
    """The structural schema of a model, with its description and its rules."""
    root = schema_of(model)
    return _mapping(root, {**root, "title": model.__name__})


def _mapping(root: Schema, node: Schema) -> dict[str, Any]:
    """A model: known fields only."""
    owner = str(node["title"])
    made: dict[str, Any] = {"type": "object"}
    if "description" in node:
        made["description"] = _sentence(node["description"])
    if node.get("required"):
        made["required"] = list(node["required"])
    made["properties"] = {
        name: _field(root, field, (owner, name)) for name, field in node["properties"].items()
    }
    return made | _validations(RULES.get(owner, ()))


def _field(root: Schema, node: Schema, where: tuple[str, str]) -> dict[str, Any]:
    """One field of a model, described, with its default told but, but for a few, not filled in.

    What the API server fills in stays in the object when a later version has another default.
    """
    text = _sentence(resolved(root, node).get("description", ""))
    made = _value(root, _without_null(root, node), where)
    given = node.get("default")
    if where in STORED_DEFAULTS:
        made["default"] = given
    elif given not in (None, "") and not isinstance(given, list | dict):
        words = str(given).lower() if isinstance(given, bool) else given
        text = f"{text} Default: {words}."
    return {"description": text} | {key: value for key, value in made.items() if key != "description"}


def _value(root: Schema, node: Schema, where: tuple[str, str]) -> dict[str, Any]:
    node = resolved(root, node)
    if "anyOf" in node:
        return _choice(node, where)
    if "const" in node:
        return {"type": "string", "enum": [node["const"]]}
    match node["type"]:
        case "object" if "properties" in node:
            return _mapping(root, node)
        case "object":
            return _keyed(root, node, where)
        case "array":
            return _list(root, node, where)
        case "string":
            return _text(node, where)
    return _number(node)


def _choice(node: Schema, where: tuple[str, str]) -> dict[str, Any]:
    """A number or a text. Kubernetes has a word for whole numbers or text, and none for fractions: there
    every form is let in, and what is neither number nor text kept out."""
    if any(option.get("type") == "number" for option in node["anyOf"]):
        return {
            "x-kubernetes-preserve-unknown-fields": True,
            "pattern": node["pattern"],
            "minLength": 1,
            "minimum": 0,
            "maxItems": 0,
            "maxProperties": 0,
            "not": {"enum": [True, False, {}, []]},
        }
    made: dict[str, Any] = {"x-kubernetes-int-or-string": True}
    whole = next(option for option in node["anyOf"] if option["type"] == "integer")
    low, high = whole.get("minimum", 0), whole.get("maximum", 2**63)
    number = f"self >= {low}" + (f" && self <= {high}" if high < LARGEST_EXACT else "")
    text = next(option for option in node["anyOf"] if option["type"] == "string")
    longest = LONGEST.get(where, text.get("maxLength", LONGEST_AMOUNT))
    made["maxLength"] = longest
    if "pattern" in node:
        words = f"self.matches(r'{node['pattern']}')"
    else:
        words = f"size(self) >= 1 && size(self) <= {longest}"
    message = node.get(
        "patternErrorMessage", f"text of at most {text.get('maxLength')} characters or a number from 1"
    )
    return made | _validations((Rule(f"type(self) == int ? {number} : {words}", f"expected {message}"),))


def _text(node: Schema, where: tuple[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "string"}
    if "enum" in node:
        return made | {"enum": list(node["enum"])}
    longest = node.get("maxLength", LONGEST.get(where))
    if longest:
        made["maxLength"] = longest
    rules = RULES.get(".".join(where), ())
    if where in PLAIN_PATTERNS:
        made["pattern"] = node["pattern"]
    elif "pattern" in node:
        rules = (_pattern_rule(node["pattern"], node["patternErrorMessage"]), *rules)
    elif node.get("minLength"):
        made["minLength"] = node["minLength"]
    return made | _validations(rules)


def _number(node: Schema) -> dict[str, Any]:
    made = {"type": node["type"]}
    if node["type"] == "integer":
        made["format"] = "int64"
    for bound in ("minimum", "maximum"):
        if abs(node.get(bound, LARGEST_EXACT)) < LARGEST_EXACT:
            made[bound] = node[bound]
    return made


def _list(root: Schema, node: Schema, where: tuple[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "array", "maxItems": MOST_ITEMS.get(where, ITEMS)}
    if "minItems" in node:
        made["minItems"] = node["minItems"]
    if where in LIST_KEYS:
        made |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(LIST_KEYS[where])}
    else:
        made["x-kubernetes-list-type"] = "set" if where in SETS else "atomic"
    made["items"] = _value(root, node["items"], where)
    return made


def _keyed(root: Schema, node: Schema, where: tuple[str, str]) -> dict[str, Any]:
    """A mapping with keys of one's own. A null in it is kept: the key alone says something."""
    inner = [*node.get("patternProperties", {}).items(), ("", node.get("additionalProperties"))]
    pattern, member = inner[0]
    value = _value(root, _without_null(root, member), (where[0], f"{where[1]}.*"))
    if any(option.get("type") == "null" for option in member.get("anyOf", ())):
        value["nullable"] = True
    made = {"type": "object", "maxProperties": MOST_ITEMS.get(where, ITEMS), "additionalProperties": value}
    rules = RULES.get(".".join(where), ())
    if pattern:
        words = node["propertyNames"]["patternErrorMessage"]
        longest = node["propertyNames"]["maxLength"]
        rule = f"self.all(key, size(key) <= {longest} && key.matches(r'{pattern}'))"
        rules = (Rule(rule, f"every key: expected {words}"), *rules)
    return made | _validations(rules)


def _without_null(root: Schema, node: Schema) -> Schema:
    """A field that may be null: the API server takes that as absent, so nothing is said of it."""
    options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
    return resolved(root, options[0]) if len(options) == 1 else node


def _pattern_rule(pattern: str, words: str) -> Rule:
    return Rule(f"self.matches(r'{pattern}')", f"expected {words}")


def _validations(rules: tuple[Rule, ...]) -> dict[str, Any]:
    return {"x-kubernetes-validations": [rule.wire() for rule in rules]} if rules else {}


def _sentence(text: str) -> str:
    return " ".join(text.split())
