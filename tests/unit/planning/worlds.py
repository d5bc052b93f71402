"""Random worlds in the short form of conformance cases: Apps, what is observed, options.

Small on purpose: few names, so that everything meets everything.
"""

from __future__ import annotations

from random import Random
from typing import Any

Json = dict[str, Any]

APPS = ("shop", "till", "gone")
"""The last one is never wanted."""
SERVICES = ("db", "job", "web", "old")
"""The last one is in no App; others may depend on those before them."""
STRATEGIES = ("DownloadThenKill", "KillThenDownload", "DeleteThenDownload", "HandOver")
STATUSES = ("running", "exited", "created", "paused", "restarting", "dead", "stopping")
DIGESTS = ("sha256:aa", "sha256:bb", "sha256:cc")


def random_case(random: Random, *, solvable: bool = False) -> Json:
    """A world.

    Args:
        random: where everything comes from.
        solvable: nothing in it keeps an App from becoming as it is wanted.
    """
    apps = [_app(random, name, solvable) for name in APPS[:-1] if random.random() < 0.8]
    return {
        "id": "RANDOM",
        "apps": apps,
        "observed": _observed(random, apps, solvable),
        "options": _options(random, solvable),
    }


def _app(random: Random, name: str, solvable: bool) -> Json:
    services = [service for service in SERVICES[:-1] if random.random() < 0.7] or ["web"]
    app: Json = {
        "name": name,
        "release": random.choice(("r1", "r2")),
        "services": [_service(random, service, solvable) for service in services],
        "networks": [{"name": "back"} | ({"internal": True} if random.random() < 0.4 else {})],
        "volumes": [{"name": "data"}],
        "update": {"strategy": random.choice(STRATEGIES)},
    }
    random.shuffle(app["services"])
    by_name = {service["name"]: service for service in app["services"]}
    for index, service in enumerate(services):
        for other in services[:index]:
            if random.random() < 0.3:
                _depend(random, by_name[service], by_name[other], solvable)
    return app


def _service(random: Random, name: str, solvable: bool) -> Json:
    service = {"name": name} | _spec(random, name)
    if random.random() < 0.3:
        service["update"] = {"strategy": random.choice(STRATEGIES)}
    state = random.choices(("Running", "Stopped", "Paused"), (8, 1, 1))[0]
    return service | ({"runState": state} if state != "Running" else {})


def _spec(random: Random, name: str) -> Json:
    spec: Json = {"image": _image(random, name)}
    if random.random() < 0.5:
        spec["env"] = [{"name": "A", "value": random.choice("12")}]
    if random.random() < 0.4:
        spec["networks"] = random.choice(({"back": {}}, {"back": {}, "default": {}}))
    if random.random() < 0.3:
        spec["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    if name == "job" or random.random() < 0.1:
        spec["restartPolicy"] = random.choice(("Never", "OnFailure"))
    return spec


def _image(random: Random, name: str) -> str:
    repository = "app" if random.random() < 0.3 else name
    if random.random() < 0.1:
        return f"{repository}@{random.choice(DIGESTS)}"
    return f"{repository}:{random.choice('123')}"


def _depend(random: Random, service: Json, other: Json, solvable: bool) -> None:
    condition = "started"
    if other.get("restartPolicy"):
        condition = random.choice(("started", "completed"))
    elif random.random() < 0.5:
        condition = "healthy"
        other["readinessProbe"] = {"tcpSocket": {"port": 1}}
    if solvable:
        other.pop("runState", None)
    service.setdefault("dependsOn", {})[other["name"]] = condition


def _observed(random: Random, apps: list[Json], solvable: bool) -> Json:
    wanted = {
        (app["name"], service["name"]): {
            key: value for key, value in service.items() if key not in {"name", "runState", "update"}
        }
        for app in apps
        for service in app["services"]
    }
    containers = []
    for app in APPS:
        for service in SERVICES:
            for _ in range(random.choices((0, 1, 2, 3), (4, 10, 2, 1))[0]):
                containers.append(_container(random, app, service, wanted, solvable))
    if random.random() < 0.5:
        containers.append(_container(random, "", "web", wanted, solvable))
    for index, container in enumerate(containers):
        container["id"] = f"c{index}"
    return {
        "containers": containers,
        "images": _images(random),
        "downloading": [] if random.random() < 0.8 else [f"web:{random.choice('123')}"],
        "networks": _things(random, "networks", apps, solvable),
        "volumes": _things(random, "volumes", apps, solvable),
        "locks": _locks(random, solvable),
    }


def _container(
    random: Random, app: str, service: str, wanted: dict[tuple[str, str], Json], solvable: bool
) -> Json:
    spec = wanted.get((app, service))
    if spec is None or random.random() < 0.5:
        spec = _spec(random, service)
        if random.random() < 0.3:
            spec["dependsOn"] = {random.choice(SERVICES): "started"}
    status = random.choices(STATUSES, (10, 3, 1, 1, 1, 1, 1))[0]
    container: Json = {
        "service": service,
        "release": random.choice(("r1", "r2")),
        "status": status,
        "created": f"2026-01-0{random.randint(1, 5)}T00:00:00Z",
        "spec": spec,
    }
    if app:
        container["app"] = app
    if status == "running" and spec.get("readinessProbe"):
        container["health"] = random.choice(("starting", "healthy", "unhealthy"))
    if status == "exited" and not solvable:
        container["exitCode"] = random.choice((0, 1))
    return container


def _images(random: Random) -> list[Any]:
    images: list[Any] = []
    for repository in ("app", *SERVICES):
        for tag in "123":
            if random.random() < 0.4:
                ref = f"{repository}:{tag}"
                digest = random.choice((*DIGESTS, "", "", ""))
                images.append({"ref": ref, "digest": digest} if digest else ref)
    random.shuffle(images)
    return images


def _things(random: Random, kind: str, apps: list[Json], solvable: bool) -> list[Json]:
    names = ("default", "back", "spare") if kind == "networks" else ("data", "spare")
    things: list[Json] = []
    for app in (*APPS, ""):
        for name in names:
            if random.random() < 0.6:
                spec: Json = {}
                if kind == "networks" and name == "back" and random.random() < 0.4:
                    spec = {"internal": True}
                if kind == "volumes" and random.random() < 0.05 and (not solvable or app == ""):
                    spec = {"driver": "nfs"}
                things.append({"name": name, "spec": spec} | ({"app": app} if app else {}))
    return things


def _locks(random: Random, solvable: bool) -> Json:
    locks: Json = {"held": [app for app in APPS if random.random() < 0.3]}
    if not solvable and random.random() < 0.2:
        locks["user"] = [{"app": random.choice(APPS), "service": "web", "reason": "filling a tank"}]
    return locks


def _options(random: Random, solvable: bool) -> Json:
    options: Json = {
        "keepImages": random.random() < 0.1,
        "reclaim": random.random() < 0.15,
        "force": random.random() < 0.1,
        "purge": [app for app in APPS if random.random() < 0.2],
        "keep": ["web:1"] if random.random() < 0.2 else [],
    }
    if not solvable:
        options["hold"] = [app for app in APPS if random.random() < 0.1]
        options["backoff"] = [
            f"{app}/{service}" for app in APPS for service in SERVICES if random.random() < 0.05
        ]
    return options
