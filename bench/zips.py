"""The zips that are compared, unpacked as Lambda unpacks them."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from ops.emulator import REGION, ROOT
from ops.packaging import package
from ops.processes import run_to_end

_BARE = ROOT / "bench" / "bare"


@dataclass(frozen=True)
class Zips:
    """Where each zip was unpacked."""

    ours: Path
    bare: Path
    bare_compiled: Path


def unpacked(work: Path) -> Zips:
    """Package ours as it is deployed, and the bare handler exactly as `chalice package` makes it.

    A third is the bare one with its bytecode compiled as ours is, so that ours has no advantage from that.
    """
    ours = _extracted(package("local", work / "package").archive, work / "ours")
    bare = _extracted(_bare_archive(work / "bare-package"), work / "bare")
    bare_compiled = _extracted(work / "bare-package" / "deployment.zip", work / "bare-compiled")
    command: list[str | Path] = [sys.executable, "-m", "compileall", "-q"]
    command += ["--invalidation-mode", "unchecked-hash", bare_compiled]
    run_to_end(command, cwd=bare_compiled, environment={})
    return Zips(ours, bare, bare_compiled)


def size(tree: Path) -> int:
    """The bytes of every file under a directory."""
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())


def _bare_archive(out: Path) -> Path:
    # Chalice writes into the project's own directory.
    project = Path(shutil.copytree(_BARE, out / "project"))
    command: list[str | Path] = [
        Path(sys.executable).with_name("chalice"),
        "package",
        "--stage",
        "bench",
        out,
    ]
    run_to_end(command, cwd=project, environment={**os.environ, "AWS_DEFAULT_REGION": REGION})
    return out / "deployment.zip"


def _extracted(archive: Path, tree: Path) -> Path:
    with ZipFile(archive) as packed:
        packed.extractall(tree)
    return tree
