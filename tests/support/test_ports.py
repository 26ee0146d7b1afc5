"""Ports of tests are ones that no outgoing connection is given."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.ports import FIRST_PORT, LAST_PORT, find_free_port, find_free_stack_port

_OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.parametrize("find", [find_free_port, find_free_stack_port])
def test_a_server_never_starts_on_a_port_of_outgoing_connections(find: Callable[[], int]) -> None:
    assert FIRST_PORT <= find() < LAST_PORT


@pytest.mark.skipif(not _OUTGOING_PORTS.exists(), reason="only Linux tells this range in a file")
def test_the_system_gives_outgoing_connections_higher_ports() -> None:
    assert int(_OUTGOING_PORTS.read_text().split()[0]) > LAST_PORT
