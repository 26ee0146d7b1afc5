"""No module reads the clock when it is imported: a run of all tests, or a warm function, passes midnight."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.source_tree import ROOT

_READS_THE_CLOCK = {"now", "today", "utcnow", "time"}
_MODULES = sorted(
    path
    for folder in ("chalicelib", "infra", "ops", "bench", "tests")
    for path in (ROOT / folder).rglob("*.py")
)


def iter_import_time_calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that run when a module is imported: all but those inside functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from iter_import_time_calls(child)


def find_clock_reads(source: str) -> list[int]:
    return [
        call.lineno
        for call in iter_import_time_calls(ast.parse(source))
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in _READS_THE_CLOCK
        and ast.unparse(call.func.value) in {"datetime", "date", "time", "datetime.datetime", "datetime.date"}
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("NOW = datetime.now(UTC)", [1]),
        ("class A:\n    day = str(date.today())", [2]),
        ("def look():\n    return datetime.now(UTC)", []),
        ("NOW = datetime(2024, 10, 9)", []),
    ],
)
def test_a_read_of_the_clock_at_import_is_found(source: str, lines: list[int]) -> None:
    assert find_clock_reads(source) == lines


def test_no_module_reads_the_clock_at_import() -> None:
    found = {str(path.relative_to(ROOT)): find_clock_reads(path.read_text()) for path in _MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}
