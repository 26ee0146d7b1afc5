"""Make the zips that are compared, and unpack them as Lambda does."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from ops.deploy.packaging import package_app
from ops.programs import run_program
from ops.project import REGION, ROOT

_BARE = ROOT / "bench" / "bare"


@dataclass(frozen=True)
class UnpackedZips:
    """The directories of the unpacked zips."""

    ours: Path
    bare: Path
    bare_compiled: Path


def unpack_zips(work_dir: Path) -> UnpackedZips:
    """Unpack our zip, the bare handler as `chalice package` makes it, and the same with compiled bytecode.

    Ours has compiled bytecode, so the third shows the difference that is not due to it.
    """
    ours = unpack_ours(work_dir)
    bare = _extract(_package_bare(work_dir / "bare-package"), work_dir / "bare")
    bare_compiled = _extract(work_dir / "bare-package" / "deployment.zip", work_dir / "bare-compiled")
    command: list[str | Path] = [sys.executable, "-m", "compileall", "-q"]
    command += ["--invalidation-mode", "unchecked-hash", bare_compiled]
    run_program(command, cwd=bare_compiled, environment={})
    return UnpackedZips(ours, bare, bare_compiled)


def unpack_ours(work_dir: Path) -> Path:
    """Unpack our zip, and return the directory."""
    return _extract(package_app("local", work_dir / "package").archive, work_dir / "ours")


def measure_size(directory: Path) -> int:
    """Return the size of all files under a directory, in bytes."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _package_bare(output_dir: Path) -> Path:
    # Chalice writes into the directory of the project.
    project = Path(shutil.copytree(_BARE, output_dir / "project"))
    command: list[str | Path] = [
        Path(sys.executable).with_name("chalice"),
        "package",
        "--stage",
        "bench",
        output_dir,
    ]
    run_program(command, cwd=project, environment={**os.environ, "AWS_DEFAULT_REGION": REGION})
    return output_dir / "deployment.zip"


def _extract(archive: Path, directory: Path) -> Path:
    with ZipFile(archive) as packed:
        packed.extractall(directory)
    return directory
