"""The draft of a form: every letter is in it once nothing is being written any more, in order."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from chalicelib.web.site import STATIC_DIRECTORY

_MODULE = (STATIC_DIRECTORY / "screens" / "drafts.js").as_uri()
# A disk that takes its time, and fails when it is told to.
_SET_UP = f"""
const {{ DraftKeeper }} = await import({json.dumps(_MODULE)});
const disk = {{ stored: [], failures: 0, now: "" , told: 0 }};
const keeper = new DraftKeeper(async () => {{
  const typed = disk.now;
  await new Promise((resolve) => setTimeout(resolve, disk.stored.length === 0 ? 40 : 5));
  if (disk.failures > 0) {{ disk.failures -= 1; throw new Error("full"); }}
  disk.stored.push(typed);
}}, () => (disk.told += 1));
const type = (text) => {{ disk.now = text; keeper.change(); }};
"""


def run(steps: str) -> dict[str, Any]:
    """Return what is on the disk after some steps."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    program = f"{_SET_UP}{steps}\nconsole.log(JSON.stringify(disk));"
    finished = subprocess.run(
        [node, "--input-type=module", "-e", program], capture_output=True, text=True, check=True
    )
    disk: dict[str, Any] = json.loads(finished.stdout)
    return disk


def test_whoever_leaves_waits_for_the_last_letter() -> None:
    assert run('type("Me"); await keeper.flush();')["stored"] == ["Me"]


def test_a_letter_that_comes_during_a_write_is_stored_after_it() -> None:
    steps = 'type("Me"); void keeper.flush(); await 0; type("Melati"); await keeper.flush();'
    assert run(steps)["stored"][-1] == "Melati"


def test_what_could_not_be_stored_is_stored_with_the_next_try() -> None:
    disk = run('disk.failures = 1; type("Me"); await keeper.flush(); await keeper.flush();')
    assert (disk["stored"], disk["told"]) == (["Me"], 1)


def test_nothing_is_written_where_nothing_was_typed() -> None:
    assert run('await keeper.flush(); type("Me"); await keeper.flush(); await keeper.flush();')["stored"] == [
        "Me"
    ]


def test_no_draft_is_written_over_the_capture_that_was_saved() -> None:
    steps = 'type("Me"); void keeper.flush(); type("Mel"); await keeper.stop(); disk.stored.push("saved");'
    steps += "await new Promise((resolve) => setTimeout(resolve, 500));"
    assert run(steps)["stored"][-1] == "saved"
