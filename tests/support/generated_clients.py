"""Clients generated from the API's description, as integrators generate them."""

import json
import subprocess
import sys
from pathlib import Path

PYTHON_CLIENT = "daftar_client"


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
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return package
