"""Free ports of the loopback interface.

The system gives the port of an outgoing connection by itself, on Linux from 32,768 on. A server of a
test must not use one of those: between the look and its start, a connection of another test may take it.
"""

import secrets

from ops.local.processes import is_port_free
from ops.local.stack import STACK_PORTS

FIRST_PORT = 10_000
LAST_PORT = 32_000


def find_free_stack_port() -> int:
    """Return a free port after which as many are free as a local stack needs."""
    return _find_free_run(STACK_PORTS)


def find_free_port() -> int:
    """Return a free port."""
    return _find_free_run(1)


def _find_free_run(count: int) -> int:
    """Return the first of free ports one after another, at random: several processes look at once."""
    while True:
        first = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT - count)
        if all(is_port_free(port) for port in range(first, first + count)):
            return first
