"""Faults of gateways and of their receipts. `make faults` runs them."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest

from chalicelib.notifications.messages import ReceiptReceived
from ops.fake_sms.inbox import ReceivedSms
from tests.faults.drill import WORKERS, Drill, Outcome

Conclude = Callable[[Outcome], None]
NUMBERS = range(1, WORKERS + 1)
Receipts = list[ReceiptReceived]


def lose(_: ReceivedSms, receipts: Receipts) -> Iterable[ReceiptReceived]:
    """Deliver no receipt."""
    return receipts[:0]


def reverse(_: ReceivedSms, receipts: Receipts) -> Iterable[ReceiptReceived]:
    """Deliver the last receipt first."""
    return reversed(receipts)


def repeat(_: ReceivedSms, receipts: Receipts) -> Iterable[ReceiptReceived]:
    """Deliver every receipt twice."""
    return [*receipts, *receipts]


@pytest.mark.parametrize(
    ("fault", "deliver"),
    [("receipts reversed", reverse), ("receipts twice", repeat), ("receipts never", lose)],
)
def test_receipts_that_misbehave(
    drill: Drill,
    conclude: Conclude,
    fault: str,
    deliver: Callable[[ReceivedSms, Receipts], Iterable[ReceiptReceived]],
) -> None:
    drill.receipts = deliver
    drill.register(*NUMBERS)
    recovered_after = drill.settle()

    conclude(drill.conclude(fault, injected=WORKERS, recovered_after=recovered_after))


def test_a_gateway_that_accepts_and_times_out_and_reports_nothing(drill: Drill, conclude: Conclude) -> None:
    drill.receipts = lose
    drill.arm_gateway("timeout_after_accept", times=4, seconds=0)
    drill.register(*NUMBERS)
    drill.publish()
    drill.consume()
    for _ in range(16):
        drill.tick(timedelta(minutes=15))

    injected = drill.count_gateway_faults()
    conclude(
        drill.conclude(
            "gateway accepts, then times out; no receipts",
            injected=injected,
            recovered_after="held",
            remark="not resent while no receipt comes in: held for a person, with an alarm",
        )
    )


@pytest.mark.parametrize("mode", ["throttle", "server_error"])
def test_a_gateway_that_fails(drill: Drill, conclude: Conclude, mode: str) -> None:
    drill.arm_gateway(mode, times=6)
    drill.register(*NUMBERS)
    recovered_after = drill.settle()

    injected = drill.count_gateway_faults()
    conclude(drill.conclude(f"gateway: {mode}", injected=injected, recovered_after=recovered_after))


def test_a_gateway_that_times_out_and_accepts_nothing(drill: Drill, conclude: Conclude) -> None:
    drill.arm_gateway("timeout_before_accept", times=2, seconds=0)
    drill.register(*NUMBERS)
    drill.publish()
    drill.consume()
    drill.tick(timedelta(minutes=5))
    drill.register(WORKERS + 1)
    recovered_after = drill.settle()

    injected = drill.count_gateway_faults()
    conclude(
        drill.conclude(
            "gateway times out, accepts nothing",
            injected=injected,
            recovered_after=recovered_after,
            remark="resent once the receipt of a later SMS shows that receipts come in",
        )
    )
