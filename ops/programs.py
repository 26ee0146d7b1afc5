"""Run programs of this repository in the foreground, and send signals to processes."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ops.errors import OperationError

_QUOTED_OUTPUT_CHARACTERS = 4000


def run_program(command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str]) -> None:
    """Run a program until it ends. Kill it and its children if this process is interrupted.

    Raise OperationError, with the end of the program's output, if it fails.
    """
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(environment),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        try:
            output, _ = child.communicate()
        except BaseException:
            send_signal(os.killpg, child.pid, signal.SIGKILL)
            raise
    if child.returncode:
        quoted = output.strip()[-_QUOTED_OUTPUT_CHARACTERS:]
        raise OperationError(f"{' '.join(map(str, command))} failed:\n{quoted}")


def send_signal(kill: Callable[[int, int], None], pid: int, signal_number: signal.Signals) -> bool:
    """Send a signal by `os.kill` or `os.killpg`. Return False if no such process exists."""
    try:
        kill(pid, signal_number)
    except ProcessLookupError:
        return False
    return True
