"""What a process that is killed while it writes leaves behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from iotistic.store.sqlite import open_store

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
from iotistic.api.core import Secret
from iotistic.store.sqlite import open_store
from tests.unit.store.samples import record
store = open_store(Path(sys.argv[1]))
for turn in range(int(sys.argv[2]), 1_000_000):
    secret = Secret.model_validate({"metadata": {"name": "turn"}, "stringData": {"turn": str(turn)}})
    store.put(apps=[record("a", release=str(turn)), record("b", release=str(turn))], documents=[secret])
    print(turn, flush=True)
"""


def test_what_was_acknowledged_is_there_and_nothing_is_half(tmp_path: Path) -> None:
    path = tmp_path / "device.sqlite"
    open_store(path).close()
    acknowledged = 0
    for seconds in (0.02, 0.05, 0.03, 0.08):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(acknowledged + 1)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        first = int(writer.stdout.readline())
        time.sleep(seconds)
        writer.kill()
        rest = [int(line) for line in writer.stdout.read().splitlines() if line]
        writer.wait()
        acknowledged = max([first, *rest])

        store = open_store(path)
        kept = [int(record.release) for record in store.apps()]
        documents = store.documents()
        store.close()

        assert kept[0] == kept[1] == int(documents[0].contents()["turn"])
        assert kept[0] in {acknowledged, acknowledged + 1}
        acknowledged = kept[0]


def test_a_cut_while_the_identity_is_made_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    """The file beside, as a cut before the renaming leaves it, is no identity and in nobody's way."""
    path = tmp_path / "device.sqlite"
    (tmp_path / ".install-id.new").write_text("half")

    store = open_store(path)

    assert (tmp_path / "install-id").read_text().strip() == store.install != "half"
    assert not (tmp_path / ".install-id.new").exists()
    store.close()
