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
_PAUSE_SECONDS = 0.05
_GROUP_SECONDS = 2


class ProgramError(Exception):
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
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start it in a session of its own, with this environment only.

        Raises ProgramError if it runs already.
        """
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self._pid_file.open("a") as lock, self.log.open("ab") as log:
            if not _take(lock.fileno()):
                raise ProgramError(f"the {self.name} is running already")
            lock.truncate(0)  # An id that a dead program has left must not be taken for this one's.
            # The child writes its own id before it becomes the program, so a signal that ends us in between
            # leaves nothing behind that `stop` could not find.
            self._child = subprocess.Popen(
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
            return not _take(lock.fileno())

    def await_health(self, url: str, *, seconds: float) -> httpx.Response:
        """Its first successful answer. Raises ProgramError, with the end of its log, if there is none."""
        deadline = time.monotonic() + seconds
        while self.is_running() and time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(url, timeout=2, trust_env=False).raise_for_status()
            time.sleep(_PAUSE_SECONDS)
        raise ProgramError(f"the {self.name} did not start: {self._last_words()}")

    def stop(self, *, patience_seconds: float = 30) -> None:
        """End it and wait until it is gone; gently, and by force when it does not go in time."""
        deadline = time.monotonic() + patience_seconds
        pid = None
        while self.is_running():
            # There is an instant in which it lives and has not yet written its id.
            if pid is None and (written := self._pid_file.read_text().strip()):
                pid = int(written)
                _signal(os.kill, pid, signal.SIGTERM)
            elif pid is not None and time.monotonic() > deadline:
                _signal(os.kill, pid, signal.SIGKILL)
            time.sleep(_PAUSE_SECONDS)
        if self._child is not None:
            self._child.wait()
            self._child = None
        if pid is not None:
            _end_group(pid)
        self._pid_file.unlink(missing_ok=True)

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace").strip()[-2000:] or "it said nothing"


@contextlib.contextmanager
def exclusive(path: Path, refusal: str) -> Iterator[None]:
    """Hold a lock that no other process can hold. Raises ProgramError with the refusal if one holds it."""
    with path.open("a") as lock:
        if not _take(lock.fileno()):
            raise ProgramError(refusal)
        yield


def port_is_free(port: int) -> bool:
    """Whether a program of ours could listen on this port of the loopback interface now."""
    with socket.socket() as probe:
        # As servers do, so that the last run's closed connections are not taken for a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def run_to_end(command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str]) -> None:
    """Run a program to its end. If we are interrupted meanwhile, it and what it has started end with us.

    Raises ProgramError, with what the program said, if it fails.
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
            _signal(os.killpg, child.pid, signal.SIGKILL)
            raise
    if child.returncode:
        raise ProgramError(f"{' '.join(map(str, command))} failed:\n{said.strip()[-4000:]}")


def _end_group(leader: int) -> None:
    """End what the program had started and left behind; wait for it, but not for those that nobody reaps."""
    deadline = time.monotonic() + _GROUP_SECONDS
    while _signal(os.killpg, leader, signal.SIGKILL) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)


def _signal(send: Callable[[int, int], None], pid: int, number: signal.Signals) -> bool:
    """Send a signal; False if there is nobody to take it."""
    try:
        send(pid, number)
    except ProcessLookupError:
        return False
    return True


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
