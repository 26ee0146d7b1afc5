"""Find the local stack that a command works on."""

import json
import os
from pathlib import Path

import click
import httpx

from ops.local.stack import LocalStack
from ops.project import ROOT

_DEFAULT_PORT = 8320


def make_local_stack() -> LocalStack:
    """Return the local stack on DAFTAR_PORT."""
    port = os.environ.get("DAFTAR_PORT", str(_DEFAULT_PORT))
    if not port.isdecimal():
        raise click.UsageError(f"DAFTAR_PORT is a number, not {port!r}")
    return LocalStack(port=int(port), directory=_find_local_dir())


def find_local_stack() -> LocalStack:
    """Return the local stack on DAFTAR_PORT or, if that is not set, the one started last."""
    description_file = _find_local_dir() / "stack.json"
    if "DAFTAR_PORT" in os.environ or not description_file.exists():
        return make_local_stack()
    url = httpx.URL(json.loads(description_file.read_text())["aws_endpoint_url"])
    return LocalStack(port=url.port or _DEFAULT_PORT, directory=_find_local_dir())


def _find_local_dir() -> Path:
    return Path(os.environ.get("DAFTAR_LOCAL_DIR", ROOT / ".local")).resolve()
