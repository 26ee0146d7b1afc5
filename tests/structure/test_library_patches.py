"""Uses of libraries' private parts: each is listed, with the version that it was written for."""

import ast
import json
import subprocess
from functools import cache
from importlib import import_module
from importlib.metadata import version

import pytest

from ops.library_patches import LIBRARY_PATCHES, MINISTACK_PATCH, LibraryPatch
from ops.local.emulator import VERSION
from ops.project import ROOT
from tests.support.requirements import read_requirements
from tests.support.source_tree import find_imports

_EMULATOR_PYTHON = ROOT / ".emulator" / "bin" / "python"
_OUR_PATCHES = [patch for patch in LIBRARY_PATCHES if patch is not MINISTACK_PATCH]

# Run by the emulator's interpreter, since ministack is not in our environment.
_FIND_MISSING_NAMES = """
import json, sys
from importlib import import_module
missing = []
for name in json.loads(sys.argv[1]):
    module, _, attribute = name.rpartition(".")
    if not hasattr(import_module(module), attribute):
        missing.append(name)
print(json.dumps(missing))
"""


def identify(patch: LibraryPatch) -> str:
    return f"{patch.library}: {patch.files[0]}"


def resolve(name: str) -> object:
    """Return the object of a dotted name. Raises ImportError or AttributeError."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            value: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            value = getattr(value, part)
        return value
    raise ImportError(name)


@cache
def find_imports_by_file() -> dict[str, set[str]]:
    """Return the imports of every Python file of the repository."""
    paths = [ROOT / "app.py"]
    for root in ("chalicelib", "ops", "bench", "tests"):
        paths += (ROOT / root).rglob("*.py")
    return {
        path.relative_to(ROOT).as_posix(): find_imports(ast.parse(path.read_text(encoding="utf-8")))
        for path in paths
    }


@pytest.mark.parametrize("patch", _OUR_PATCHES, ids=identify)
def test_the_installed_version_is_the_listed_one(patch: LibraryPatch) -> None:
    assert version(patch.library) == patch.version, f"check {patch.files}, then change the version"


@pytest.mark.parametrize("patch", _OUR_PATCHES, ids=identify)
def test_the_listed_names_exist(patch: LibraryPatch) -> None:
    for name in patch.names:
        assert resolve(name) is not None


def test_ministack_has_the_listed_version_and_names() -> None:
    required = {
        each.name: each.version for each in read_requirements(ROOT / "ops" / "local" / "requirements.txt")
    }
    assert required["ministack"] == MINISTACK_PATCH.version
    assert MINISTACK_PATCH.version == VERSION
    command = [
        str(_EMULATOR_PYTHON),
        "-P",
        "-c",
        _FIND_MISSING_NAMES,
        json.dumps(MINISTACK_PATCH.names),
    ]
    completed = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")
    assert json.loads(completed.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize("patch", [patch for patch in LIBRARY_PATCHES if patch.modules], ids=identify)
def test_only_the_listed_files_import_the_patched_modules(patch: LibraryPatch) -> None:
    importing = {
        path
        for path, imports in find_imports_by_file().items()
        if any(f"{name}.".startswith(f"{module}.") for name in imports for module in patch.modules)
    }
    assert importing <= set(patch.files)


@pytest.mark.parametrize("patch", LIBRARY_PATCHES, ids=identify)
def test_the_listed_files_exist(patch: LibraryPatch) -> None:
    assert [path for path in patch.files if not (ROOT / path).exists()] == []
