"""The tree: no file without a subject, no test that patches us, nothing of the machine it was written on."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.source_tree import ROOT, find_matching_imports, iter_calls, parse_modules

WITHOUT_A_SUBJECT = {
    *("utils", "util", "helpers", "helper", "common"),
    *("base", "constants", "core", "misc", "shared"),
}
APP_LINES = 120

# Written in halves: this file is in the tree as well.
REGISTRIES = ("py" + "pi.", "pythonhosted" + ".", "npm" + "js.", "crates" + ".io", "proxy.golang" + ".")
MACHINE_PATHS = re.compile(r"(?<![\w.{}*-])/(?:" + "|".join(("work", "home", "root", "Users")) + r")/\w")

MADE = {"__pycache__", "dist", "node_modules", "deployments", "deployed"}
HIDDEN_BUT_OURS = {".chalice", ".ci", ".gitignore", ".github"}
TEXT = {
    *(".py", ".toml", ".txt", ".md", ".json", ".jsonl", ".yaml", ".yml", ".cfg"),
    *(".html", ".css", ".js", ".svg"),
}


def files(under: Path = ROOT) -> Iterator[Path]:
    """Every file that is ours, not what tools have made."""
    for path in sorted(under.iterdir()):
        hidden = path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS
        if hidden or path.name in MADE or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def ours() -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in files()]


def texts() -> list[str]:
    return [path for path in ours() if Path(path).suffix in TEXT or "." not in Path(path).name]


def test_no_file_is_named_for_what_is_left_over() -> None:
    parts = {(path, part.partition(".")[0]) for path in ours() for part in path.split("/")}
    assert [path for path, part in sorted(parts) if part in WITHOUT_A_SUBJECT] == []


def test_app_stays_short() -> None:
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= APP_LINES


def test_packages_hold_no_code_of_their_own() -> None:
    held = {path for path, tree in parse_modules().items() if path.endswith("__init__.py") and tree.body}
    assert held == set()


def test_every_package_of_the_product_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "chalicelib").rglob("*.py")}
    assert [folder.name for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def patches_of_ours(tree: ast.AST) -> set[str]:
    """Mocks a module imports or asks for, and attributes of ours that it sets."""
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} & {"mocker"}
    targets = {
        ast.unparse(node.args[0]) for name, node in iter_calls(tree) if name == "setattr" and node.args
    }
    ours_patched = {target for target in targets if re.search(r"chalicelib|settings|\bapp\b", target)}
    return find_matching_imports(tree, "unittest.mock", "mock", "pytest_mock") | arguments | ours_patched


def test_nothing_of_ours_is_patched() -> None:
    patching = {
        path: found
        for path in ours()
        if path.endswith(".py")
        and (found := patches_of_ours(ast.parse((ROOT / path).read_text(encoding="utf-8"))))
    }
    assert patching == {}


def test_no_package_registry_is_named() -> None:
    named = [
        f"{path}: {registry}"
        for path in texts()
        for registry in REGISTRIES
        if registry in (ROOT / path).read_text(encoding="utf-8").lower()
    ]
    assert named == []


def test_no_path_of_somebodys_machine_is_named() -> None:
    named = [
        f"{path}: {found.group()}"
        for path in texts()
        for found in MACHINE_PATHS.finditer((ROOT / path).read_text(encoding="utf-8"))
    ]
    assert named == []
