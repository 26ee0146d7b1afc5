"""Background programs: they run while they hold their lock, and are stopped with all their children."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.errors import OperationError
from ops.local.processes import Program, exclusive_lock, is_port_free
from ops.programs import run_program
from ops.project import LOOPBACK
from tests.support.ports import find_free_port

_ENVIRONMENT = {"PATH": os.defpath}
_SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program("sleeper", tmp_path)
    yield program
    program.stop(timeout_seconds=0)


def test_a_program_runs_until_it_is_stopped(program: Program) -> None:
    assert not program.is_running()
    program.start(_SLEEPER, _ENVIRONMENT)
    assert program.is_running()
    program.stop()
    assert not program.is_running()


def test_another_process_can_find_and_stop_a_program(program: Program, tmp_path: Path) -> None:
    program.start(_SLEEPER, _ENVIRONMENT)
    other = Program("sleeper", tmp_path)
    assert other.is_running()
    other.stop()
    assert not program.is_running()


def test_a_program_does_not_start_twice(program: Program, tmp_path: Path) -> None:
    program.start(_SLEEPER, _ENVIRONMENT)
    with pytest.raises(OperationError, match="running already"):
        Program("sleeper", tmp_path).start(_SLEEPER, _ENVIRONMENT)


def test_a_process_id_of_an_ended_program_is_not_signalled(program: Program, tmp_path: Path) -> None:
    (tmp_path / "sleeper.pid").write_text(f"{os.getpid()}\n")
    assert not program.is_running()
    program.stop()


def test_a_program_gets_only_the_given_environment(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKED", "1")
    program.start([sys.executable, "-c", "import os; print(sorted(os.environ))"], {"GIVEN": "1"})
    while program.is_running():
        time.sleep(0.01)
    assert "GIVEN" in program.log.read_text()
    assert "LEAKED" not in program.log.read_text()


def test_a_program_that_ignores_sigterm_is_killed(program: Program, tmp_path: Path) -> None:
    ignoring = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True)"
    )
    program.start([sys.executable, "-c", f"{ignoring}; time.sleep(600)"], _ENVIRONMENT)
    while "ready" not in program.log.read_text():
        time.sleep(0.01)
    program.stop(timeout_seconds=0)
    assert not program.is_running()


def test_children_of_a_program_end_with_it(program: Program, tmp_path: Path) -> None:
    # The child holds a lock of its own, which shows when it has ended.
    child = f"import fcntl, time; f = open({str(tmp_path / 'child')!r}, 'a'); fcntl.flock(f, fcntl.LOCK_EX)"
    child += "; print('locked', flush=True); time.sleep(600)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    program.start([sys.executable, "-c", parent], _ENVIRONMENT)
    while "locked" not in program.log.read_text():
        time.sleep(0.01)
    program.stop()
    with exclusive_lock(tmp_path / "child", "the child still runs"):
        pass


def test_the_log_of_a_program_that_does_not_start_is_quoted(program: Program) -> None:
    program.start([sys.executable, "-c", "print('no such table')"], _ENVIRONMENT)
    with pytest.raises(OperationError, match="no such table"):
        program.await_health(f"http://{LOOPBACK}:1/", timeout_seconds=30)


def test_a_port_with_a_listener_is_not_free() -> None:
    port = find_free_port()
    with socket.create_server((LOOPBACK, port)):
        assert not is_port_free(port)
    assert is_port_free(port)


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    def take() -> None:
        with exclusive_lock(tmp_path / "lock", "taken"):
            pass

    with exclusive_lock(tmp_path / "lock", "taken"), pytest.raises(OperationError, match="taken"):
        take()
    take()


def test_the_output_of_a_failing_program_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="out of paper"):
        run_program(["/bin/sh", "-c", "echo out of paper; exit 3"], cwd=tmp_path, environment=_ENVIRONMENT)
