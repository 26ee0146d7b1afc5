"""What is logged: constant messages and declared facts, so that nobody's data can be among them."""

import ast
from collections.abc import Iterator

from chalicelib.observability import FACTS
from tests.support.source_tree import iter_calls, parse_modules

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
OBSERVABILITY = "chalicelib/observability.py"
UNFORESEEN = "log_exception"


def log_calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call that writes a line: where it stands, what is called, and the call."""
    for path, tree in parse_modules().items():
        for name, call in iter_calls(tree):
            is_logger = name in LEVELS and isinstance(call.func, ast.Attribute)
            if (is_logger or name == UNFORESEEN) and path != OBSERVABILITY:
                yield f"{path}:{call.lineno}", name, call


def facts_of(call: ast.Call, name: str) -> ast.expr | None:
    """What a call states beside its message."""
    if name == UNFORESEEN:
        return call.args[2]
    return next((each.value for each in call.keywords if each.arg == "extra"), None)


def named_facts(tree: ast.Module) -> Iterator[ast.expr | None]:
    """The keys that are put into what is called `facts`, which is how a line's facts are called here."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(node.value, ast.Dict) and ast.unparse(target) == "facts":
                    yield from node.value.keys
                if isinstance(target, ast.Subscript) and ast.unparse(target.value) == "facts":
                    yield target.slice


def keys_given() -> set[str]:
    """Every key of a fact that any module writes out."""
    keys: list[ast.expr | None] = []
    for _, name, call in log_calls():
        facts = facts_of(call, name)
        keys += facts.keys if isinstance(facts, ast.Dict) else []
    for path, tree in parse_modules().items():
        keys += named_facts(tree) if path.rpartition("/")[2] in {"endpoints.py", "schedule.py"} else []
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def test_every_message_is_a_constant() -> None:
    found = list(log_calls())
    assert found
    for where, name, call in found:
        assert isinstance(call.args[name == UNFORESEEN], ast.Constant), where
        assert name == UNFORESEEN or len(call.args) == 1, where


def test_facts_are_written_out_or_called_facts() -> None:
    for where, name, call in log_calls():
        facts = facts_of(call, name)
        assert facts is None or isinstance(facts, ast.Dict) or ast.unparse(facts) == "facts", where


def test_every_fact_that_is_logged_is_declared() -> None:
    assert {"client_id", "code", "records", "reference", "sms_id", "campaign_id"} <= keys_given()
    assert keys_given() - FACTS.keys() == set()
