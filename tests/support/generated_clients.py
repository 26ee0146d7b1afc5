"""Clients generated from the API's description, as integrators generate them, and programs that use them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.project import ROOT

PYTHON_CLIENT = "daftar_client"
PROGRAMS = ROOT / "examples" / "clients"
# `make test` installs the packages of `examples/clients/package.json` here, where there is an npm.
NODE_MODULES = ROOT / ".node" / "node_modules"

_TIMEOUT_SECONDS = 300


def generate_python_client(document: Path, directory: Path) -> Path:
    """Generate the package `daftar_client` in `directory` and return its path. Fail on any warning."""
    settings = directory / "generator.json"
    # Formatting the code would take longer than generating it.
    settings.write_text(json.dumps({"post_hooks": []}))
    package = directory / PYTHON_CLIENT
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--fail-on-warning",
        "--meta",
        "none",
    ]
    command += ["--path", str(document), "--config", str(settings), "--output-path", str(package)]
    run_program(command, directory)
    return package


def build_typescript_program(document: Path, directory: Path) -> Path:
    """Generate types, check and compile the example program against them, and return what Node runs."""
    for name in ("register_worker.ts", "package.json", "tsconfig.json"):
        shutil.copy(PROGRAMS / name, directory)
    (directory / "node_modules").symlink_to(NODE_MODULES)
    generator = NODE_MODULES / "openapi-typescript" / "bin" / "cli.js"
    run_program(["node", str(generator), str(document), "--output", "daftar.d.ts"], directory)
    run_program(["node", str(NODE_MODULES / "typescript" / "bin" / "tsc")], directory)
    return directory / "register_worker.js"


def run_program(
    command: Sequence[str],
    directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
    expected_status: int = 0,
) -> str:
    """Run a program in `directory` and return its standard output. Fail on another exit status."""
    result = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "NO_PROXY": "127.0.0.1", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    assert result.returncode == expected_status, result.stdout + result.stderr
    return result.stdout
