"""One packaged stack in the embedded AWS for the whole session, on ports of its own, gone at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.local.stack import LocalStack
from tests.support.operator_rights import enforce_operator_rights
from tests.support.ports import find_free_stack_port
from tests.support.running_stack import RunningStack


@pytest.fixture(autouse=True)
def _operator_rights() -> Iterator[None]:
    """Let a command do what its row of rights allows, and nothing else."""
    with enforce_operator_rights() as refused:
        yield
    assert refused == []


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Packaged, deployed, with keys, clients and the example's campaign, and nothing registered."""
    local = LocalStack(port=find_free_stack_port(), directory=tmp_path_factory.mktemp("local"))
    description = local.up()
    stack = RunningStack(local, description)
    try:
        _shorten_visibility_timeouts(stack)
        yield stack
    finally:
        local.down()


def _shorten_visibility_timeouts(stack: RunningStack) -> None:
    """Messages that could not be handled come back sooner than on AWS, for nobody to wait three minutes.

    A function still has half as long again as it may take.
    """
    for queue in ("Notifications", "Reminders", "Receipts"):
        url = stack.description.outputs[f"{queue}QueueUrl"]
        stack.aws_client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "45"})


@pytest.fixture(scope="session")
def new_stack_location(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], tuple[int, Path]]:
    """A port pair and a directory for a test that starts and stops a stack by itself."""
    return lambda: (find_free_stack_port(), tmp_path_factory.mktemp("local"))
