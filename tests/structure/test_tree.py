"""The tree: no file without a subject, no test that patches the product, no path of one machine."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tests.support.source_tree import ROOT, find_matching_imports, iter_calls, parse_modules

SUBJECTLESS_NAMES = {
    *("utils", "util", "helpers", "helper", "common"),
    *("base", "constants", "core", "misc", "shared"),
}
APP_LINES = 140

# In two parts, because this file is searched too.
REGISTRIES = ("py" + "pi.", "pythonhosted" + ".", "npm" + "js.", "crates" + ".io", "proxy.golang" + ".")
MACHINE_PATHS = re.compile(r"(?<![\w.{}*)-])/(?:" + "|".join(("work", "home", "root", "Users")) + r")/\w")

GENERATED = {"__pycache__", "dist", "node_modules", "deployments", "deployed"}
HIDDEN_BUT_OURS = {".chalice", ".ci", ".gitignore", ".github"}
TEXT_SUFFIXES = {
    *(".py", ".toml", ".txt", ".md", ".json", ".jsonl", ".yaml", ".yml", ".cfg"),
    *(".html", ".css", ".js", ".svg"),
}


def iter_files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield every file that is not generated."""
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS
        if hidden or path.name in GENERATED or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from iter_files(path)
        else:
            yield path


def list_paths() -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in iter_files()]


@cache
def parse_all_modules() -> dict[str, ast.Module]:
    """Return every Python file of the tree by its path, those of tests and operations as well."""
    paths = [path for path in list_paths() if path.endswith(".py")]
    return {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in paths}


def find_in_modules(find: Callable[[ast.AST], set[str]]) -> dict[str, set[str]]:
    """Return what is found in each module in which something is."""
    return {path: found for path, tree in parse_all_modules().items() if (found := find(tree))}


def list_text_paths() -> list[str]:
    return [path for path in list_paths() if Path(path).suffix in TEXT_SUFFIXES or "." not in Path(path).name]


def test_every_file_name_has_a_subject() -> None:
    parts = {(path, part.partition(".")[0]) for path in list_paths() for part in path.split("/")}
    assert [path for path, part in sorted(parts) if part in SUBJECTLESS_NAMES] == []


def test_environments_are_ignored_whether_they_are_folders_or_links() -> None:
    # A pattern that ends with a slash is for folders alone, and a link would be committed.
    environments = re.findall(
        r"^(\.\w+)/\.ready:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert environments
    assert [each for each in environments if each not in ignored] == []


def test_app_stays_short() -> None:
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= APP_LINES


def test_packages_have_no_code_in_init() -> None:
    with_code = {path for path, tree in parse_modules().items() if path.endswith("__init__.py") and tree.body}
    assert with_code == set()


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "chalicelib").rglob("*.py")}
    assert [folder.name for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def find_patches(tree: ast.AST) -> set[str]:
    """Return mocks that a module imports or takes, and attributes of the product that it sets."""
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} & {"mocker"}
    targets = {
        ast.unparse(node.args[0]) for name, node in iter_calls(tree) if name == "setattr" and node.args
    }
    ours_patched = {target for target in targets if re.search(r"chalicelib|settings|\bapp\b", target)}
    return find_matching_imports(tree, "unittest.mock", "mock", "pytest_mock") | arguments | ours_patched


def test_nothing_of_the_product_is_patched() -> None:
    assert find_in_modules(find_patches) == {}


def find_shared_draws(tree: ast.AST) -> set[str]:
    """Return the functions of the module `random` that a module calls; a generator of its own is none."""
    imports = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    calls = {ast.unparse(call.func) for _, call in iter_calls(tree)}
    return {each for each in calls if re.fullmatch(r"random\.[a-z]+", each)} if "random" in imports else set()


def test_nothing_draws_from_the_generator_that_a_process_shares() -> None:
    # Hypothesis fails a test during which it is used, by a thread of another test as well.
    assert find_in_modules(find_shared_draws) == {
        "chalicelib/randomness.py": {"random.seed"},
        "tests/test_snapshots.py": {"random.getstate", "random.random", "random.setstate"},
    }


def test_no_package_registry_is_named() -> None:
    named = [
        f"{path}: {registry}"
        for path in list_text_paths()
        for registry in REGISTRIES
        if registry in (ROOT / path).read_text(encoding="utf-8").lower()
    ]
    assert named == []


def test_no_path_of_one_machine_is_named() -> None:
    named = [
        f"{path}: {found.group()}"
        for path in list_text_paths()
        for found in MACHINE_PATHS.finditer((ROOT / path).read_text(encoding="utf-8"))
    ]
    assert named == []
