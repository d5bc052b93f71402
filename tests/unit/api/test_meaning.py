"""What fields mean together: told before anything is touched."""

# ruff: noqa: E501  a message on one line is found by searching for it
from __future__ import annotations

import pytest

from iotistic.api.documents import warnings_of
from tests.unit.api.writing import app, said_of

HTTP = "readinessProbe: {httpGet: {port: 80}}"


def services(*lines: str) -> str:
    """A spec with a service for each line, `web: {...}`."""
    return "services:\n" + "".join(
        f"- {{name: {name}, image: 'a:1', {rest}}}\n"
        for name, _, rest in (line.partition(": ") for line in lines)
    )


@pytest.mark.parametrize(
    ("spec", "problems"),
    [
        (services("web: dependsOn: {db: started}", "db: "), []),
        (
            services("web: dependsOn: {dbb: started}", "db: ", "api: "),
            ['[0].dependsOn.dbb: no service "dbb" in this App (services: api, db, web); did you mean db?'],
        ),
        (
            services("web: dependsOn: {cache: started}"),
            ['[0].dependsOn.cache: no service "cache" in this App (services: web)'],
        ),
        (services("web: dependsOn: {web: started}"), ["[0].dependsOn.web: depends on itself"]),
        (
            services("web: dependsOn: {db: healthy}", "db: "),
            ['[0].dependsOn.db: "healthy" never comes: service "db" has no probe; give db a readinessProbe, or write started'],
        ),
        (services("web: dependsOn: {db: healthy}", f"db: {HTTP}"), []),
        (
            services("web: dependsOn: {job: completed}", "job: "),
            ['[0].dependsOn.job: "completed" never comes: service "job" is always started again; give job restartPolicy: OnFailure or Never'],
        ),
        (services("web: dependsOn: {job: completed}", "job: restartPolicy: Never"), []),
        (
            services("web: dependsOn: {api: started}", "api: dependsOn: {db: started}", "db: dependsOn: {api: started}"),
            ["[1].dependsOn.db: depends on itself in a circle: api -> db -> api"],
        ),
        (
            services("a: dependsOn: {b: started}", "b: dependsOn: {a: started}", "c: dependsOn: {d: started, a: started}", "d: dependsOn: {c: started}"),
            [
                "[0].dependsOn.b: depends on itself in a circle: a -> b -> a",
                "[2].dependsOn.d: depends on itself in a circle: c -> d -> c",
            ],
        ),
        (services("a: dependsOn: {b: started, c: started}", "b: dependsOn: {c: started}", "c: "), []),
        (services("web: ", "web: "), ["[1].name: the name is there twice, first as spec.services[0].name; choose another"]),
        (
            services("a: serviceId: 7", "b: serviceId: 7"),
            ["[1].serviceId: the number is there twice, first as spec.services[0].serviceId; choose another"],
        ),
    ],
)  # fmt: skip
def test_dependencies_and_names(spec: str, problems: list[str]) -> None:
    assert said_of(spec) == [f"spec.services{problem}" for problem in problems]


def port(number: int, **more: object) -> str:
    inner = "".join(f", {key}: {value!r}" for key, value in more.items())
    return f"ports: [{{containerPort: 80, hostPort: {number}{inner}}}]"


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (port(8080), port(8081), ""),
        (port(8080), port(8080), "8080"),
        (port(53), port(53, protocol="UDP"), ""),
        (port(53, protocol="UDP"), port(53, protocol="UDP"), "53/UDP"),
        (port(80, hostIP="127.0.0.1"), port(80, hostIP="10.0.0.1"), ""),
        (port(80, hostIP="127.0.0.1"), port(80, hostIP="127.0.0.1"), "127.0.0.1:80"),
        (port(80, hostIP="0.0.0.0"), port(80, hostIP="127.0.0.1"), "127.0.0.1:80"),
        (port(80, hostIP="127.0.0.1"), port(80), "80"),
        (port(80, hostIP="::"), port(80, hostIP="127.0.0.1"), ""),
        (port(80, hostIP="::1"), port(80, hostIP="::"), ":::80"),
        ("networkMode: host, ports: [{containerPort: 80}]", port(80), "80"),
        ("networkMode: host, ports: [{containerPort: 80}]", "ports: [{containerPort: 80}]", ""),
    ],
)
def test_ports_of_the_host(one: str, other: str, clash: str) -> None:
    problems = said_of(services(f"one: {one}", f"other: {other}"))
    expected = f"spec.services[1].ports[0].hostPort: host port {clash} is taken by service one"
    assert problems == ([expected] if clash else [])


