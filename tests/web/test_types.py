"""The types of the web app's scripts, as its JSDoc comments declare them, checked by TypeScript."""

import subprocess
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT

COMPILER = ROOT / ".node/node_modules/typescript/bin/tsc"
PROJECT = Path(__file__).with_name("tsconfig.json")


def test_scripts_have_no_type_errors() -> None:
    if not COMPILER.exists():
        pytest.skip("npm could not install TypeScript (make .node/.ready)")
    check = subprocess.run(
        ["node", COMPILER, "--project", PROJECT], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout
