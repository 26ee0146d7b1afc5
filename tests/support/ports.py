"""Free ports of the loopback interface."""

import socket
from contextlib import ExitStack

from ops.local.processes import is_port_free
from ops.local.stack import STACK_PORTS
from ops.project import LOOPBACK


def find_free_stack_port() -> int:
    """Return a free port after which as many are free as a local stack needs."""
    while True:
        [port] = find_free_ports(1)
        if all(is_port_free(port + offset) for offset in range(1, STACK_PORTS)):
            return port


def find_free_ports(count: int) -> list[int]:
    """Return free ports."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
