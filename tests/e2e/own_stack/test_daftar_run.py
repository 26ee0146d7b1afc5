"""`daftar run` as a person meets it: from nothing to the market day, Ctrl-C, and again."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.local.processes import is_port_free
from ops.project import ROOT

pytestmark = pytest.mark.e2e

_READY = "Up until you press Ctrl-C."


class Run:
    """One `daftar run` in a process of its own."""

    def __init__(self, port: int, local: Path) -> None:
        self._output = local / "output.txt"
        environment = os.environ | {"DAFTAR_PORT": str(port), "DAFTAR_LOCAL_DIR": str(local)}
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ops.cli", "run"],
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def until(self, condition: Callable[[], bool]) -> str:
        """Wait for something, and say what it has printed by then."""
        while not condition():
            assert self._process.poll() is None, self.printed()
            time.sleep(0.1)
        return self.printed()

    def printed(self) -> str:
        """What it has printed so far."""
        return self._output.read_text()

    def is_ready(self) -> bool:
        """Whether it has shown everything."""
        return _READY in self.printed()

    def interrupt(self) -> int:
        """Press Ctrl-C; its exit status."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=60)


def _processes_of(local: Path) -> list[str]:
    """Command lines that mention the stack's directory, where the system lets us look."""
    commands = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(file.read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # It has ended meanwhile.
            continue
    return [command for command in commands if str(local) in command]


def _is_gone(port: int, local: Path) -> bool:
    return is_port_free(port) and is_port_free(port + 1) and not _processes_of(local)


def _row(name: str, printed: str) -> list[int]:
    found = re.search(rf"│ {name} +│(.*)│", printed)
    assert found, f"no row {name} in:\n{printed}"
    return [int(cell) for cell in found[1].split("│")]


def test_market_day_is_shown_and_a_second_run_sends_no_sms_again(
    new_stack_location: Callable[[], tuple[int, Path]],
) -> None:
    port, local = new_stack_location()
    texts = local / f"port-{port}" / "sms.jsonl"

    first = Run(port, local)
    printed = first.until(first.is_ready)
    assert (local / "stack.json").stat().st_mode & 0o777 == 0o600
    assert first.interrupt() == 0
    created = _row("created", printed)[-1]
    assert created >= 300
    assert len(texts.read_text().splitlines()) == created + 1
    assert _row("captures", printed) == [187, 168]
    assert _row("telegram", printed) == [0, 1], "a worker registered by Telegram beside the vans' market day"
    assert "(phones on which to chat with the bot)" in printed
    assert "4 mails to managers" in printed, "two managers, two days"
    assert _is_gone(port, local)
    assert not (local / "stack.json").exists()

    second = Run(port, local)
    printed = second.until(second.is_ready)
    assert second.interrupt() == 0
    assert "created  " not in printed.partition("lines sent")[0]
    assert len(texts.read_text().splitlines()) == created + 1
    assert _row("captures", printed) == [187, 168]
    assert _row("telegram", printed) == [0, 1]
    assert "4 mails to managers" in printed


@pytest.mark.parametrize("moment", ["fake-sms.pid", "fake-chat.pid", "emulator.pid", "tokens.json"])
def test_interrupted_while_starting_it_leaves_nothing_running(
    moment: str, new_stack_location: Callable[[], tuple[int, Path]]
) -> None:
    port, local = new_stack_location()
    run = Run(port, local)
    run.until((local / f"port-{port}" / moment).exists)

    assert run.interrupt() != 0
    assert _is_gone(port, local)
    assert not (local / "stack.json").exists()
