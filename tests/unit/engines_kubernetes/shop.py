"""Apps that the tests of Kubernetes render."""

from __future__ import annotations

from typing import Any

import yaml

from iotistic.api.app import App
from iotistic.engines.kubernetes.render import render
from iotistic.engines.kubernetes.values import Dns, Object, RenderContext, Rendered

CONTEXT = RenderContext(namespace="plant", app_uid="u-1", dns=Dns(nameservers=("10.43.0.10",)))

EVERYTHING = """
apiVersion: iotistic.io/v1alpha1
kind: App
metadata: {name: sink}
spec:
  appId: 7
  release: r-5
  deletionPolicy: Delete
  networks:
    - {name: back, internal: true}
  volumes:
    - {name: data, size: 2Gi, storageClass: slow}
    - {name: more}
    - {name: files, secret: {secretName: login, items: [{key: user, path: conf/user}], optional: true}}
    - {name: conf, configMap: {name: conf, items: [{key: a, path: a.ini}], optional: true}}
    - {name: host, hostPath: {path: /var/lib/sink, type: DirectoryOrCreate}}
  services:
    - name: web
      serviceId: 3
      image: registry.example:5000/team/web:1
      command: [/web, --verbose]
      args: ["--port=$(PORT)"]
      workingDir: /srv
      env:
        - {name: PORT, value: "8080"}
        - {name: EMPTY}
        - {name: USER, valueFrom: {secretKeyRef: {name: login, key: user, optional: true}}}
        - {name: MODE, valueFrom: {configMapKeyRef: {name: conf, key: a, optional: true}}}
      envFrom:
        - {prefix: A_, secretRef: {name: login, optional: true}}
        - {configMapRef: {name: conf, optional: true}}
      ports:
        - {name: http, containerPort: 8080}
        - {name: a-name-longer-than-fifteen, containerPort: 8081}
        - {containerPort: 53, protocol: UDP}
        - {containerPort: 53}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: data, mountPath: /also, readOnly: true}
        - {name: files, mountPath: /etc/login}
        - {name: conf, mountPath: /etc/conf}
      tmpfs: [{mountPath: /tmp, size: 32Mi}, {mountPath: /cache}]
      resources: {limits: {cpu: 1.5, memory: 1024Mi}, requests: {cpu: 100m}}
      startupProbe: {httpGet: {path: /up, port: http, scheme: HTTPS}, failureThreshold: 60}
      livenessProbe: {tcpSocket: {port: a-name-longer-than-fifteen}, initialDelaySeconds: 5}
      readinessProbe:
        httpGet: {port: 8080, host: 10.0.0.9, httpHeaders: [{name: X-A, value: b}]}
        periodSeconds: 3
        timeoutSeconds: 2
        successThreshold: 2
      securityContext:
        runAsUser: 1000
        runAsGroup: 20
        readOnlyRootFilesystem: true
        allowPrivilegeEscalation: false
        capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}
      imagePullSecrets: [{name: registry}, {name: other}]
      networks: {default: {aliases: [WWW, shop]}, back: {}}
      dependsOn: {db: healthy, once: completed}
      hostname: web-one
      extraHosts: ["printer:10.0.0.7", "scanner:10.0.0.7", "six:[fd00::1]"]
      sysctls: {net.ipv4.ip_unprivileged_port_start: "0", net.core.somaxconn: "512"}
      stopGracePeriod: 1m30s
      labels: {tier: front, example.com/note: "two words, not a label"}
      update: {strategy: HandOver}

    - name: db
      image: db@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
      networks: {back: {aliases: [store]}}
      readinessProbe: {exec: {command: [ready, --now]}}
      securityContext: {runAsUser: 0}
      resources: {limits: {memory: 256Mi}}

    - name: names
      image: names
      ports: [{containerPort: 80, hostPort: 8085, hostIP: 127.0.0.1}]
      update: {strategy: HandOver}

    - name: radio
      image: radio:1
      networkMode: host
      ports: [{containerPort: 9100}]
      devices: [/dev/null, "/dev/zero:/dev/radio:rw"]
      volumeMounts: [{name: host, mountPath: /host}]
      securityContext: {privileged: true}

    - name: once
      image: once:1
      networkMode: none
      restartPolicy: Never

    - name: again
      image: again:1
      hostname: other
      restartPolicy: OnFailure
      stopGracePeriod: 0
      networks: {back: {aliases: [retry]}}
"""
"""Every field that Kubernetes can do, at least once."""


def app(text: str) -> App:
    """An App from YAML."""
    return App.model_validate(yaml.safe_load(text))


def app_of(*services: dict[str, Any], name: str = "shop", **spec: Any) -> App:
    """An App of these services; what a service leaves out is `web` with image web:1."""
    full = [{"name": "web", "image": "web:1"} | service for service in services or ({},)]
    return App.model_validate({"metadata": {"name": name}, "spec": {"services": full} | spec})


def rendered(shop: App, context: RenderContext = CONTEXT) -> Rendered:
    """It as objects."""
    return render(shop, context)


def one(shop: App | Rendered, kind: str, name: str) -> Object:
    """The object of that kind and name."""
    objects = (shop if isinstance(shop, Rendered) else rendered(shop)).objects
    return next(o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))


def pod_of(shop: App, service: str = "web", context: RenderContext = CONTEXT) -> Object:
    """`spec` of the pod of a service."""
    spec: Object = rendered(shop, context).workloads[service]["spec"]["template"]["spec"]
    return spec


def container_of(shop: App, service: str = "web", context: RenderContext = CONTEXT) -> Object:
    """The container of a service."""
    container: Object = pod_of(shop, service, context)["containers"][0]
    return container
