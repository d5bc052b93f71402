"""helm test: an App is made, gets ready, and goes again. Standard library only."""

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN = open(f"{ACCOUNT}/token").read()
TLS = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
HOST = os.environ["KUBERNETES_SERVICE_HOST"]
API = f"https://{f'[{HOST}]' if ':' in HOST else HOST}:{os.environ['KUBERNETES_SERVICE_PORT']}"
APPS = f"{API}/apis/iotistic.io/v1alpha1/namespaces/{os.environ['TEST_NAMESPACE']}/apps"
NAME = os.environ["TEST_APP"]
PATIENCE_SECONDS = 240
DIRECT = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=TLS)
)

APP = {
    "apiVersion": "iotistic.io/v1alpha1",
    "kind": "App",
    "metadata": {"name": NAME},
    "spec": {
        "services": [
            {
                "name": "sleeper",
                "image": os.environ["TEST_IMAGE"],
                "command": ["sleep", "3600"],
                "stopGracePeriod": 1,
                "securityContext": {
                    "runAsUser": 48484,
                    "runAsGroup": 48484,
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "imagePullSecrets": json.loads(os.environ["TEST_PULL_SECRETS"]),
            }
        ]
    },
}


def request(method, url, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    with DIRECT.open(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
        return json.load(answer)


def ready():
    app = request("GET", f"{APPS}/{NAME}")
    status = app.get("status", {})
    print(f"{status.get('state', 'not seen yet')}: {status.get('why', '')}", flush=True)
    return any(
        one["type"] == "Ready"
        and one["status"] == "True"
        and one.get("observedGeneration") == app["metadata"]["generation"]
        for one in status.get("conditions", [])
    )


def remove():
    try:
        request("DELETE", f"{APPS}/{NAME}")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise


def main():
    with DIRECT.open(os.environ["READY_URL"], timeout=30) as answer:
        print("operator:", answer.status, flush=True)
    remove()
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            request("POST", f"{APPS}?fieldValidation=Strict", APP)
            break
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace")
            if error.code != 409 or time.monotonic() > end:
                sys.exit(f"the App can't be made: {words}")
            time.sleep(1)
    try:
        while not ready():
            if time.monotonic() > end:
                sys.exit(f"the App is not ready after {PATIENCE_SECONDS} s")
            time.sleep(2)
    finally:
        remove()
    print("the App was ready, and is gone", flush=True)


main()
