"""Which tests run on one worker: those that share something that takes seconds to start."""

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

from tests.support.source_tree import ROOT

MARKER = ".one_worker"


class SharedResourceScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Give tests under a folder with a marker file to one worker, all others to whichever is free.

    The groups of xdist 3.8 itself have no effect: pytest 9.2 keeps the ids of tests elsewhere.
    """

    def _split_scope(self, nodeid: str) -> str:
        return find_scope(nodeid)


def find_scope(nodeid: str) -> str:
    """Return what a test shares with others: a folder, an engine, or nothing but itself."""
    if "[embedded" in nodeid:
        return "the embedded engine of the contracts"
    path = Path(nodeid.partition("::")[0])
    if path.stem == "test_packaging":
        return str(path)
    return next((str(folder) for folder in path.parents if _is_marked(folder)), nodeid)


@cache
def _is_marked(folder: Path) -> bool:
    return (ROOT / folder / MARKER).exists()
