"""The time of the latest receipt, which several worker processes record."""

from datetime import timedelta

import pytest

from chalicelib.notifications.store_receipt_flow import DynamoReceiptFlow
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

MINUTE = timedelta(minutes=1)


@pytest.fixture
def flows(engine: Engine) -> tuple[DynamoReceiptFlow, DynamoReceiptFlow]:
    """Return the stores of two processes over one table."""
    table = engine.create_table("SendingTable")
    return DynamoReceiptFlow(engine.client, table), DynamoReceiptFlow(engine.client, table)


def test_no_receipt_has_come_in_before_the_first(flows: tuple[DynamoReceiptFlow, DynamoReceiptFlow]) -> None:
    assert not flows[0].has_receipt_since(NOW - timedelta(days=365))


def test_every_process_knows_the_latest_receipt(flows: tuple[DynamoReceiptFlow, DynamoReceiptFlow]) -> None:
    first, second = flows
    first.record(NOW)

    assert second.has_receipt_since(NOW - MINUTE)
    assert not second.has_receipt_since(NOW)


def test_a_process_with_a_slow_clock_does_not_move_the_time_back(
    flows: tuple[DynamoReceiptFlow, DynamoReceiptFlow],
) -> None:
    first, second = flows
    first.record(NOW)
    second.record(NOW - timedelta(minutes=10))

    assert first.has_receipt_since(NOW - MINUTE)


def test_receipts_are_recorded_again_after_a_minute(
    flows: tuple[DynamoReceiptFlow, DynamoReceiptFlow],
) -> None:
    first, _ = flows
    for seconds in range(0, 121, 10):
        first.record(NOW + timedelta(seconds=seconds))

    assert first.has_receipt_since(NOW + MINUTE)
