"""Make the zip and the template of a stage, for AWS and for the emulator alike.

The same source gives the same bytes, so deploying it a second time changes nothing. Chalice makes the
template and packs our code and its own. The libraries are fetched for the Python and the processor that run
them.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import click

from infra.template import join_template
from ops.deploy import sms_templates
from ops.deploy.api_functions import split_api
from ops.deploy.libraries import fetch_libraries
from ops.deploy.releases import iter_functions, point_api_at_aliases
from ops.deploy.runtimes import Target, find_own_target, find_target
from ops.deploy.service_models import write_service_models
from ops.odk.xform import write_xform
from ops.openapi.page import write_page
from ops.programs import run_program
from ops.project import REGION, ROOT

# Files of our dependencies that are never code of a running program, and the few large packages that nothing
# here imports. What else is unused stays: it costs no time at a cold start.
NOT_CODE_PATTERNS = {
    "*.pyi": "stubs, which type checkers read",
    "*/py.typed": "markers for type checkers",
    "*/SelfTest/*": "tests",
    "*/tests/*": "tests",
    "*/test_*.py": "tests",
    "cffi/*": "a compiler; a running program imports `_cffi_backend` alone",
    "pydantic/v1/*": "the release before, for programs that still use it",
    "aws_lambda_powertools/event_handler/*": "a router with its pages; ours is Chalice's",
    "aws_lambda_powertools/utilities/auth_alpha/*": "tokens for that router",
    "aws_lambda_powertools/utilities/circuit_breaker/*": "ours stands at each gateway",
    "aws_lambda_powertools/utilities/feature_flags/*": "a stage's settings are its parameters",
    "aws_lambda_powertools/utilities/idempotency/*": "ours is in the transaction of a capture",
    "aws_lambda_powertools/utilities/parameters/*": "readers of secrets, for which there is the SDK",
    "*/__pycache__/*": "caches of another Python; the sources are compiled again here",
    "bin/*": "programs for the command line",
    "*.data/*": "programs for the command line, and documentation",
    "*.dist-info/RECORD": "a list of files that is wrong once some are left out",
    "*.dist-info/METADATA": "mostly the README; the licences stay",
    "*.dist-info/WHEEL": "what installers read, and it names the processor",
    "*.dist-info/INSTALLER": "what installers write",
    "*.dist-info/REQUESTED": "what installers write",
    "*.dist-info/sboms/*": "lists of components, which scanners read",
}

_TASK_ROOT = "/var/task"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class Package:
    """A packaged application: `deployment.zip` and the CloudFormation template that goes with it."""

    archive: Path
    template: dict[str, Any]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the zip, in hexadecimal."""
        return sha256(self.archive.read_bytes()).hexdigest()

    @property
    def unpacked_bytes(self) -> int:
        """Return the size of what Lambda unpacks before a cold start."""
        with ZipFile(self.archive) as archive:
            return sum(entry.file_size for entry in archive.infolist())


def package_app(stage: str, output_dir: Path) -> Package:
    """Write the zip and the template of a stage to `output_dir`.

    Raise TemplateInvalid for an SMS template that may not be published, and OperationError with Chalice's
    message if it fails.
    """
    sms_templates.check_templates()
    target = find_target(stage)
    output_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as directory:
        work_dir = Path(directory)
        chalice_dir = _run_chalice_package(stage, work_dir)
        template = _remove_stray_subs(json.loads((chalice_dir / "sam.json").read_text()))
        split_api(template)
        _set_target(template, target)
        point_api_at_aliases(template)
        tree = work_dir / "tree"
        copy_code(fetch_libraries(target), tree)
        _unpack_code(chalice_dir / "deployment.zip", tree)
        write_page(tree)
        write_xform(tree)
        write_service_models(tree)
        _compile(tree, target)
        pack(tree, output_dir / "deployment.zip")
    (output_dir / "template.json").write_text(json.dumps(template, indent=1) + "\n")
    return Package(output_dir / "deployment.zip", template)


