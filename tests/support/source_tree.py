"""The repository as text: its modules, and what each imports and calls."""

import ast
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def parse_modules() -> dict[str, ast.Module]:
    """Every module of the product, by its path from the root: `app.py`, `chalicelib/clients/model.py` …"""
    paths = [ROOT / "app.py", *sorted((ROOT / "chalicelib").rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def find_imports(tree: ast.AST) -> set[str]:
    """Every dotted name that is imported anywhere in a module, inside functions too.

    `from a import b` counts as `a` and as `a.b`, since either may be the module.
    """
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found.update({module, *(f"{module}.{alias.name}" for alias in node.names)})
    return found


def find_runtime_imports(tree: ast.AST) -> set[str]:
    """Return the imports of a module, without those under `if TYPE_CHECKING`."""

    class RuntimeOnly(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    return find_imports(RuntimeOnly().visit(deepcopy(tree)))


def find_matching_imports(tree: ast.AST, *names: str) -> set[str]:
    """Those imports that are one of the names, or lie inside it."""
    return {
        found
        for found in find_imports(tree)
        for name in names
        if found == name or found.startswith(f"{name}.")
    }


def iter_calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call, by the last part of what is called: `findings.refuse(…)` is a call of `refuse`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr, node
            elif isinstance(node.func, ast.Name):
                yield node.func.id, node