@pytest.mark.parametrize(
    ("service", "problems"),
    [
        ("env: [{name: A}, {name: B}, {name: A}]", ["env[2].name: the variable is there twice, first as spec.services[0].env[0].name; choose another"]),
        ("ports: [{containerPort: 80}, {containerPort: 80}]", ["ports[1]: the port is there twice, first as spec.services[0].ports[0]; choose another"]),
        ("ports: [{containerPort: 80, hostPort: 80}, {containerPort: 80, hostPort: 81}]", []),
        ("ports: [{containerPort: 80, hostPort: 80}, {containerPort: 81, hostPort: 80}]", ["ports[1].hostPort: host port 80 is taken by service web"]),
        ("ports: [{name: a, containerPort: 80}, {name: a, containerPort: 81}]", ["ports[1].name: the name is there twice, first as spec.services[0].ports[0].name; choose another"]),
        ("ports: [{containerPort: 80, hostPort: 80, hostIP: localhost}]", ["ports[0].hostIP: expected an address like 127.0.0.1, got 'localhost'"]),
        ("ports: [{containerPort: 80, hostIP: 127.0.0.1}]", ["ports[0].hostIP: means nothing without hostPort"]),
        ("volumeMounts: [{name: dat, mountPath: /a}]", ['volumeMounts[0].name: no volume "dat" in this App (volumes: conf, data, more); did you mean data?']),
        ("volumeMounts: [{name: data, mountPath: /a}, {name: more, mountPath: /a/}]", ["volumeMounts[1].mountPath: the mount path is there twice, first as spec.services[0].volumeMounts[0].mountPath; choose another"]),
        ("volumeMounts: [{name: data, mountPath: /a}], tmpfs: [{mountPath: /a}]", ["tmpfs[0].mountPath: the mount path is there twice, first as spec.services[0].volumeMounts[0].mountPath; choose another"]),
        ("volumeMounts: [{name: data, mountPath: /}]", ["volumeMounts[0].mountPath: nothing can be mounted over the root"]),
        ("volumeMounts: [{name: data, mountPath: /a/../b}]", ["volumeMounts[0].mountPath: '/a/../b' has a '..'; write the path that is meant"]),
        ("volumeMounts: [{name: data, mountPath: '/a:b'}]", ["volumeMounts[0].mountPath: '/a:b' can't be mounted: ':' separates host from container path in the engine"]),
        ("tmpfs: [{mountPath: /run/iotistic/x}]", ["tmpfs[0].mountPath: /run/iotistic is where the agent mounts the folder for update locks"]),
        ("devices: [/dev/a, /dev/a]", ["devices[1]: the device is there twice, first as spec.services[0].devices[0]; choose another"]),
        ("networks: {bac: {}}", ['networks.bac: no network "bac" in this App (networks: back, default); did you mean back?']),
        ("networks: {host: {}}", ['networks.host: no network "host" in this App (networks: back, default); write  networkMode: host']),
        ("networkMode: host, networks: {back: {aliases: [a]}}", ["networks: networks and aliases can't be had with networkMode host; drop one of them"]),
        ("networkMode: none, networks: {back: {}}", ["networks: networks can't be had with networkMode none; drop one of them"]),
        ("networkMode: none, ports: [{containerPort: 80, hostPort: 80}]", ["ports[0].hostPort: can't be had with networkMode none; drop one of them"]),
        ("networkMode: host, ports: [{containerPort: 80, hostPort: 81}]", ["ports[0].hostPort: is not the containerPort, but networkMode is host; drop hostPort: on the host's network the containerPort is the host's"]),
        ("networkMode: host, ports: [{containerPort: 80, hostPort: 80}]", []),
        ("networkMode: none, readinessProbe: {tcpSocket: {port: 80}}", ["readinessProbe.tcpSocket: can't reach a service with networkMode none; use exec"]),
        ("networkMode: none, readinessProbe: {exec: {command: [ls]}}", []),
        ("readinessProbe: {httpGet: {port: htp}}, ports: [{name: http, containerPort: 80}]", ['readinessProbe.httpGet.port: no port "htp" in this service (named ports: http); did you mean http?']),
        ("readinessProbe: {httpGet: {port: http}}, ports: [{name: http, containerPort: 80}]", []),
        ("livenessProbe: {tcpSocket: {port: '80'}}", ["livenessProbe.tcpSocket.port: expected a number or the name of a port, got '80'; write it unquoted"]),
        ("livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}", ["livenessProbe.successThreshold: must be 1 for a livenessProbe"]),
        ("readinessProbe: {httpGet: {port: 80, path: health}}", ["readinessProbe.httpGet.path: expected a path like /health, got 'health'"]),
        ('readinessProbe: {httpGet: {port: 80, httpHeaders: [{name: A, value: "b\\r\\nc"}]}}', ["readinessProbe.httpGet.httpHeaders[0].value: a header can't have a line break"]),
        ("resources: {requests: {memory: 1Gi}, limits: {memory: 512Mi}}", ["resources.requests.memory: 1Gi is more than the limit, 512Mi"]),
        ("resources: {requests: {cpu: 2}, limits: {cpu: 500m}}", ["resources.requests.cpu: 2 is more than the limit, 500m"]),
        ("resources: {limits: {memory: 1Mi}}", ["resources.limits.memory: 1Mi is too little; Docker needs at least 6Mi"]),
        ("resources: {limits: {cpu: 0}}", ["resources.limits.cpu: 0 is no limit; leave it out"]),
        ("securityContext: {privileged: true, allowPrivilegeEscalation: false}", ["securityContext.allowPrivilegeEscalation: false can't be had with privileged: true"]),
        ("securityContext: {capabilities: {add: [CAP_NET_ADMIN]}}", ["securityContext.capabilities.add[0]: 'CAP_NET_ADMIN' is no capability; did you mean NET_ADMIN?"]),
        ("securityContext: {capabilities: {drop: [ALL], add: [NET_RAW]}}", []),
        ("sysctls: {net.core.somaxconn: '1024'}", []),
        ("sysctls: {somaxconn: '1024'}", ["sysctls.somaxconn: 'somaxconn' is no sysctl; as in  net.core.somaxconn"]),
        ("sysctls: {vm.swappiness: '1'}", ["sysctls.vm.swappiness: a container has none of its own of this; set it on the host"]),
        ("networkMode: host, sysctls: {net.core.somaxconn: '1'}", ["sysctls.net.core.somaxconn: belongs to the host with networkMode host; set it on the host"]),
        ("extraHosts: ['db:10.0.0.7', 'me:host-gateway', 'six:::1']", []),
        ("extraHosts: ['db:my-host']", ["extraHosts[0]: 'my-host' is no address; write  name:10.0.0.7  or  name:host-gateway"]),
        ("workingDir: app", ["workingDir: expected an absolute path like /app, got 'app'"]),
        ("labels: {iotistic.io/app: other}", ["labels.iotistic.io/app: labels that begin with iotistic.io/ are the agent's own; choose another"]),
    ],
)  # fmt: skip
def test_one_service(service: str, problems: list[str]) -> None:
    spec = services(f"web: {service}")
    spec += (
        "networks: [{name: back}]\nvolumes: [{name: data}, {name: more}, {name: conf, configMap: {name: c}}]"
    )
    assert said_of(spec) == [f"spec.services[0].{problem}" for problem in problems]


