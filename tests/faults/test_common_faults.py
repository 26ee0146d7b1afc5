"""The faults that happen every week, in every run of the tests; `make faults` has all of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from chalicelib.messaging.gateways import GatewayAcceptance, OutgoingSms
from tests.faults.drill import WORKERS, Drill, Outcome, ProcessKilled
from tests.faults.proxies import count_hits, run_proxy
from tests.support.aws_events import make_schedule_event

Conclude = Callable[[Outcome], None]
NUMBERS = range(1, WORKERS + 1)


class DyingGateway:
    """A gateway that accepts an SMS, and whose worker process dies before it hears so."""

    def __init__(self, gateway: Any, *, after: int) -> None:
        self.name = gateway.name
        self._gateway = gateway
        self._after = after

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Send an SMS; raise ProcessKilled after the last one of this life."""
        acceptance: GatewayAcceptance = self._gateway.send(outgoing)
        self._after -= 1
        if self._after == 0:
            raise ProcessKilled
        return acceptance


def test_a_device_that_sends_again_and_again(drill: Drill, conclude: Conclude) -> None:
    drill.register(*NUMBERS, sends=4)
    for capture in drill.captures.values():
        drill.send_until_answered("POST", "/v1/registrations/batch", {"items": [capture]})

    recovered_after = drill.settle()
    conclude(drill.conclude("client retries", injected=4 * WORKERS, recovered_after=recovered_after))


def test_an_answer_that_is_lost_after_the_write(drill: Drill, conclude: Conclude) -> None:
    with run_proxy(drill, "DYNAMODB") as proxy:
        proxy.add_fault("TransactWriteItems", "lose the answer", times=2 * WORKERS)
        drill.register(*NUMBERS)
        injected = count_hits(proxy, 2 * WORKERS)

    recovered_after = drill.settle()
    conclude(
        drill.conclude("answer lost after the write", injected=injected, recovered_after=recovered_after)
    )


def test_messages_that_are_delivered_four_times(drill: Drill, conclude: Conclude) -> None:
    drill.register(*NUMBERS)
    drill.publish()
    drill.consume(copies=4)

    recovered_after = drill.settle()
    conclude(drill.conclude("SQS delivers four times", injected=3 * WORKERS, recovered_after=recovered_after))


def test_a_worker_that_is_killed_within_a_batch(drill: Drill, conclude: Conclude) -> None:
    drill.register(*NUMBERS)
    drill.container.__dict__["sms_gateway"] = DyingGateway(drill.container.sms_gateway, after=3)

    recovered_after = drill.settle()
    conclude(drill.conclude("worker killed within a batch", injected=1, recovered_after=recovered_after))


def test_a_gateway_that_accepts_and_then_times_out(drill: Drill, conclude: Conclude) -> None:
    drill.arm_gateway("timeout_after_accept", times=4, seconds=0)
    drill.register(*NUMBERS)
    recovered_after = drill.settle()

    injected = drill.count_gateway_faults()
    conclude(
        drill.conclude(
            "gateway accepts, then times out; receipts come",
            injected=injected,
            recovered_after=recovered_after,
        )
    )


def test_schedules_that_are_missed_and_then_run_twice(drill: Drill, conclude: Conclude) -> None:
    drill.arm_gateway("throttle", times=4)
    drill.register(*NUMBERS)
    drill.publish()
    drill.consume()
    drill.clock.advance(timedelta(hours=3))

    event = make_schedule_event(drill.clock())
    with ThreadPoolExecutor(2) as pool:
        for function in ("queue_due_sms", "roll_up_due_days"):
            list(pool.map(lambda _, each=function: drill.invoke(each, event), range(2)))

    recovered_after = drill.settle()
    remark = "3 h without a run, then each at the same time as itself"
    conclude(
        drill.conclude(
            "schedules missed and doubled", injected=4, recovered_after=recovered_after, remark=remark
        )
    )
