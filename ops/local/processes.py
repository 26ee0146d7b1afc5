"""Background programs of a local stack: start them, check that they run, stop them by process id."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx

from ops.errors import OperationError
from ops.programs import send_signal
from ops.project import LOOPBACK

_POLL_SECONDS = 0.05
_GROUP_EXIT_SECONDS = 2


class Program:
    """A background program with a pid file and a log file in `home`.

    The program inherits a lock on its pid file, and no other process holds that lock. The lock is therefore
    held exactly while the program runs: a stale file or a reused process id cannot be mistaken for it.
    """

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.log = home / f"{name}.log"
        self._pid_file = home / f"{name}.pid"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start the program in a new session, with only this environment.

        Raise OperationError if it runs already.
        """
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self._pid_file.open("a") as lock, self.log.open("ab") as log:
            if not _try_lock(lock.fileno()):
                raise OperationError(f"the {self.name} is running already")
            lock.truncate(0)  # Remove the id of an earlier program that has ended.
            # The child writes its own id before it becomes the program: if a signal ends this process in
            # between, `stop` can still find the child.
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", 'echo $$ >"$0"; exec "$@"', self._pid_file, *command],
                env=dict(environment),
                pass_fds=(lock.fileno(),),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def is_running(self) -> bool:
        """Return True if the program runs, whichever process started it."""
        if not self._pid_file.exists():
            return False
        with self._pid_file.open("a") as lock:
            return not _try_lock(lock.fileno())

    def await_health(self, url: str, *, timeout_seconds: float) -> httpx.Response:
        """Return the first successful response from `url`.

        Raise OperationError, with the end of the log, if there is none.
        """
        deadline = time.monotonic() + timeout_seconds
        while self.is_running() and time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(url, timeout=2, trust_env=False).raise_for_status()
            time.sleep(_POLL_SECONDS)
        raise OperationError(f"the {self.name} did not start: {self._read_log_tail()}")

    def stop(self, *, timeout_seconds: float = 30) -> None:
        """Send SIGTERM, wait until the program has ended, and send SIGKILL after the timeout."""
        deadline = time.monotonic() + timeout_seconds
        pid = None
        while self.is_running():
            # For a moment the program runs and has not written its id.
            if pid is None and (written := self._pid_file.read_text().strip()):
                pid = int(written)
                send_signal(os.kill, pid, signal.SIGTERM)
            elif pid is not None and time.monotonic() > deadline:
                send_signal(os.kill, pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        if self._process is not None:
            self._process.wait()
            self._process = None
        if pid is not None:
            _kill_group(pid)
        self._pid_file.unlink(missing_ok=True)

    def _read_log_tail(self) -> str:
        return self.log.read_text(errors="replace").strip()[-2000:] or "its log is empty"


@contextlib.contextmanager
def exclusive_lock(path: Path, error_message: str) -> Iterator[None]:
    """Hold a lock on a file. Raise OperationError with `error_message` if another process holds it."""
    with path.open("a") as lock:
        if not _try_lock(lock.fileno()):
            raise OperationError(error_message)
        yield


def is_port_free(port: int) -> bool:
    """Return True if a program could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do, so that closed connections of the last run do not count as a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _kill_group(group_id: int) -> None:
    """Kill the processes that the program has left behind, and wait for them for at most two seconds."""
    deadline = time.monotonic() + _GROUP_EXIT_SECONDS
    while send_signal(os.killpg, group_id, signal.SIGKILL) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _try_lock(file_descriptor: int) -> bool:
    try:
        fcntl.flock(file_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