def _run_chalice_package(stage: str, work_dir: Path) -> Path:
    """Return the directory with Chalice's zip and its template, everything of `infra/` merged into it."""
    merged = work_dir / "infra.json"
    merged.write_text(json.dumps(join_template()))
    # Without a requirements.txt, because Chalice would fetch the libraries for the Python that runs it.
    project_dir, output_dir = work_dir / "project", work_dir / "chalice"
    project_dir.mkdir()
    for name in ("app.py", "chalicelib"):
        (project_dir / name).symlink_to(ROOT / name)
    (project_dir / ".chalice").mkdir()
    shutil.copy(ROOT / ".chalice" / "config.json", project_dir / ".chalice")
    command: list[str | Path] = [Path(sys.executable).with_name("chalice"), "package", "--stage", stage]
    command += ["--merge-template", merged, "--template-format", "json", output_dir]
    run_program(command, cwd=project_dir, environment={**os.environ, "AWS_DEFAULT_REGION": REGION})
    return output_dir


def _remove_stray_subs(value: Any) -> Any:
    """Return the template without the `Fn::Sub` of Chalice that merging leaves beside our `Fn::GetAtt`."""
    if isinstance(value, dict):
        stray = {"Fn::Sub"} if "Fn::GetAtt" in value else set()
        return {key: _remove_stray_subs(inner) for key, inner in value.items() if key not in stray}
    if isinstance(value, list):
        return [_remove_stray_subs(inner) for inner in value]
    return value


def _set_target(template: dict[str, Any], target: Target) -> None:
    """Name the Python and the processor of the libraries; Chalice names those of this machine."""
    for _, properties in iter_functions(template):
        properties |= {"Runtime": target.runtime, "Architectures": [target.architecture]}


def copy_code(libraries: Path, tree: Path) -> None:
    """Copy the files of libraries that a running program needs."""
    for path in _iter_files(libraries):
        name = path.relative_to(libraries).as_posix()
        if _is_code(name):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, tree / name)


def _unpack_code(archive: Path, tree: Path) -> None:
    with ZipFile(archive) as zip_file:
        zip_file.extractall(tree, [name for name in zip_file.namelist() if _is_code(name)])


def _is_code(name: str) -> bool:
    return not any(fnmatch(name, pattern) for pattern in NOT_CODE_PATTERNS)


def find_compiler(target: Target) -> Path | None:
    """Return an interpreter whose bytecode the Python of `target` reads, None if this machine has none."""
    if target.python == find_own_target().python:
        return Path(sys.executable)
    found = shutil.which(target.runtime)
    # What is on the PATH may be a stand-in for a Python that is not installed.
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    result = found and subprocess.run([found, "-c", program], capture_output=True, text=True, check=False)
    return Path(found) if found and result and result.stdout.strip() == target.python else None


def _compile(tree: Path, target: Target) -> None:
    """Compile for the Python of `target`; without one here, Lambda compiles at each start without a snapshot.

    Lambda cannot write its task directory: without bytecode, each cold start would compile again. The hash is
    unchecked because the files never change there. A fresh interpreter, a fixed hash seed and one worker keep
    the bytes the same.
    """
    compiler = find_compiler(target)
    if compiler is None:
        return
    command: list[str | Path] = [compiler, "-m", "compileall", "-q"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", tree, "-p", _TASK_ROOT, tree]
    run_program(command, cwd=tree, environment={"PYTHONHASHSEED": "0"})


def pack(tree: Path, archive: Path) -> None:
    """Write the files of a directory into a zip. Equal files give equal bytes."""
    with ZipFile(archive, "w") as zip_file:
        for path in _iter_files(tree):
            entry = ZipInfo(path.relative_to(tree).as_posix(), _EPOCH)
            entry.external_attr = 0o644 << 16
            zip_file.writestr(entry, path.read_bytes(), ZIP_DEFLATED, _COMPRESSION_LEVEL)


def _iter_files(tree: Path) -> Iterator[Path]:
    return (path for path in sorted(tree.rglob("*")) if path.is_file())


@click.command()
@click.option("--stage", default="prod", show_default=True)
@click.argument("out", type=click.Path(path_type=Path))
def main(stage: str, out: Path) -> None:
    """Package a stage into the directory OUT."""
    package = package_app(stage, out)
    megabytes = package.unpacked_bytes / 1e6
    click.echo(f"{package.archive}: {megabytes:.1f} MB unpacked, sha256 {package.digest[:12]}")


if __name__ == "__main__":
    main()
