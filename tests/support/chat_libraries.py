"""The verdicts of aiogram and pywa, which live in a virtual environment of their own."""

import json
import subprocess
from collections.abc import Iterable
from typing import Any

from ops.project import ROOT
from tests.support.fake_chat import Received

_INTERPRETER = ROOT / ".bots" / "bin" / "python"
_PROGRAM = ROOT / "tests" / "support" / "bot_judge.py"


def judge(kind: str, values: Iterable[Any]) -> list[dict[str, Any]]:
    """Return what the libraries read of `update`, `call` or `webhook` values; each must be accepted."""
    assert _INTERPRETER.exists(), "aiogram and pywa are not installed: make .bots/.ready"
    lines = "".join(json.dumps({"kind": kind, "value": value}) + "\n" for value in values)
    done = subprocess.run(
        [_INTERPRETER, "-P", _PROGRAM], input=lines, capture_output=True, text=True, check=True, timeout=120
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def judge_webhooks(received: Iterable[Received], app_secret: str) -> list[dict[str, Any]]:
    """Return what pywa reads of webhooks, after its check of their signatures."""
    return judge(
        "webhook",
        [
            {
                "body": each.body.decode(),
                "signature": each.headers["X-Hub-Signature-256"],
                "app_secret": app_secret,
            }
            for each in received
        ],
    )
