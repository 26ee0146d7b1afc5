"""The zip for Lambda has the libraries of Lambda's Python and processor, and is otherwise the local one."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

from ops.deploy.packaging import Package, find_compiler, package_app
from ops.deploy.runtimes import LAMBDA, Target, find_own_target

# The field e_machine of ELF.
_MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return package_app("prod", tmp_path_factory.mktemp("package"))


def read_files(package: Package) -> Mapping[str, bytes]:
    """Return the content of a zip without bytecode, which each Python has its own of."""
    with ZipFile(package.archive) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "/__pycache__/" not in f"/{name}"}


def test_the_zips_of_lambda_and_of_this_machine_differ_in_compiled_libraries_alone(
    package: Package, tmp_path: Path
) -> None:
    ours, here = read_files(package), read_files(package_app("local", tmp_path))
    different = {name for name in {*ours, *here} if ours.get(name) != here.get(name)}
    assert different
    assert [name for name in different if not name.endswith((".so", ".dylib"))] == []


def test_compiled_libraries_of_the_zip_run_on_its_python_and_processor(package: Package) -> None:
    compiled = {name: content for name, content in read_files(package).items() if name.endswith(".so")}
    assert compiled
    for name, content in compiled.items():
        assert content[:4] == b"\x7fELF", name
        assert int.from_bytes(content[18:20], "little") == _MACHINES[LAMBDA.architecture], name
        assert f".cpython-{LAMBDA.python.replace('.', '')}-" in name or ".abi3." in name, name


def test_the_python_that_packages_compiles_for_itself() -> None:
    assert find_compiler(find_own_target()) == Path(sys.executable)


def test_a_stand_in_for_a_python_that_is_not_installed_compiles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "python3.99"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for program in ("echo 3.98", "exit 127"):
        stand_in.write_text(f"#!/bin/sh\n{program}\n")
        stand_in.chmod(0o755)
        assert find_compiler(Target("3.99", "arm64")) is None
    stand_in.write_text("#!/bin/sh\necho 3.99\n")
    assert find_compiler(Target("3.99", "arm64")) == stand_in
