"""Functions are invoked by their alias: the newest version may be not live yet, or keep what a test set."""

import ast

from tests.support.source_tree import ROOT, iter_calls

_FOLDERS = ("bench", "ops", "tests")


def find_unqualified(source: str) -> list[int]:
    """Return the lines that invoke a function by its bare name."""
    return [
        call.lineno
        for name, call in iter_calls(ast.parse(source))
        if name == "invoke"
        and any(each.arg == "FunctionName" and "outputs" in ast.unparse(each.value) for each in call.keywords)
        and not any(each.arg == "Qualifier" for each in call.keywords)
    ]


def test_an_invocation_by_the_bare_name_is_found() -> None:
    assert find_unqualified('client.invoke(FunctionName=stack.outputs["AName"])') == [1]
    assert find_unqualified('client.invoke(FunctionName=stack.outputs["AName"], Qualifier=ALIAS)') == []


def test_functions_are_invoked_by_their_alias() -> None:
    modules = [path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): find_unqualified(path.read_text()) for path in modules}
    # What a role may not do is asked of any version.
    allowed = {"tests/e2e/stack_1/test_least_privilege.py"}
    assert {name for name, lines in found.items() if lines} == allowed
