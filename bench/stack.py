"""The local stack of one benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.local.stack import LocalStack
from tests.support.ports import find_free_stack_port


class CaptureRefused(Exception):
    """The API did not accept a capture."""


@contextmanager
def run_stack(data_dir: Path) -> Iterator[LocalStack]:
    """Run a stack on free ports inside the block."""
    stack = LocalStack(port=find_free_stack_port(), directory=data_dir)
    stack.up()
    try:
        yield stack
    finally:
        stack.down()
