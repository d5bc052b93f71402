"""A database as an original agent leaves it: its tables with rows as it writes them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

UUID = "0f6d5b0e-8c0f-4f7e-9a5e-0f8c6f0a1b2c"
BROKER = {"protocol": "mqtts", "host": "mosquitto", "port": 8883, "useTls": True, "keepAlive": 60}
IDENTITY: dict[str, Any] = {
    "id": 1,
    "uuid": UUID,
    "deviceId": "7",
    "deviceName": "line-3",
    "deviceType": "standalone",
    "apiKey": None,
    "apiEndpoint": "https://cloud.example.org",
    "registeredAt": 1763632800000,
    "provisioned": 1,
    "createdAt": "2025-11-20 10:00:00",
    "updatedAt": "2025-11-20 10:00:01",
    "deviceApiKey": "c0ffee" * 10,
    "provisioningApiKey": None,
    "applicationId": 12,
    "macAddress": "02:42:ac:11:00:02",
    "osVersion": "Debian GNU/Linux 12",
    "agentVersion": "1.0.84",
    "mqttUsername": f"device_{UUID}",
    "mqttPassword": "aHVudGVyMmh1bnRlcjI=",
    "mqttBrokerUrl": "mqtts://mosquitto:8883",
    "mqttBrokerConfig": json.dumps(BROKER),
    "apiTlsConfig": json.dumps({"caCert": "PEM", "verifyCertificate": True}),
}
TARGET: dict[str, Any] = {
    "apps": {
        "1001": {
            "appId": 1001,
            "appName": "Bottling",
            "services": [
                {
                    "serviceId": 1,
                    "serviceName": "broker",
                    "imageName": "eclipse-mosquitto:2.0",
                    "state": "running",
                    "config": {
                        "image": "eclipse-mosquitto:2.0",
                        "ports": ["1883:1883"],
                        "volumes": ["broker_data:/mosquitto/data"],
                        "networks": ["floor"],
                        "environment": {"PASSWORD": "hunter2"},
                        "restart": "unless-stopped",
                        "domainname": "example.org",
                    },
                },
                {
                    "serviceId": 2,
                    "serviceName": "reporter",
                    "imageName": "registry.local:5000/reporter:2",
                    "state": "stopped",
                    "config": {"image": "registry.local:5000/reporter:2", "networks": ["floor"]},
                },
            ],
        },
        "1002": {"appId": 1002, "appName": "empty", "services": []},
    },
    "config": {"logging": {"level": "info"}, "settings": {"targetStatePollIntervalMs": 60000}},
}
TABLES = """
CREATE TABLE knex_migrations (id integer not null primary key autoincrement, name varchar(255),
    batch integer, migration_time datetime);
CREATE TABLE knex_migrations_lock ("index" integer not null primary key autoincrement, is_locked integer);
CREATE TABLE device (id integer not null primary key autoincrement, uuid varchar(255) not null,
    deviceId varchar(255), deviceName varchar(255), deviceType varchar(255), apiKey varchar(255),
    apiEndpoint varchar(255), registeredAt bigint, provisioned boolean default '0',
    createdAt datetime default CURRENT_TIMESTAMP, updatedAt datetime default CURRENT_TIMESTAMP,
    deviceApiKey varchar(255), provisioningApiKey varchar(255), applicationId integer,
    macAddress varchar(255), osVersion varchar(255), agentVersion varchar(255),
    mqttUsername varchar(255), mqttPassword varchar(255),
    mqttBrokerUrl varchar(255), mqttBrokerConfig text, apiTlsConfig text);
CREATE UNIQUE INDEX device_uuid_unique ON device (uuid);
CREATE TABLE stateSnapshot (id integer not null primary key autoincrement,
    type text check (type in ('target', 'current', 'config')) not null, state json not null,
    stateHash varchar(64), createdAt datetime default CURRENT_TIMESTAMP);
