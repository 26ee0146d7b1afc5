"""`daftar register` as a process: Ctrl-C ends it at once, with advice, while the API does not answer."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Event

import pytest

from ops.http_server import RequestHandler
from ops.project import LOOPBACK, ROOT
from tests.ops.command_lines import CAPTURES
from tests.ops.local_programs import make_description, running_programs
from tests.support.http_server import serve_in_background
from tests.support.ports import find_free_stack_port


class _Unavailable(RequestHandler):
    """An API that is healthy and registers nothing."""

    was_asked = Event()

    def do_GET(self) -> None:
        self.send(200, "application/json", b"{}")

    def do_POST(self) -> None:
        self.read_body()
        self.was_asked.set()
        self.send(503, "application/problem+json", b"{}", {"Retry-After": "60"})


@pytest.mark.parametrize(
    "signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name
)
def test_a_signal_ends_the_attempts_and_says_what_to_do(
    signal_number: signal.Signals, tmp_path: Path
) -> None:
    port = find_free_stack_port()
    description = json.dumps(asdict(make_description(f"http://{LOOPBACK}:{port}")))
    _Unavailable.was_asked.clear()
    server = ThreadingHTTPServer((LOOPBACK, port), _Unavailable)
    with serve_in_background(server), running_programs(tmp_path, port, description):
        register = subprocess.Popen(
            [sys.executable, "-m", "ops.cli", "register", CAPTURES, "--json"],
            cwd=ROOT,
            env=os.environ | {"DAFTAR_LOCAL_DIR": str(tmp_path), "DAFTAR_PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert _Unavailable.was_asked.wait(30)
        register.send_signal(signal_number)
        output, messages = register.communicate(timeout=10)

    assert register.returncode == 130
    assert json.loads(output)["error"]["code"] == "interrupted"
    assert messages.endswith("Error: interrupted: send the files again, which repeats nothing\n")
    assert "Traceback" not in messages
