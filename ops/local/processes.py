"""Programs in the background of a local stack: started, known to be alive, and stopped by their own id."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx

LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.05
_GROUP_EXIT_SECONDS = 2


class OperationError(Exception):
    """A program of the local stack did not do what the stack needs; the message says which and why."""


class Program:
    """One background program.

    It inherits a lock on its pid file and nothing else holds that lock, so the lock is taken exactly as long
    as the program lives: neither a stale file nor a reused process id can be mistaken for it.
    """

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.log = home / f"{name}.log"
        self._pid_file = home / f"{name}.pid"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start it in a session of its own, with this environment only.

        Raises OperationError if it runs already.
        """
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self._pid_file.open("a") as lock, self.log.open("ab") as log:
            if not _try_lock(lock.fileno()):
                raise OperationError(f"the {self.name} is running already")
            lock.truncate(0)  # An id that a dead program has left must not be taken for this one's.
            # The child writes its own id before it becomes the program, so a signal that ends us in between
            # leaves nothing behind that `stop` could not find.
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
        """Whether it lives, whoever started it."""
        if not self._pid_file.exists():
            return False
        with self._pid_file.open("a") as lock:
            return not _try_lock(lock.fileno())

    def await_health(self, url: str, *, timeout_seconds: float) -> httpx.Response:
        """Its first successful answer. Raises OperationError, with the end of its log, if there is none."""
        deadline = time.monotonic() + timeout_seconds
        while self.is_running() and time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(url, timeout=2, trust_env=False).raise_for_status()
            time.sleep(_POLL_SECONDS)
        raise OperationError(f"the {self.name} did not start: {self._read_log_tail()}")

    def stop(self, *, timeout_seconds: float = 30) -> None:
        """End it and wait until it is gone; gently, and by force when it does not go in time."""
        deadline = time.monotonic() + timeout_seconds
        pid = None
        while self.is_running():
            # There is an instant in which it lives and has not yet written its id.
            if pid is None and (written := self._pid_file.read_text().strip()):
                pid = int(written)
                _send_signal(os.kill, pid, signal.SIGTERM)
            elif pid is not None and time.monotonic() > deadline:
                _send_signal(os.kill, pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        if self._process is not None:
            self._process.wait()
            self._process = None
        if pid is not None:
            _kill_group(pid)
        self._pid_file.unlink(missing_ok=True)

    def _read_log_tail(self) -> str:
        return self.log.read_text(errors="replace").strip()[-2000:] or "it said nothing"


@contextlib.contextmanager
def exclusive_lock(path: Path, error_message: str) -> Iterator[None]:
    """Hold a lock that no other process can hold. Raises OperationError with the refusal if one holds it."""
    with path.open("a") as lock:
        if not _try_lock(lock.fileno()):
            raise OperationError(error_message)
        yield


def is_port_free(port: int) -> bool:
    """Whether a program of ours could listen on this port of the loopback interface now."""
    with socket.socket() as probe:
        # As servers do, so that the last run's closed connections are not taken for a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def run_program(command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str]) -> None:
    """Run a program to its end. If we are interrupted meanwhile, it and what it has started end with us.

    Raises OperationError, with what the program said, if it fails.
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
            said, _ = child.communicate()
        except BaseException:
            _send_signal(os.killpg, child.pid, signal.SIGKILL)
            raise
    if child.returncode:
        raise OperationError(f"{' '.join(map(str, command))} failed:\n{said.strip()[-4000:]}")


def _kill_group(group_id: int) -> None:
    """End what the program had started and left behind; wait for it, but not for those that nobody reaps."""
    deadline = time.monotonic() + _GROUP_EXIT_SECONDS
    while _send_signal(os.killpg, group_id, signal.SIGKILL) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _send_signal(kill: Callable[[int, int], None], pid: int, signal_number: signal.Signals) -> bool:
    """Send a signal; False if there is nobody to take it."""
    try:
        kill(pid, signal_number)
    except ProcessLookupError:
        return False
    return True


def _try_lock(file_descriptor: int) -> bool:
    try:
        fcntl.flock(file_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
