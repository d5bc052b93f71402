"""The examples and the pages of the kinds: valid, and what they show is what is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from iotctl.schemas import schema_of
from iotistic.api.documents import check_documents, check_together, load_documents
from iotistic.planning.normal import target_of
from iotistic.planning.preview import preview
from iotistic.planning.text import plan_text
from iotistic.planning.values import Observed, Options

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
KINDS = sorted((ROOT / "docs" / "kinds").glob("*.md"))
APP_PAGE = (ROOT / "docs" / "kinds" / "app.md").read_text()
SERVICE_PAGE = (ROOT / "docs" / "kinds" / "appservice.md").read_text()
STATUS = (ROOT / "operator" / "iotistic" / "rollout" / "status.py").read_text()


def documents_of(example: Path) -> list[Any]:
    return list(yaml.safe_load_all(example.read_text()))


def test_there_are_examples() -> None:
    assert ROOT / "examples" / "hello.yaml" in EXAMPLES
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_and_complete(example: Path) -> None:
    """It refers to nothing that is not in it."""
    documents = load_documents(example.read_text(), example.name)
    apps, core = check_documents([document.data for document in documents])
    assert apps
    check_together(apps, [], {(one.kind, one.metadata.name) for one in core})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_plan_beside_an_example_is_what_would_be_done(example: Path) -> None:
    apps, _ = check_documents(documents_of(example))
    targets = [target_of(app, release="1") for app in apps]
    found = preview(Observed(), targets, Options())
    written = example.with_suffix(".plan.txt").read_text()
    assert written.rstrip("\n") == plan_text(found, Observed(), targets).rstrip("\n"), "make generate"
    assert found.converged


def test_examples_can_be_applied_together() -> None:
    apps, core = check_documents([one for example in EXAMPLES for one in documents_of(example)])
    check_together(apps, [], {(one.kind, one.metadata.name) for one in core})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_schema_for_editors_takes_an_example(example: Path) -> None:
    for document in documents_of(example):
        jsonschema_rs.validator_for(schema_of(document["kind"].lower())).validate(document)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"imgae": "a"}, "services/0"),
        ({"image": 7}, "services/0/image"),
        ({"ports": [{"containerPort": "80"}]}, "services/0/ports/0/containerPort"),
        ({"ports": [{"containerPort": 70000}]}, "services/0/ports/0/containerPort"),
        ({"restartPolicy": "always"}, "services/0/restartPolicy"),
        ({"name": "Web"}, "services/0/name"),
        ({"tmpfs": [{"mountPath": "tmp"}]}, "services/0/tmpfs/0/mountPath"),
    ],
)
def test_the_schema_for_editors_shows_what_is_wrong(wrong: dict[str, Any], where: str) -> None:
    service = {"name": "web", "image": "a:1"} | wrong
    document = {"apiVersion": "iotistic.io/v1alpha1", "kind": "App", "metadata": {"name": "shop"}}
    errors = jsonschema_rs.validator_for(schema_of("app")).iter_errors(
        {**document, "spec": {"services": [service]}}
    )
    assert [f"spec/{where}".split("/")] == [[str(part) for part in error.instance_path] for error in errors]


def test_editors_get_a_sentence_for_every_field() -> None:
    for kind in ("app", "appservice", "secret", "configmap"):
        schema = schema_of(kind)
        for node in [schema, *schema.get("$defs", {}).values()]:
            for name, field in node.get("properties", {}).items():
                assert field.get("description") or "$ref" in field, f"{node['title']}.{name}"
                assert "title" not in field


@pytest.mark.parametrize("page", KINDS, ids=lambda path: path.stem)
def test_documents_in_a_page_are_valid(page: Path) -> None:
    """All but the one that is there to be wrong."""
    blocks = re.findall(r"```yaml\n(.*?)```(.*?)\n#", page.read_text(), re.DOTALL)
    for block, after in blocks:
        if "<!-- generated: problems -->" in after[:200]:
            continue
        assert load_documents(block, page.name)


def test_every_state_and_reason_is_explained() -> None:
    words = set(re.findall(r'"([A-Z][A-Za-z]+)"', STATUS)) - {"True", "False"}
    assert {"Ready", "Degraded", "Undone", "WouldLoseData", "CrashLoop", "Completed"} <= words
    explained = set(re.findall(r"\w+", APP_PAGE + SERVICE_PAGE))
    assert words - explained == set()


def test_generated_files_are_up_to_date() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "hack" / "generate", "--check"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def test_what_is_not_up_to_date_is_shown(tmp_path: Path) -> None:
    """In a copy of the files that it reads and writes."""
    for name in ("charts", "docs", "crds", "examples", "hack"):
        subprocess.run(["cp", "-r", ROOT / name, tmp_path / name], check=True)
    (tmp_path / "operator").symlink_to(ROOT / "operator")
    (tmp_path / "iotctl").symlink_to(ROOT / "iotctl")
    page = tmp_path / "docs" / "kinds" / "app.md"
    fresh = page.read_text()
    page.write_text(fresh.replace("| `hostIP` |", "| `hostIp` |"))
    (tmp_path / "examples" / "hello.plan.txt").unlink()
    command = [sys.executable, tmp_path / "hack" / "generate"]
    ran = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "-| `hostIp` |" in ran.stdout
    assert "+| `hostIP` |" in ran.stdout
    assert "Not up to date: docs/kinds/app.md examples/hello.plan.txt" in ran.stdout
    subprocess.run(command, check=True, capture_output=True)
    assert page.read_text() == fresh
    assert subprocess.run([*command, "--check"], check=False).returncode == 0


def test_the_plan_of_an_example_can_be_made_without_an_agent(tmp_path: Path) -> None:
    world = tmp_path / "world.yaml"
    world.write_text("observed: {}\n")
    ran = subprocess.run(
        [sys.executable, "-m", "iotctl.main", "plan", "--observed", world, "-f", EXAMPLES[0], "-o", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["converged"] is True
