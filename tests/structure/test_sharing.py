"""Tests that share a stack are told by their folder."""

from tests.support.scheduling import find_scope
from tests.support.source_tree import ROOT

E2E = ROOT / "tests" / "e2e"


def test_every_end_to_end_test_stands_in_a_folder_that_says_which_stack_it_uses() -> None:
    modules = [path.relative_to(E2E) for path in E2E.rglob("test_*.py")]
    assert {module.parts[0] for module in modules} == {"stack_1", "stack_2", "own_stack"}


def test_tests_of_one_stack_share_a_scope_and_tests_with_their_own_stack_do_not() -> None:
    first = "tests/e2e/stack_1/test_gateways.py::test_a"
    assert find_scope(first) == find_scope("tests/e2e/stack_1/example/test_mails.py::test_b[1]")
    assert find_scope(first) != find_scope("tests/e2e/stack_2/test_intake.py::test_c")
    own = "tests/e2e/own_stack/test_restart.py::test_d"
    assert find_scope(own) == own


def test_contracts_on_the_embedded_engine_share_it() -> None:
    one, other = (
        "tests/contracts/test_races.py::test_a[embedded]",
        "tests/contracts/test_ledger.py::test_b[embedded-1]",
    )
    assert find_scope(one) == find_scope(other)
    assert find_scope(one.replace("embedded", "moto")) == one.replace("embedded", "moto")
