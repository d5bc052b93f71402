"""The docs say what is there: folders, links, commands, decisions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
README = (ROOT / "README.md").read_text()


def rooms() -> list[str]:
    """Folders with something in them: of the root, and those of the agent's package two levels down."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    found = set()
    for name in tracked:
        parents = [parent.as_posix() for parent in Path(name).parents][:-1]
        found |= {parent for parent in parents if "/" not in parent}
        found |= {
            parent
            for parent in parents
            if re.fullmatch(r"operator/iotistic/\w+(/(cluster|docker|kubernetes|simulated|sqlite))?", parent)
        }
    return sorted(found)


def test_the_architecture_names_every_folder() -> None:
    missing = [room for room in rooms() if f"`{room}/`" not in ARCHITECTURE]

    assert missing == []


def test_the_architecture_names_no_folder_that_is_not_there() -> None:
    named = re.findall(r"^\| `([\w./]+/)` \|", ARCHITECTURE, re.MULTILINE)

    assert named
    assert [name for name in named if not (ROOT / name).is_dir()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_to_other_files_resolve(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]

    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_decision_is_short_and_listed() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert decisions
    for decision in decisions:
        assert f"(decisions/{decision.name})" in ARCHITECTURE
        assert len(decision.read_text().splitlines()) < 30, decision


def test_every_make_target_in_the_docs_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for page in PAGES for word in re.findall(r"`make ([a-z-]+)", page.read_text())}

    assert named
    assert named <= targets


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = re.search(r"^(make test)\b", README, re.MULTILINE)

    assert command
    assert f"\n{command.group(1)}\n" in (ROOT / ".ci" / "run").read_text()


def test_the_readme_sets_nothing_up_by_hand() -> None:
    """Two commands: whoever needs a third has found a defect of the first two."""
    block = re.search(r"## Two commands.*?```bash\n(.*?)```", README, re.DOTALL)

    assert block
    assert [line.split("#")[0].strip() for line in block.group(1).splitlines()] == ["make run", "make test"]
