"""Which tests share a stack: what `tests/conftest.py` says of modules by name is so."""

from pathlib import Path

from tests.conftest import OWN_STACK_MODULES, SECOND_STACK_MODULES
from tests.support.source_tree import ROOT

MODULES = {path.stem: path for path in Path(ROOT, "tests", "e2e").rglob("test_*.py")}


def test_modules_that_start_stacks_of_their_own_go_to_whoever_is_free() -> None:
    assert {
        name for name, path in MODULES.items() if "new_stack_location" in path.read_text()
    } == OWN_STACK_MODULES


def test_modules_of_the_other_stack_are_there_and_share_one() -> None:
    assert MODULES.keys() - OWN_STACK_MODULES >= SECOND_STACK_MODULES
    assert MODULES.keys() - OWN_STACK_MODULES != SECOND_STACK_MODULES