BACK = "networks: [{name: back, ipam: {config: [{subnet: 10.5.0.0/24, gateway: 10.5.0.1}]}}]"


def fixed(address: str, network: str = "back") -> str:
    return f"networks: {{{network}: {{ipv4Address: {address}}}}}"


@pytest.mark.parametrize(
    ("spec", "problems"),
    [
        (services("a: ") + BACK, []),
        (services(f"a: {fixed('10.5.0.7')}") + BACK, []),
        (services(f"a: {fixed('10.6.0.7')}") + BACK, ['services[0].networks.back.ipv4Address: 10.6.0.7 is not in network "back" (10.5.0.0/24)']),
        (services(f"a: {fixed('10.5.0.1')}") + BACK, ['services[0].networks.back.ipv4Address: 10.5.0.1 is the gateway of network "back"; choose another']),
        (services(f"a: {fixed('10.5.0.255')}") + BACK, ["services[0].networks.back.ipv4Address: 10.5.0.255 is no address of a host; choose another"]),
        (services(f"a: {fixed('10.5.0')}") + BACK, ["services[0].networks.back.ipv4Address: expected an address like 10.5.0.7, got '10.5.0'"]),
        (
            services(f"a: {fixed('10.5.0.7')}", f"b: {fixed('10.5.0.7')}") + BACK,
            ["services[1].networks.back.ipv4Address: this address is there twice, first as spec.services[0].networks.back.ipv4Address; choose another"],
        ),
        (
            services(f"a: {fixed('10.5.0.7', 'default')}") + BACK,
            ['services[0].networks.default.ipv4Address: a fixed address needs a subnet, and network "default" has none; add  networks: [{name: default, ipam: {config: [{subnet: 10.5.0.0/24}]}}]'],
        ),
        (services("a: ") + BACK.replace("10.5.0.0/24", "10.5.0.9/24"), ["networks[0].ipam.config[0].subnet: expected a subnet like 10.5.0.0/24, got '10.5.0.9/24'; did you mean 10.5.0.0/24?"]),
        (services("a: ") + BACK.replace("10.5.0.0/24", "ten"), ["networks[0].ipam.config[0].subnet: expected a subnet like 10.5.0.0/24, got 'ten'"]),
        (services("a: ") + BACK.replace("10.5.0.1}", "10.6.0.1}"), ["networks[0].ipam.config[0].gateway: 10.6.0.1 is not in 10.5.0.0/24"]),
        (services("a: ") + BACK.replace("10.5.0.1}", "first}"), ["networks[0].ipam.config[0].gateway: expected an address like 10.5.0.1, got 'first'"]),
        (services("a: ") + BACK.replace("gateway: 10.5.0.1", "ipRange: 10.5.1.0/25"), ["networks[0].ipam.config[0].ipRange: 10.5.1.0/25 is not a part of 10.5.0.0/24"]),
        (services("a: ") + BACK.replace("gateway: 10.5.0.1", "ipRange: 10.5.0.128/25"), []),
        (services("a: ") + "networks: [{name: v6, ipam: {config: [{subnet: 'fd00::/64'}]}}]", ["networks[0].ipam.config[0].subnet: IPv6 is not supported yet; write a subnet like 10.5.0.0/24"]),
        (
            services("a: ") + "networks: [{name: b, ipam: {config: [{subnet: 10.5.0.0/24}]}}, {name: c, ipam: {config: [{subnet: 10.5.0.0/16}]}}]",
            ["networks[1].ipam.config[0].subnet: overlaps 10.5.0.0/24 of spec.networks[0].ipam.config[0].subnet; choose another"],
        ),
        (services("a: ") + "networks: [{name: b}, {name: b}]", ["networks[1].name: the name is there twice, first as spec.networks[0].name; choose another"]),
        (services("a: ") + "networks: [{name: b, labels: {iotistic.io/name: x}}]", ["networks[0].labels.iotistic.io/name: labels that begin with iotistic.io/ are the agent's own; choose another"]),
        (services("a: ") + "volumes: [{name: b}, {name: b}]", ["volumes[1].name: the name is there twice, first as spec.volumes[0].name; choose another"]),
        (services("a: ") + "volumes: [{name: b, hostPath: {path: '/a:b'}}]", ["volumes[0].hostPath.path: '/a:b' can't be mounted: ':' separates host from container path in the engine"]),
        (services("a: ") + "volumes: [{name: b, secret: {secretName: s, items: [{key: k, path: a/../../b}]}}]", ["volumes[0].secret.items[0].path: 'a/../../b' leads out of the volume"]),
        (services("a: ") + "volumes: [{name: b, configMap: {name: s, items: [{key: k, path: a}, {key: l, path: a}]}}]", ["volumes[0].configMap.items[1].path: the path is there twice, first as spec.volumes[0].configMap.items[0].path; choose another"]),
        (services("a: ") + "update: {windows: [{cron: '0 3 * * *', duration: 2h}]}", ["update.windows: not supported yet; leave it out: updates begin at once"]),
        (services("a: ") + "update: {approval: Manual}", ["update.approval: Manual is not supported yet; leave it out: updates begin at once"]),
        (services("a: ") + "update: {windows: [], approval: Auto, progressDeadlineSeconds: 60, minReadySeconds: 0, autoUndo: false}\nhistoryLimit: 0", []),
        (services("a: ") + "update: {progressDeadlineSeconds: 10}", ["update.progressDeadlineSeconds: no release is ever good: 10 s of readiness don't fit into a deadline of 10 s; make progressDeadlineSeconds longer than minReadySeconds"]),
        (services("a: ") + "update: {minReadySeconds: 900}", ["update.minReadySeconds: no release is ever good: 900 s of readiness don't fit into a deadline of 300 s; make progressDeadlineSeconds longer than minReadySeconds"]),
        (services("a: ") + "volumes: [{name: b, size: 1Gi, storageClass: fast}]", []),
    ],
)  # fmt: skip
def test_networks_volumes_and_what_is_not_there_yet(spec: str, problems: list[str]) -> None:
    assert said_of(spec) == [f"spec.{problem}" for problem in problems]


