"""apply, plan, diff and delete: what files say, what is sent, and how mistakes in them are told."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import yaml

from iotistic.api.errors import InvalidResourceError, Problem
from iotistic.controllers.base import Plan
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import Served

SHOP = """\
apiVersion: iotistic.io/v1alpha1
kind: App
metadata:
  name: shop
spec:
  services:
  - name: web
    image: web:1
  - name: db
    image: db:1
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: db}
data: {password: aHVzaA==}
"""
WRONG = SHOP.replace("    image: web:1", "    imgae: web:1") + "    dependsOn: {dbb: started}\n"


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return path


def test_apply_says_what_became_of_each_document(
    iotctl: Iotctl, served_device: Served, shop_file: Path
) -> None:
    shop_file.write_text(f"{SHOP}---\n{SECRET}")
    ran = iotctl("apply", "-f", str(shop_file))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "app/shop created (release 1)\nsecret/db created\n"
    assert "app/shop unchanged (release 1)" in iotctl("apply", "-f", str(shop_file)).out


def test_apply_in_other_forms(iotctl: Iotctl, served_device: Served, shop_file: Path) -> None:
    assert iotctl("apply", "-f", str(shop_file), "-o", "name").out == "app/shop\n"
    answer = json.loads(iotctl("apply", "-f", str(shop_file), "-o", "json", "--wait").out)
    assert answer["applied"][0]["result"] == "unchanged"


def test_warnings_go_to_standard_error(iotctl: Iotctl, served_device: Served, shop_file: Path) -> None:
    served_device.device.warnings = ("App shop, service web: both write to volume data at once",)
    ran = iotctl("apply", "-f", str(shop_file))
    assert ran.code == 0
    assert ran.err == "Warning: App shop, service web: both write to volume data at once\n"


def test_several_files_folders_and_standard_input(
    iotctl: Iotctl, served_device: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "apps"
    folder.mkdir()
    (folder / "b.yaml").write_text(SHOP.replace("shop", "till"))
    (folder / "a.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    )
    (folder / "README.md").write_text("no document")
    (tmp_path / "secret.yml").write_text(SECRET)
    monkeypatch.setattr("sys.stdin", io.StringIO(SHOP))
    ran = iotctl("apply", "-f", str(folder), "-f", str(tmp_path / "secret.yml"), "-f", "-")
    assert ran.code == 0
    (sent,) = served_device.device.asked
    assert [document["metadata"]["name"] for document in sent] == ["a", "till", "db", "shop"]


def test_every_mistake_with_file_and_line_and_nothing_is_sent(
    iotctl: Iotctl, served_device: Served, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(WRONG)
    (tmp_path / "b.yaml").write_text(SHOP.replace("name: shop", "name: Till").replace("web:1", "WEB:1"))
    ran = iotctl("apply", "-f", str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert lines[-1] == "Nothing was changed."
    assert any(line.startswith(f"{tmp_path}/a.yaml:8  App shop  spec.services[0].imgae: ") for line in lines)
    assert "did you mean image?" in ran.err
    assert f"{tmp_path}/a.yaml:11  App shop  spec.services[1].dependsOn" in ran.err
    assert f"{tmp_path}/b.yaml:4  " in ran.err
    assert f"{tmp_path}/b.yaml:8  " in ran.err
    assert served_device.device.asked == []


def test_what_only_the_agent_knows_is_told_with_file_and_line(
    iotctl: Iotctl, served_device: Served, shop_file: Path
) -> None:
    served_device.device.failure = InvalidResourceError(
        [
            Problem(
                resource="App shop",
                path="spec.services[1].image",
                message="port 8080 is held by App till",
                hint="choose another",
            ),
            Problem(resource="App till", path="spec", message="is in the way"),
        ]
    )
    ran = iotctl("apply", "-f", str(shop_file))
    assert ran.code == 2
    assert ran.err == (
        f"{shop_file}:10  App shop  spec.services[1].image: port 8080 is held by App till; choose another\n"
        "App till  spec: is in the way\n"
        "Nothing was changed.\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "line 1"),
        ("", "There is no document in"),
        ("- 1\n", ""),
        ("kind: Pod\napiVersion: v1\nmetadata: {name: x}\n", "Pod"),
    ],
)
def test_what_is_no_document(
    iotctl: Iotctl, served_device: Served, shop_file: Path, text: str, said: str
) -> None:
    shop_file.write_text(text)
    ran = iotctl("apply", "-f", str(shop_file))
    assert ran.code == 2
    assert str(shop_file) in ran.err
    assert said.replace("line 1", f"{shop_file}:") in ran.err
    assert served_device.device.asked == []


def test_what_can_not_be_read(iotctl: Iotctl, tmp_path: Path) -> None:
    ran = iotctl("apply", "-f", str(tmp_path / "nope.yaml"))
    assert (ran.code, ran.err) == (2, f"{tmp_path}/nope.yaml: no such file or directory\n")
    assert "has no .yaml, .yml, .json file" in iotctl("apply", "-f", str(tmp_path)).err
    (tmp_path / "image.yaml").write_bytes(b"\xff\xd8")
    assert "not a text file" in iotctl("apply", "-f", str(tmp_path / "image.yaml")).err
    assert iotctl("apply").code == 2


def test_mistakes_are_told_without_an_agent(iotctl: Iotctl, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WRONG)
    assert iotctl("apply", "-f", str(tmp_path / "a.yaml")).code == 2


def test_a_dry_run_changes_nothing(iotctl: Iotctl, served_device: Served, shop_file: Path) -> None:
    ran = iotctl("apply", "-f", str(shop_file), "--dry-run", "--wait")
    assert ran.out == "app/shop created (release 1) (dry run)\n"
    assert served_device.device.stored == {}


def test_apply_and_wait(iotctl: Iotctl, served_device: Served, shop_file: Path) -> None:
    served_device.device.states["shop", "web"] = {"state": "Starting", "ready": False}
    served_device.device.script = [{}, {}, {("shop", "web"): {}}]
    ran = iotctl("apply", "-f", str(shop_file), "--wait", "--timeout", "10s")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("app/shop created (release 1)\n")
    assert "App shop is ready (2 of 2 services, " in ran.out


def test_apply_waits_for_the_generation_that_it_made(
    iotctl: Iotctl, served_device: Served, shop_file: Path
) -> None:
    served_device.device.unseen.add("shop")
    ran = iotctl("apply", "-f", str(shop_file), "--wait", "--timeout", "400ms")
    assert ran.code == 5
    assert "Timed out after 0.4 s." in ran.err


def test_apply_with_a_bad_timeout_changes_nothing(
    iotctl: Iotctl, served_device: Served, shop_file: Path
) -> None:
    ran = iotctl("apply", "-f", str(shop_file), "--wait", "--timeout", "soon")
    assert ran.code == 2
    assert "--timeout: 'soon' is no length of time" in ran.err
    assert served_device.device.asked == []


def test_plan(iotctl: Iotctl, served_device: Served, shop_file: Path) -> None:
    step = {"action": "fetch", "subject": "web:2", "app": "", "service": "", "cause": "image web:1 -> web:2"}
    served_device.device.planned = Plan(
        text="App shop, release 1 -> 2\n 1  fetch  web:2\n",
        rounds=((step,),),
        converged=True,
        warnings=("be careful",),
    )
    ran = iotctl("plan", "-f", str(shop_file))
    assert ran.out == "App shop, release 1 -> 2\n 1  fetch  web:2\n"
    assert ran.err == "Warning: be careful\n"
    answer = json.loads(iotctl("plan", "-f", str(shop_file), "-o", "json").out)
    assert answer["rounds"] == [[step]]
    assert iotctl("plan", "-f", str(shop_file), "-o", "name").out == "fetch web:2\n"
    assert iotctl("plan").code == 0
    assert served_device.device.asked[-1] == []


def test_delete_by_file_takes_apps_before_what_they_use(
    iotctl: Iotctl, served_device: Served, shop_file: Path
) -> None:
    shop_file.write_text(f"{SECRET}---\n{SHOP}")
    iotctl("apply", "-f", str(shop_file))
    ran = iotctl("delete", "-f", str(shop_file), "--purge")
    assert ran.out == "app/shop is being deleted (its volumes go too)\nsecret/db deleted\n"
    assert served_device.device.purged == {"shop": True}
    assert iotctl("delete", "-f", str(shop_file)).code == 1
    again = iotctl("delete", "-f", str(shop_file), "--ignore-not-found")
    assert (again.code, again.out) == (0, "app/shop is not there\nsecret/db is not there\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing is named."),
        (["app"], "Which app?"),
        (["service", "web"], "A service goes by leaving it out of its App's file."),
        (["node/x"], "'node' is no kind that can be deleted."),
    ],
)
def test_delete_of_nothing(iotctl: Iotctl, served_device: Served, words: list[str], said: str) -> None:
    ran = iotctl("delete", *words)
    assert ran.code == 2
    assert said in ran.err


def test_delete_says_what_becomes_of_the_volumes(
    iotctl: Iotctl, served_device: Served, shop_file: Path
) -> None:
    iotctl("apply", "-f", str(shop_file))
    assert iotctl("delete", "app/shop").out == "app/shop is being deleted (its volumes stay)\n"
    assert served_device.device.purged == {"shop": None}


def test_diff(iotctl: Iotctl, served_device: Served, shop_file: Path) -> None:
    new = iotctl("diff", "-f", str(shop_file))
    assert new.code == 0
    assert "+++ app/shop" in new.out
    assert "+  - image: web:1" in new.out
    iotctl("apply", "-f", str(shop_file))
    same = iotctl("diff", "-f", str(shop_file), "--exit-code")
    assert (same.code, same.out, same.err) == (0, "", "No difference.\n")
    shop_file.write_text(SHOP.replace("db:1", "db:2"))
    changed = iotctl("diff", "-f", str(shop_file), "--exit-code")
    assert changed.code == 1
    assert [line for line in changed.out.splitlines() if line[0] in "+-" and line[1] == " "] == [
        "-  - image: db:1",
        "+  - image: db:2",
    ]
    assert served_device.device.stored["shop"].spec.services[1].image == "db:1"


def test_the_order_of_services_is_no_difference(
    iotctl: Iotctl, served_device: Served, shop_file: Path
) -> None:
    iotctl("apply", "-f", str(shop_file))
    web, db = "  - name: web\n    image: web:1\n", "  - name: db\n    image: db:1\n"
    shop_file.write_text(SHOP.replace(web + db, db + web))
    assert iotctl("diff", "-f", str(shop_file)).err == "No difference.\n"


def test_a_text_of_several_lines_differs_line_by_line(
    iotctl: Iotctl, served_device: Served, shop_file: Path
) -> None:
    script = "    args: ['set -e\n\n\n      one\n\n      two: 2\n\n      ']\n"
    shop_file.write_text(SHOP + script)
    iotctl("apply", "-f", str(shop_file))
    shop_file.write_text(SHOP + script.replace("two: 2", "two: 3"))
    changed = iotctl("diff", "-f", str(shop_file)).out.splitlines()[2:]
    assert [line.replace(" ", "") for line in changed if line[0] in "+-"] == ["-two:2", "+two:3"]
    shown = iotctl("get", "app", "shop", "-o", "yaml").out
    assert yaml.safe_load(shown)["spec"]["services"][1]["args"] == ["set -e\n\none\ntwo: 2\n"]


def test_diff_shows_no_secret(iotctl: Iotctl, served_device: Served, shop_file: Path) -> None:
    shop_file.write_text(SECRET)
    iotctl("apply", "-f", str(shop_file))
    shop_file.write_text(SECRET.replace("password: aHVzaA==", "user: bWU="))
    ran = iotctl("diff", "-f", str(shop_file))
    assert ran.out == "secret/db created: +user, -password (values are not shown)\n"
    shop_file.write_text(SECRET.replace("aHVzaA==", "bWU="))
    assert "the same keys with other values" in iotctl("diff", "-f", str(shop_file)).out