CREATE TABLE endpoints (id integer not null primary key autoincrement, uuid varchar(255), name varchar(255),
    protocol varchar(255), enabled boolean default '1', poll_interval integer default '5000', connection json,
    data_points json, metadata json, lastSeenAt datetime, created_at datetime, updated_at datetime);
CREATE UNIQUE INDEX endpoints_name_unique ON endpoints (name);
CREATE TABLE sensor_outputs (id integer not null primary key autoincrement, protocol varchar(255),
    socket_path varchar(255), data_format varchar(255) default 'json', delimiter varchar(255),
    include_timestamp boolean default '1', include_device_name boolean default '1', logging json);
CREATE TABLE agent_metadata ("key" varchar(255) primary key, value text, createdAt datetime,
    updatedAt datetime);
CREATE TABLE offline_queue (id integer not null primary key autoincrement, queueName varchar(255),
    payload text, createdAt integer, attempts integer default '0');
"""


def make_original(
    path: Path, target: dict[str, Any] | str | None = TARGET, *, queue: int = 3, old: bool = False
) -> None:
    """Make such a file.

    Args:
        target: of its last target row; a text as it is; None: no such row.
        queue: reports that wait.
        old: also the tables that early versions had and never used.
    """
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(TABLES)
    if old:
        for name in ("app", "service", "image"):
            connection.execute(f"CREATE TABLE {name} (id integer not null primary key autoincrement)")
    columns, marks = ", ".join(IDENTITY), ", ".join("?" * len(IDENTITY))
    connection.execute(f"INSERT INTO device ({columns}) VALUES ({marks})", list(IDENTITY.values()))
    snapshots = [("target", {"apps": {"9": {"appId": 9, "appName": "long-gone"}}}), ("current", {"apps": {}})]
    for kind, state in [*snapshots, *([("target", target)] if target is not None else [])]:
        text = state if isinstance(state, str) else json.dumps(state)
        digest = hashlib.sha256(text.encode()).hexdigest()
        # The last one has the oldest time: the clock was set back.
        at = "1970-01-01 00:00:07" if state is target else "2025-11-20 10:00:00"
        connection.execute(
            "INSERT INTO stateSnapshot (type, state, stateHash, createdAt) VALUES (?, ?, ?, ?)",
            (kind, text, digest, at),
        )
    if target is None:
        connection.execute("DELETE FROM stateSnapshot WHERE type = 'target'")
    points = json.dumps([{"name": "temperature", "address": 0, "functionCode": 3, "dataType": "float32"}])
    connection.execute(
        "INSERT INTO endpoints (uuid, name, protocol, connection, data_points) VALUES ('5e', 'press-1', "
        "'modbus', ?, ?)",
        (json.dumps({"type": "tcp", "host": "10.0.4.20"}), points),
    )
    connection.execute(
        "INSERT INTO sensor_outputs (protocol, socket_path) VALUES ('modbus', '/tmp/modbus.sock')"
    )
    connection.execute("INSERT INTO agent_metadata VALUES ('lastBoot', '1763632800000', NULL, NULL)")
    connection.execute("INSERT INTO knex_migrations (name, batch) VALUES ('20250101000000_initial.js', 1)")
    connection.execute("INSERT INTO knex_migrations_lock (is_locked) VALUES (0)")
    report = json.dumps({UUID: {"apps": {}, "is_online": True, "version": 4}})
    connection.executemany(
        "INSERT INTO offline_queue (queueName, payload, createdAt) VALUES ('state-reports', ?, ?)",
        [(report, 1763632800000 + number) for number in range(queue)],
    )
    connection.commit()
    connection.close()


def dump(path: Path) -> list[str]:
    """Everything of the original in a file, as SQL, sorted."""
    connection = sqlite3.connect(path)
    lines = [line for line in connection.iterdump() if "iotistic_" not in line]
    connection.close()
    return sorted(lines)
