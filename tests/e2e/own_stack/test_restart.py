"""What a stop and a start must not lose."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ops.local.stack import EXAMPLE_DIR, LocalStack
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e


def _register(local: LocalStack, capture: bytes) -> str:
    stack = RunningStack(local, local.describe())
    answer = stack.send_bytes("van-1", "POST", "/v1/registrations", capture)
    assert answer.json()["outcome"] == "created"
    return str(answer.json()["reference"])


def _change_campaign(local: LocalStack) -> None:
    description = local.describe()
    path = f"/v1/campaigns/{description.campaign_id}"
    answer = RunningStack(local, description).send("manager", "PATCH", path, {"target": 1})
    assert answer.json()["target"] == 1


def test_changes_stored_before_a_stop_are_published_after_it_and_so_are_later_ones(
    new_stack_location: Callable[[], tuple[int, Path]],
) -> None:
    port, directory = new_stack_location()
    local = LocalStack(port=port, directory=directory)
    captures = (EXAMPLE_DIR / "van-1.jsonl").read_bytes().splitlines()
    try:
        local.up()
        references = [_register(local, captures[0])]
        _change_campaign(local)
        local.down()  # At once: the change is most likely still in the stream.
        local.up()
        local.await_sms(1)
        references.append(_register(local, captures[1]))
        texts = local.await_sms(2)
    finally:
        local.down()
    assert len(texts) == 2
    assert all(reference in text["text"] for reference, text in zip(references, texts, strict=True))


def test_fresh_start_deletes_all_data(new_stack_location: Callable[[], tuple[int, Path]]) -> None:
    port, directory = new_stack_location()
    local = LocalStack(port=port, directory=directory)
    capture = (EXAMPLE_DIR / "van-1.jsonl").read_bytes().splitlines()[0]
    try:
        local.up()
        _register(local, capture)
        local.down()
        local.up(fresh=True)
        _register(local, capture)  # Created again, so nobody remembers it.
        assert len(local.await_sms(1)) == 1
    finally:
        local.down()
