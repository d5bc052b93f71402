"""iotctl on a real cluster: the same commands as on a device, and clear words where there is none."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.kube import Kube, until
from tests.cluster.operator import running_operator
from tests.cluster.shell import ROOT, Shell, app, web
from tests.cluster.site import IMAGE, NEVER

WAIT = ("--wait", "--timeout", "180s")


@pytest.fixture(scope="module")
def shell(cluster: Kube) -> Iterator[Shell]:
    """A namespace with an operator, for all tests of this file."""
    namespace = cluster.make_namespace("iotctl")
    with running_operator(cluster.kubeconfig, [namespace]):
        yield Shell(cluster, namespace)
    cluster.remove_namespace(namespace)


@pytest.fixture(scope="module")
def shop(shell: Shell) -> str:
    """An App that runs."""
    shell.ok("apply", "-f", "-", *WAIT, stdin=app("shop", web(), update={"minReadySeconds": 0}))
    return "shop"


def test_apply_waits_and_tables_show_it(shell: Shell, shop: str) -> None:
    same = shell.ok("apply", "-f", "-", stdin=app("shop", web(), update={"minReadySeconds": 0}))
    assert same == "app/shop unchanged (release 1)\n"
    other = app("shop", web(env=[{"name": "A", "value": "1"}]), update={"minReadySeconds": 0})
    assert shell.ok("apply", "--dry-run", "-f", "-", stdin=other) == (
        "app/shop configured (release 2) (dry run)\n"
    )
    row = shell.ok("get", "apps").splitlines()[1].split()
    assert row[0] == "shop"
    assert "1/1" in row
    assert "Ready" in row
    services = json.loads(shell.ok("services", "list", "-o", "json"))
    assert [(one["app"], one["name"], one["ready"]) for one in services] == [("shop", "web", True)]
    assert json.loads(shell.ok("get", "app", "shop", "-o", "json"))["kind"] == "App"


def test_context_says_which_cluster_and_why(shell: Shell) -> None:
    said = shell.ok("context")
    assert said.startswith("Cluster https://")
    assert shell.namespace in said
    assert "kubernetes" in said


def test_status_of_a_cluster_speaks_of_no_agent(shell: Shell, shop: str) -> None:
    said = shell.ok("status", "--format", "text")
    assert [line.split()[0] for line in said.splitlines()[:3]] == ["Cluster", "Operator", "Apps"]
    log = shell.ok("status")
    assert log.startswith('[INFO] Cluster healthy {"context":')
    for text in (said, log, shell.ok("version"), shell.ok("diagnostics")):
        assert "agent" not in text.lower()
        assert "operator no operator" not in text.lower()


def test_logs_and_exec_reach_the_container(shell: Shell, shop: str) -> None:
    assert "hello from web" in shell.ok("logs", shop)
    assert "hello from web" in shell.ok("services", "logs", "shop-web")
    assert shell.ok("exec", "shop-web", "--", "echo", "from inside") == "from inside\n"
    ran = shell.run("exec", "shop-web", "--", "sh", "-c", "exit 7")
    assert (ran.returncode, ran.stdout) == (7, "")
    ran = shell.run("exec", "shop-web", "--", "nosuch")
    assert (ran.returncode, ran.stdout) == (127, "")
    assert ran.stderr.startswith("There is no program nosuch in shop/web;")


def test_a_log_without_lines_is_told(shell: Shell, shop: str) -> None:
    ran = shell.run("services", "logs", "shop-web", "--previous")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("No lines of an earlier container of shop/web are kept.\n")
    quiet = web(command=["sh", "-c", "exec sleep 100000"])
    shell.ok("apply", "-f", "-", *WAIT, stdin=app("quiet", quiet, update={"minReadySeconds": 0}))
    ran = shell.run("logs", "quiet")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.startswith("There are no lines of App quiet: ")
    shell.ok("delete", "app", "quiet", *WAIT)


def test_what_is_named_by_its_service_or_wrongly(shell: Shell, shop: str) -> None:
    assert shell.ok("explain", "service", "shop-web").startswith("shop serves release ")
    ran = shell.run("logs", "shop-wbe")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[1:] == ["There are: shop-web. Elsewhere:  --namespace NAME"]


def test_an_event_of_several_apps_says_whose_it_is(shell: Shell, shop: str) -> None:
    assert "  App shop: release 1 is good" in shell.ok("events")
    assert "  release 1 is good" in shell.ok("events", shop)


def test_a_restart_starts_what_was_stopped(shell: Shell, shop: str) -> None:
    def state() -> str:
        return str(json.loads(shell.ok("services", "info", "shop-web", "-o", "json"))["state"])

    shell.ok("services", "stop", "shop-web")
    until(lambda: state() == "Stopped", "it is stopped")
    assert "Since" not in shell.ok("explain", shop)
    shell.ok("services", "restart", "shop-web")
    until(lambda: state() == "Running", "it runs again")
    shell.ok("wait", "app/shop", "--timeout", "120s")


def test_a_namespace_that_is_not_there_is_told(shell: Shell) -> None:
    said = "has no namespace nope-nope.\nkubectl create namespace nope-nope\n"
    for words in (("get", "apps"), ("services", "list"), ("apply", "-f", "-"), ("explain", "shop")):
        ran = shell.run("--namespace", "nope-nope", *words, stdin=app("shop", web()))
        assert (ran.returncode, ran.stdout) == (1, ""), words
        assert ran.stderr.endswith(said), ran.stderr
    assert shell.run("--namespace", "default", "get", "apps").returncode == 0


def test_stop_holds_and_start_brings_it_back(shell: Shell, shop: str) -> None:
    assert shell.ok("apps", "stop", shop) == "app/shop: stopping web\n"

    def state() -> str:
        return str(json.loads(shell.ok("apps", "info", shop, "-o", "json"))["state"])

    until(lambda: state() == "Stopped", "it is told")
    ran = shell.run("wait", "app/shop", "--timeout", "120s")
    assert "stopped" in ran.stdout + ran.stderr
    assert "was stopped by hand" in shell.ok("explain", "app", shop)
    assert "0/0" in shell.ok("get", "apps").splitlines()[1].split()
    shell.ok("apps", "start", shop, *WAIT)
    assert json.loads(shell.ok("apps", "info", shop, "-o", "json"))["state"] == "Ready"


def test_a_restart_makes_a_new_container(shell: Shell, shop: str) -> None:
    before = json.loads(shell.ok("services", "info", "shop-web", "-o", "json"))["containerId"]
    shell.ok("apps", "restart", shop)

    def changed() -> bool:
        now = json.loads(shell.ok("services", "info", "shop-web", "-o", "json"))
        return bool(now["ready"]) and now["containerId"] != before

    until(changed, "another container", 120)


def test_lock_holds_an_update_and_unlock_lets_it_go(shell: Shell) -> None:
    update = {"minReadySeconds": 0}
    shell.ok("apply", "-f", "-", *WAIT, stdin=app("held", web(), update=update))
    shell.ok("lock", "held", "--reason", "stocktaking", "--owner", "till")
    assert "; held is locked by till: stocktaking, since " in shell.ok("explain", "app", "held")
    assert "Lock      held is locked by till: stocktaking, since " in shell.ok("apps", "info", "held")
    changed = app("held", web(env=[{"name": "A", "value": "2"}]), update=update)
    ran = shell.run("apply", "-f", "-", "--wait", "--timeout", "10s", stdin=changed)
    assert ran.returncode == 5, ran.stdout + ran.stderr
    assert "stocktaking" in shell.ok("explain", "app", "held")
    assert "iotctl unlock held" in shell.ok("explain", "app", "held")
    ran = shell.run("apps", "restart", "held")
    assert "locked by till: stocktaking" in ran.stdout + ran.stderr
    shell.ok("unlock", "held")
    shell.ok("wait", "app/held", "--timeout", "180s")
    shell.ok("delete", "app", "held", *WAIT)


def test_a_bad_update_is_undone_and_told(shell: Shell) -> None:
    update = {"minReadySeconds": 4}
    shell.ok("apply", "-f", "-", *WAIT, stdin=app("fragile", web(), update=update))
    command = ["sh", "-c", "echo the database is missing; sleep 1; exit 3"]
    bad = app(
        "fragile", web(command=command, readinessProbe=NEVER), update=update | {"progressDeadlineSeconds": 15}
    )
    ran = shell.run("apply", "-f", "-", *WAIT, stdin=bad)
    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert "undone" in ran.stderr
    assert "  | the database is missing\n" in ran.stderr
    assert "the database is missing" in shell.ok("services", "logs", "fragile-web", "--previous")
    told = shell.ok("explain", "app", "fragile")
    assert "iotctl retry fragile" in told
    states = [row["state"] for row in json.loads(shell.ok("history", "fragile", "-o", "json"))]
    assert states[:2] == ["quarantined", "serving"]
    assert "Undone" in shell.ok("get", "apps")
    shell.ok("rollback", "fragile", *WAIT)
    assert json.loads(shell.ok("apps", "info", "fragile", "-o", "json"))["state"] == "Ready"
    assert shell.kube.get("apps.iotistic.io", "fragile", shell.namespace)["spec"]["update"] == update
    again, bad_one = json.loads(shell.ok("history", "fragile", "-o", "json"))
    assert again["release"] > bad_one["release"]
    assert again["created"] < bad_one["created"] <= bad_one["wanted"] < again["wanted"]
    shell.ok("delete", "app", "fragile", *WAIT)


def test_a_first_release_that_failed_serves_nobody(shell: Shell) -> None:
    bad = web(command=["sh", "-c", "exit 3"], readinessProbe=NEVER) | {"name": "bad"}
    update = {"minReadySeconds": 0, "progressDeadlineSeconds": 8}
    ran = shell.run("apply", "-f", "-", *WAIT, stdin=app("crash", web(), bad, update=update))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert shell.ok("explain", "crash").startswith("crash is not available (release 1, 1 of 2 ready); ")
    (row,) = json.loads(shell.ok("history", "crash", "-o", "json"))
    assert row["state"] == "failed"
    shell.ok("delete", "app", "crash", *WAIT)


def test_a_mistake_is_told_with_its_line_and_nothing_changes(shell: Shell) -> None:
    text = "apiVersion: iotistic.io/v1alpha1\nkind: App\nmetadata: {name: oops}\nspec:\n  servces: []\n"
    ran = shell.run("apply", "-f", "-", stdin=text)
    assert ran.returncode == 2
    assert "servces" in ran.stderr
    assert "services" in ran.stderr
    assert shell.run("get", "app", "oops").returncode == 1


def test_what_kubernetes_can_not_do_is_told_with_all_other_mistakes(shell: Shell) -> None:
    wrong = web(imgae="x", devices=["/dev/ttyS0"], dependsOn={"dbb": "started"})
    ran = shell.run("apply", "-f", "-", stdin=app("wrong", wrong))
    assert ran.returncode == 2
    for words in (
        "imgae: unknown field",
        "no single device; set securityContext.privileged",
        'no service "dbb"',
    ):
        assert words in ran.stderr
    assert shell.run("get", "app", "wrong").returncode == 1


def test_what_the_api_server_refuses_of_several_documents_is_told_at_once(shell: Shell) -> None:
    labels = {"no key": "x"}
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
        for name in ("one", "two")
    ]
    ran = shell.run("apply", "-f", "-", stdin=yaml.safe_dump_all(maps))
    assert ran.returncode == 2
    for words in ("ConfigMap one: ", "ConfigMap two: ", "metadata.labels", "Nothing was changed."):
        assert words in ran.stderr


def test_a_service_can_not_be_paused(shell: Shell, shop: str) -> None:
    ran = shell.run("services", "pause", "shop-web")
    assert ran.returncode == 2
    assert "can't be paused on Kubernetes" in ran.stderr


def test_plan_shows_what_would_change(shell: Shell, shop: str) -> None:
    changed = app("shop", web(image="iotistic/hello:2"), update={"minReadySeconds": 0})
    assert f"image {IMAGE} -> iotistic/hello:2" in shell.ok("plan", "-f", "-", stdin=changed)
    sized = app("shop", web(), update={"minReadySeconds": 0}, volumes=[{"name": "data", "size": "5Gi"}])
    assert "volume data added" in shell.ok("plan", "-f", "-", stdin=sized)
    assert json.loads(shell.ok("apps", "info", shop, "-o", "json"))["state"] == "Ready"


def test_diff_shows_only_what_somebody_changed(shell: Shell, shop: str) -> None:
    def says(**fields: object) -> str:
        changed = app("shop", web(**fields), update={"minReadySeconds": 0})
        return shell.ok("diff", "-f", "-", stdin=changed)

    shell.ok("retry", shop)
    assert says() == ""
    lines = [line for line in says(ports=[{"containerPort": 8080}]).splitlines()[2:] if line[0] in "+-"]
    assert [line.strip("+- ") for line in lines] == ["ports:", "containerPort: 8080"]


def test_a_missing_secret_is_told_with_the_command_that_makes_it(shell: Shell) -> None:
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "login", "key": "a"}}}]
    shell.ok("apply", "-f", "-", stdin=app("lacking", web(env=env)))
    command = f"kubectl -n {shell.namespace} create secret generic login --from-literal a=VALUE"
    until(lambda: command in shell.ok("explain", "app", "lacking"), "explain says what to type", 60)
    shell.ok("delete", "app", "lacking", *WAIT)


def test_a_used_up_quota_is_told_with_where_to_look(shell: Shell) -> None:
    shell.ok("apply", "-f", "-", *WAIT, stdin=app("modest", web(), update={"minReadySeconds": 0}))
    shell.kube.kubectl("create", "quota", "small", "--hard=pods=0", "-n", shell.namespace)
    try:
        # Until it has a status it refuses nothing.
        quota = ("quota", "small", shell.namespace)
        until(lambda: (shell.kube.get(*quota).get("status") or {}).get("hard"), "the quota counts")
        changed = app("modest", web(env=[{"name": "A", "value": "2"}]), update={"minReadySeconds": 0})
        shell.ok("apply", "-f", "-", stdin=changed)
        told = f"kubectl -n {shell.namespace} describe resourcequota small"
        until(lambda: told in shell.run("explain", "app", "modest").stdout, "explain names the quota", 120)
        row = shell.ok("get", "apps").splitlines()
        assert max(map(len, row)) <= 120
    finally:
        shell.kube.kubectl("delete", "quota", "small", "-n", shell.namespace)
        shell.ok("delete", "app", "modest", *WAIT)


def test_diagnostics_of_a_cluster(shell: Shell) -> None:
    checks = {one["name"]: one for one in json.loads(shell.ok("diagnostics", "-o", "json"))}
    assert checks["API server"]["status"] == "OK"
    assert checks["Kinds"]["status"] == "OK"
    assert checks["Rights"]["status"] == "OK"
    assert checks["Storage"]["status"] == "OK"


def test_delete_keeps_volumes_and_purge_does_not(shell: Shell) -> None:
    volume = {"name": "data"}
    kept = app("kept", web(volumeMounts=[{"name": "data", "mountPath": "/data"}]), volumes=[volume])
    shell.ok("apply", "-f", "-", *WAIT, stdin=kept)
    shell.ok("delete", "app", "kept", *WAIT)
    assert shell.kube.items("pod", shell.namespace, "iotistic.io/app=kept") == []
    assert shell.kube.get("pvc", "kept-data", shell.namespace) is not None
    shell.ok("apply", "-f", "-", *WAIT, stdin=kept)
    shell.ok("apps", "purge", "kept", "--yes", *WAIT)

    assert shell.kube.items("pod", shell.namespace, "iotistic.io/app=kept") == []
    assert shell.kube.get("pvc", "kept-data", shell.namespace) is None


def test_the_kubectl_plugin_is_the_same_program(shell: Shell) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["kubectl-iotctl"] == scripts["iotctl"]


def test_who_has_no_rights_is_told_so(shell: Shell, tmp_path: Path) -> None:
    shell.kube.try_kubectl("create", "serviceaccount", "nobody", "-n", shell.namespace)
    token = shell.kube.kubectl("create", "token", "nobody", "-n", shell.namespace).strip()
    config = yaml.safe_load(Path(shell.kube.kubeconfig).read_text())
    config["users"] = [{"name": one["name"], "user": {"token": token}} for one in config["users"]]
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    ran = shell.run("get", "apps", KUBECONFIG=str(file))
    assert ran.returncode == 1
    assert "You may not do that here" in ran.stderr
    assert token not in ran.stderr
    config["users"] = [{"name": one["name"], "user": {"token": "wrong"}} for one in config["users"]]
    file.write_text(yaml.safe_dump(config))
    ran = shell.run("get", "apps", KUBECONFIG=str(file))
    assert ran.returncode == 1
    assert "does not know who asks" in ran.stderr


def test_an_api_server_that_is_away_is_told_so(shell: Shell, tmp_path: Path) -> None:
    config = yaml.safe_load(Path(shell.kube.kubeconfig).read_text())
    for one in config["clusters"]:
        one["cluster"]["server"] = "https://127.0.0.1:9"
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    ran = shell.run("get", "apps", KUBECONFIG=str(file))
    assert ran.returncode == 3
    assert "does not answer" in ran.stderr


def test_operator_process_is_not_needed_to_be_told(shell: Shell) -> None:
    """An App that nobody looks at is told as that."""
    namespace = shell.kube.make_namespace("alone")
    try:
        lonely = Shell(shell.kube, namespace)
        lonely.ok("apply", "-f", "-", stdin=app("shop", web()))
        assert "no operator has looked at shop" in lonely.ok("explain", "app", "shop")
    finally:
        shell.kube.remove_namespace(namespace)
