"""What /proc says of the processes of a stack."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from bench.soak.processes import EMULATOR, sample_processes
from tests.support.polling import wait_until

_PORT = 59_999


def start_worker(**variables: str) -> subprocess.Popen[bytes]:
    environment = {"GATEWAY_PORT": str(_PORT), **variables}
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)


def test_processes_of_a_stack_are_found_by_function_and_others_are_left_out() -> None:
    workers = [
        start_worker(AWS_LAMBDA_FUNCTION_NAME="sender"),
        start_worker(AWS_LAMBDA_FUNCTION_NAME="sender"),
        start_worker(),
        start_worker(GATEWAY_PORT="1"),
    ]
    try:
        wait_until("the processes", lambda: len(sample_processes(_PORT)) == 2)
        found = sample_processes(_PORT)
        assert sorted(each.pid for each in found["sender"]) == sorted(each.pid for each in workers[:2])
        assert [each.pid for each in found[EMULATOR]] == [workers[2].pid]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def write_process(proc: Path, *, environment: bytes, status: str) -> None:
    folder = proc / "77"
    (folder / "fd").mkdir(parents=True)
    (folder / "environ").write_bytes(environment)
    (folder / "status").write_text(status)
    for number, target in enumerate(("/dev/null", "socket:[1]", "socket:[2]", "pipe:[3]")):
        (folder / "fd" / str(number)).symlink_to(target)


def test_memory_threads_descriptors_and_sockets_are_those_of_the_process(tmp_path: Path) -> None:
    environment = f"GATEWAY_PORT={_PORT}\0AWS_LAMBDA_FUNCTION_NAME=api\0".encode()
    write_process(tmp_path, environment=environment, status="VmRSS:\t  71680 kB\nThreads:\t3\n")
    [sample] = sample_processes(_PORT, proc=tmp_path)["api"]
    assert (sample.megabytes, sample.threads, sample.descriptors, sample.sockets) == (70, 3, 4, 2)


def test_of_this_process_the_sockets_that_it_opens_are_counted(tmp_path: Path) -> None:
    (tmp_path / str(os.getpid())).mkdir()
    for name in ("fd", "status"):
        (tmp_path / str(os.getpid()) / name).symlink_to(f"/proc/self/{name}")
    (tmp_path / str(os.getpid()) / "environ").write_bytes(f"GATEWAY_PORT={_PORT}".encode())
    [before] = sample_processes(_PORT, proc=tmp_path)[EMULATOR]
    with socket.socket():
        [sample] = sample_processes(_PORT, proc=tmp_path)[EMULATOR]
    assert sample.sockets == before.sockets + 1
    assert sample.megabytes > 10
