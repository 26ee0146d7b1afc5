"""Shared stacks: the module names in `tests/conftest.py` are right."""

from pathlib import Path

from tests.conftest import OWN_STACK_MODULES, SECOND_STACK_MODULES
from tests.support.source_tree import ROOT

MODULES = {path.stem: path for path in Path(ROOT, "tests", "e2e").rglob("test_*.py")}


def test_modules_that_start_their_own_stacks_are_listed() -> None:
    assert {
        name for name, path in MODULES.items() if "new_stack_location" in path.read_text()
    } == OWN_STACK_MODULES


def test_modules_of_the_second_stack_exist_and_share_it() -> None:
    assert MODULES.keys() - OWN_STACK_MODULES >= SECOND_STACK_MODULES
    assert MODULES.keys() - OWN_STACK_MODULES != SECOND_STACK_MODULES
