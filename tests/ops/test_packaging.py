"""The zip is reproducible, compiled, at most 40 MB, and complete with only boto3 beside it."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import get_args
from zipfile import ZipFile

import pytest

from chalicelib.campaigns.model import Zone
from ops.audit.components import list_components
from ops.deploy.packaging import NOT_CODE_PATTERNS, Package, package_app
from ops.project import ROOT
from tests.support.requirements import read_requirements

_LARGEST_BYTES = 40_000_000
_PROVIDED_BY_LAMBDA = (
    "boto3",
    "botocore",
    "s3transfer",
    "urllib3",
    "dateutil",
    "six.py",
    "snapshot_restore_py.py",
)
# For a stage that has the layer (tests/ops/test_parquet_layer.py).
_PROVIDED_BY_A_LAYER = {"duckdb"}


@pytest.fixture(scope="module")
def package_result(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return package_app("local", tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def unpacked_zip(package_result: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("task")
    with ZipFile(package_result.archive) as archive:
        archive.extractall(directory)
    return directory


def test_same_source_gives_the_same_bytes(package_result: Package, tmp_path: Path) -> None:
    assert package_app("local", tmp_path).digest == package_result.digest


def test_zip_has_at_most_40_mb_unpacked(package_result: Package) -> None:
    assert package_result.unpacked_bytes <= _LARGEST_BYTES


def test_zip_has_no_files_that_are_never_code(package_result: Package) -> None:
    with ZipFile(package_result.archive) as archive:
        names = archive.namelist()
    # The caches in the zip are made after those of the dependencies were left out.
    patterns = set(NOT_CODE_PATTERNS) - {"*/__pycache__/*"}
    assert not [name for name in names for pattern in patterns if fnmatch(name, pattern)]


def test_zip_has_no_tests_and_no_tools(unpacked_zip: Path) -> None:
    assert not {"ops", "tests", "examples", "bench", "infra", "boto3"} & {
        path.name for path in unpacked_zip.iterdir()
    }


def test_each_dependency_comes_with_its_licence(unpacked_zip: Path) -> None:
    for requirement in read_requirements():
        name = metadata.metadata(requirement.name)["Name"].replace("-", "_").lower()
        [information] = unpacked_zip.glob(f"{name}-*.dist-info")
        assert [path for path in information.rglob("*") if path.name.upper().startswith(("LICEN", "COPYING"))]


def test_components_of_the_zip_are_the_requirements_and_the_framework(package_result: Package) -> None:
    required = {(_normalise(each.name), each.version) for each in read_requirements()}
    components = {(_normalise(each.name), each.version) for each in list_components(package_result.archive)}
    # Chalice packages its own runtime.
    assert components == required | {("chalice", metadata.version("chalice"))}


def test_our_modules_are_compiled_with_unchecked_hashes(unpacked_zip: Path) -> None:
    for source in [unpacked_zip / "app.py", *(unpacked_zip / "chalicelib").rglob("*.py")]:
        compiled = Path(importlib.util.cache_from_source(str(source)))
        flags = compiled.read_bytes()[4:8]
        assert flags == b"\x01\0\0\0", source


def test_every_import_of_our_code_is_in_the_zip_or_provided_by_lambda(
    unpacked_zip: Path, tmp_path: Path
) -> None:
    for name in _PROVIDED_BY_LAMBDA:
        found = importlib.util.find_spec(name.removesuffix(".py"))
        assert found
        assert found.origin
        origin = Path(found.origin)
        (tmp_path / name).symlink_to(origin if name.endswith(".py") else origin.parent)
    # Pydantic first: other libraries import more once it is loaded.
    imports = ["pydantic", "app", *sorted(set(_imported_modules()) - _PROVIDED_BY_A_LAYER)]
    program = f"import sys; sys.path[:0] = {[str(unpacked_zip), str(tmp_path)]}\n"
    program += "\n".join(f"import {name}" for name in imports)
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, cwd=unpacked_zip, env={})


def test_every_time_zone_of_a_campaign_is_in_the_zip(unpacked_zip: Path) -> None:
    zones = get_args(Zone)
    program = f"import sys, zoneinfo; sys.path.insert(0, {str(unpacked_zip)!r}); zoneinfo.reset_tzpath(())\n"
    program += f"for zone in {zones!r}: zoneinfo.ZoneInfo(zone)"

    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, cwd=unpacked_zip, env={})


def _imported_modules() -> Iterator[str]:
    """Yield every module that our code imports, also inside functions."""
    for source in (ROOT / "chalicelib").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module


def _normalise(name: str) -> str:
    return name.replace("_", "-").lower()
