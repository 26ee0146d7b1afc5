"""Logging: constant messages and declared facts only, so that no line can hold personal data."""

import ast
from collections.abc import Iterator

from chalicelib.observability import FACTS
from tests.support.source_tree import iter_calls, parse_modules

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
OBSERVABILITY = "chalicelib/observability.py"
LOG_EXCEPTION = "log_exception"


def iter_log_calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Yield every call that writes a line: its place, the name of the function, and the call."""
    for path, tree in parse_modules().items():
        for name, call in iter_calls(tree):
            is_logger = name in LEVELS and isinstance(call.func, ast.Attribute)
            if (is_logger or name == LOG_EXCEPTION) and path != OBSERVABILITY:
                yield f"{path}:{call.lineno}", name, call


def find_facts(call: ast.Call, name: str) -> ast.expr | None:
    """Return the facts of a call; None if it has none."""
    if name == LOG_EXCEPTION:
        return call.args[2]
    return next((each.value for each in call.keywords if each.arg == "extra"), None)


def iter_assigned_keys(tree: ast.Module) -> Iterator[ast.expr | None]:
    """Yield the keys that are put into a variable `facts`, which is the name for the facts of a line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(node.value, ast.Dict) and ast.unparse(target) == "facts":
                    yield from node.value.keys
                if isinstance(target, ast.Subscript) and ast.unparse(target.value) == "facts":
                    yield target.slice


def find_logged_keys() -> set[str]:
    """Return every literal key of a fact."""
    keys: list[ast.expr | None] = []
    for _, name, call in iter_log_calls():
        facts = find_facts(call, name)
        keys += facts.keys if isinstance(facts, ast.Dict) else []
    for path, tree in parse_modules().items():
        keys += iter_assigned_keys(tree) if path.rpartition("/")[2] in {"endpoints.py", "schedule.py"} else []
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def test_every_message_is_a_constant() -> None:
    calls = list(iter_log_calls())
    assert calls
    for where, name, call in calls:
        assert isinstance(call.args[name == LOG_EXCEPTION], ast.Constant), where
        assert name == LOG_EXCEPTION or len(call.args) == 1, where


def test_facts_are_literals_or_a_variable_facts() -> None:
    for where, name, call in iter_log_calls():
        facts = find_facts(call, name)
        assert facts is None or isinstance(facts, ast.Dict) or ast.unparse(facts) == "facts", where


def test_every_fact_that_is_logged_is_declared() -> None:
    assert {"client_id", "code", "records", "reference", "sms_id", "campaign_id"} <= find_logged_keys()
    assert find_logged_keys() - FACTS.keys() == set()
