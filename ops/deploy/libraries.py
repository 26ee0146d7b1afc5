"""Fetch libraries of the zip or of a layer, as wheels for the Python and the processor that run them."""

import fcntl
import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path

from ops.deploy.runtimes import Target, find_own_target
from ops.programs import run_program
from ops.project import ROOT

# git ignores it, and `make clean` removes it.
_STORE = ROOT / ".chalice" / "deployments"
_REQUIREMENTS = ROOT / "requirements.txt"


def fetch_libraries(target: Target, requirements: Path = _REQUIREMENTS) -> Path:
    """Return a directory with the libraries of a file of requirements. They are fetched once.

    pip checks the hash of every wheel. Raise OperationError with its message if `target` has no wheel of one.
    """
    digest = sha256(requirements.read_bytes()).hexdigest()[:16]
    directory = _STORE / f"libraries-{target.runtime}-{target.architecture}-{digest}"
    _STORE.mkdir(parents=True, exist_ok=True)
    # Several packagings at once, as tests do them, fetch the libraries once.
    with requirements.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            draft = directory.with_suffix(".draft")
            shutil.rmtree(draft, ignore_errors=True)
            _install(target, draft, requirements)
            draft.rename(directory)
    return directory


def _install(target: Target, directory: Path, requirements: Path) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    command += ["--target", directory, "--no-deps", "--no-compile", "--only-binary", ":all:"]
    command += ["--require-hashes", "--requirement", requirements]
    if target != find_own_target():
        command += ["--python-version", target.python, "--implementation", "cp"]
        command += [option for each in target.wheel_platforms for option in ("--platform", each)]
    run_program(command, cwd=ROOT, environment=os.environ)
