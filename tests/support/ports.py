"""Free ports of the loopback interface."""

import socket
from contextlib import ExitStack

from ops.local.processes import is_port_free
from ops.project import LOOPBACK


def find_free_port_pair() -> int:
    """Return a free port whose next port is free too, as a local stack needs them."""
    while True:
        [port] = find_free_ports(1)
        if is_port_free(port + 1):
            return port


def find_free_ports(count: int) -> list[int]:
    """Return free ports."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
