"""Find the local stack that a command works on."""

import os
import re
from pathlib import Path

import click

from ops.errors import StackUnavailable
from ops.local.description import StackDescription
from ops.local.stack import STACK_PORTS, LocalStack
from ops.project import ROOT

_DEFAULT_PORT = 8320
_MAX_PORT = 65_536 - STACK_PORTS


def make_local_stack() -> LocalStack:
    """Return the local stack on DAFTAR_PORT."""
    text = os.environ.get("DAFTAR_PORT") or str(_DEFAULT_PORT)
    if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) <= _MAX_PORT:
        raise click.UsageError(f"DAFTAR_PORT is a number from 1 to {_MAX_PORT}, not {text!r}")
    return LocalStack(port=int(text), directory=_find_local_dir())


def find_local_stack() -> LocalStack:
    """Return the local stack on DAFTAR_PORT or, if that is not set, the one started last."""
    description_file = _find_local_dir() / "stack.json"
    if os.environ.get("DAFTAR_PORT") or not description_file.exists():
        return make_local_stack()
    try:
        port = StackDescription.from_file(description_file).port
    except StackUnavailable:
        # A command must be able to stop a stack whose description is damaged.
        return make_local_stack()
    return LocalStack(port=port or _DEFAULT_PORT, directory=_find_local_dir())


def describe_local_stack() -> StackDescription:
    """Return the description of the running local stack. Raise StackUnavailable."""
    return find_local_stack().describe()


def _find_local_dir() -> Path:
    # An empty variable is one that was not set: the current directory is nobody's choice.
    return Path(os.environ.get("DAFTAR_LOCAL_DIR") or ROOT / ".local").resolve()