HAND_OVER = "\nupdate: {strategy: HandOver}\nvolumes: [{name: data}, {name: conf, configMap: {name: c}}, {name: host, hostPath: {path: /srv}}]"
BOTH_WRITE = "with HandOver the old and the new container both write to volume {} for a while; make it readOnly, or choose another strategy, if that would harm it"
GAP = "{} can't be had by two at once, so with HandOver the old container stops before the new one starts: requests fail in between"
NO_PROBE = "without a readinessProbe HandOver can't tell when the new container is ready; it goes over soon after that runs"


@pytest.mark.parametrize(
    ("service", "warnings"),
    [
        (HTTP, []),
        ("command: [httpd]", [NO_PROBE]),
        (f"{HTTP}, volumeMounts: [{{name: data, mountPath: /data}}]", [BOTH_WRITE.format("data")]),
        (f"{HTTP}, volumeMounts: [{{name: host, mountPath: /data}}]", [BOTH_WRITE.format("host")]),
        (f"{HTTP}, volumeMounts: [{{name: data, mountPath: /data, readOnly: true}}]", []),
        (f"{HTTP}, volumeMounts: [{{name: conf, mountPath: /data}}]", []),
        (f"{HTTP}, ports: [{{containerPort: 80, hostPort: 8080}}]", [GAP.format("host port 8080")]),
        (f"{HTTP}, ports: [{{containerPort: 80}}], networkMode: host", [GAP.format("host port 80")]),
        (f"{HTTP}, ports: [{{containerPort: 80, hostPort: 8080}}], update: {{strategy: DownloadThenKill}}", []),
    ],
)  # fmt: skip
def test_what_is_worth_a_warning(service: str, warnings: list[str]) -> None:
    found = app(services(f"web: {service}") + HAND_OVER)
    assert warnings_of(found) == [f"App shop, service web: {warning}" for warning in warnings]


def test_one_service_may_be_handed_over_alone() -> None:
    found = app(services(f"web: {fixed('10.5.0.7')}, update: {{strategy: HandOver}}, {HTTP}", "db: ") + BACK)
    assert warnings_of(found) == ["App shop, service web: " + GAP.format("address 10.5.0.7")]


def test_ten_circles_are_told_of_many() -> None:
    lines = [f"s{n}: dependsOn: {{s{n ^ 1}: started}}" for n in range(400)]
    assert len([line for line in said_of(services(*lines)) if "circle" in line]) == 10


def test_a_chain_of_any_length_is_no_circle() -> None:
    chain = [f"s{n}: dependsOn: {{s{n + 1}: started}}" for n in range(1500)]
    assert said_of(services(*chain, "s1500: ")) == []
