"""Calls of the web app's rules, run by Node."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_PROCESS = Path(__file__).parents[1] / "web" / "rules_process.mjs"


class JavaScriptRules:
    """Calls functions of the modules in `static/rules` in one process of Node."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def call(self, module: str, name: str, *arguments: Any) -> Any:
        """Return the result of a function of a module; an undefined one is None."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # In ASCII: lone surrogates are no UTF-8, and a browser has them too.
        self._process.stdin.write(json.dumps([module, name, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"{module} {name} failed in Node"
        return json.loads(answer)["result"]


def run_rules() -> Iterator[JavaScriptRules]:
    """Yield the rules in a running process, and stop it. Skip the test where Node is not installed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip(
            "Node is not installed: the rules of the web app need it to be compared with the server's"
        )
    with subprocess.Popen(
        [node, str(_PROCESS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield JavaScriptRules(process)
        assert process.stdin is not None
        process.stdin.close()
