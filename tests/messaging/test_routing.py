"""The choice of the gateway, and its circuit breakers."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.messaging.errors import (
    AccountFailure,
    CircuitOpen,
    GatewayError,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import GatewayAcceptance, OutgoingSms
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.routing import GatewayRouter
from chalicelib.registrations.phone import Phone
from tests.support.fakes.clock import FixedClock

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class ScriptedGateway:
    """A gateway that accepts every SMS, or raises `error`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: GatewayError | None = None
        self.requests: list[str] = []

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Record the request. Raise `error`, if it is set."""
        self.requests.append(outgoing.sms_id)
        if self.error is not None:
            raise self.error
        return GatewayAcceptance(self.name, f"id-{outgoing.sms_id}")


class RoutingHarness:
    """A router with two gateways and a clock."""

    def __init__(self, **weights: int) -> None:
        self.aws, self.twilio = ScriptedGateway("aws"), ScriptedGateway("twilio")
        self.clock = FixedClock(NOW)
        self.opened_circuits: list[tuple[str, str]] = []
        self.resumed_at: datetime | None = None
        self.router = GatewayRouter(
            [self.aws, self.twilio],
            weights=weights,
            clock=self.clock,
            on_circuit_open=lambda gateway, reason: self.opened_circuits.append((gateway, reason)),
            get_resumed_at=lambda: self.resumed_at,
        )

    def send(self, sms_id: str = "m-1") -> str:
        """Send an SMS. Return the name of the gateway that accepted it."""
        acceptance = self.router.send(
            OutgoingSms(
                phone=Phone("+6282455507001"),
                body="Halo",
                sms_id=SmsId(sms_id),
                correlation_id="c",
                parts=1,
                deadline=NOW + timedelta(hours=1),
                purpose="received",
                campaign_id="tanah-abang-2024",
            )
        )
        return acceptance.gateway

    def find_sms_for(self, gateway: ScriptedGateway) -> str:
        """Return the id of an SMS that asks this gateway first."""
        return next(f"m-{number}" for number in range(1000) if self.send(f"m-{number}") == gateway.name)


def test_sms_are_distributed_by_weight() -> None:
    harness = RoutingHarness(aws=70, twilio=30)
    shares = Counter(harness.send(f"m-{number}") for number in range(4000))
    assert 0.66 < shares["aws"] / 4000 < 0.74


def test_sms_asks_the_same_gateway_each_time() -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    gateways = {f"m-{number}": harness.send(f"m-{number}") for number in range(50)}
    assert {sms_id: harness.send(sms_id) for sms_id in gateways} == gateways
    assert set(gateways.values()) == {"aws", "twilio"}


@pytest.mark.parametrize("weights", [{"aws": 100}, {"aws": 100, "twilio": 0}], ids=str)
def test_gateway_without_weight_is_never_asked(weights: dict[str, int]) -> None:
    harness = RoutingHarness(**weights)
    harness.aws.error = PermanentFailure("refused")
    with pytest.raises(PermanentFailure):
        harness.send()
    assert harness.twilio.requests == []


@pytest.mark.parametrize("failure", [PermanentFailure("blocked"), AccountFailure("spend_limit")], ids=repr)
def test_other_gateway_is_asked_after_a_permanent_or_account_failure(failure: GatewayError) -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    sms_id = harness.find_sms_for(harness.aws)
    harness.aws.error = failure
    assert harness.send(sms_id) == "twilio"


@pytest.mark.parametrize("failure", [TransientFailure("throttled"), OutcomeUnknown("timeout")], ids=repr)
def test_no_other_gateway_is_asked_after_a_transient_or_unknown_outcome(failure: GatewayError) -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    sms_id = harness.find_sms_for(harness.aws)
    harness.aws.error = failure
    harness.twilio.requests.clear()
    with pytest.raises(type(failure)):
        harness.send(sms_id)
    assert harness.twilio.requests == []


def test_no_other_gateway_is_asked_after_an_opt_out() -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    sms_id = harness.find_sms_for(harness.aws)
    harness.aws.error = PermanentFailure("opted_out", opted_out=True)
    harness.twilio.requests.clear()
    with pytest.raises(PermanentFailure):
        harness.send(sms_id)
    assert harness.twilio.requests == []


def test_account_failure_of_every_gateway_is_an_account_failure() -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    harness.aws.error = harness.twilio.error = AccountFailure("spend_limit")
    with pytest.raises(AccountFailure):
        harness.send()


def test_account_failures_at_different_times_are_an_account_failure() -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    by_twilio = harness.find_sms_for(harness.twilio)
    harness.aws.error = AccountFailure("spend_limit")
    assert harness.send() == "twilio"
    harness.clock.advance(timedelta(seconds=30))

    harness.twilio.error = AccountFailure("account_suspended")
    for _ in range(2):
        with pytest.raises(AccountFailure):
            harness.send(by_twilio)


def test_account_failure_beside_an_open_circuit_is_circuit_open() -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    by_aws = harness.find_sms_for(harness.aws)
    harness.aws.error = TransientFailure("throttled")
    for _ in range(5):
        with pytest.raises(TransientFailure, match="throttled"):
            harness.send(by_aws)
    harness.twilio.error = AccountFailure("account_suspended")
    for _ in range(2):
        with pytest.raises(CircuitOpen):
            harness.send(by_aws)


def test_permanent_failure_wins_over_an_account_failure() -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    harness.aws.error, harness.twilio.error = PermanentFailure("blocked"), AccountFailure("spend_limit")
    with pytest.raises(PermanentFailure, match="blocked"):
        harness.send()


def test_circuit_opens_for_a_minute_after_an_account_failure_then_one_sms_tries() -> None:
    harness = RoutingHarness(aws=100)
    harness.aws.error = AccountFailure("spend_limit")
    for _ in range(4):
        with pytest.raises(AccountFailure):
            harness.send()
    assert len(harness.aws.requests) == 1

    harness.clock.advance(timedelta(minutes=1))
    for _ in range(2):
        with pytest.raises(AccountFailure):
            harness.send()
    assert len(harness.aws.requests) == 2

    harness.clock.advance(timedelta(minutes=1))
    harness.aws.error = None
    assert [harness.send() for _ in range(2)] == ["aws", "aws"]


def test_gateway_is_tried_at_once_after_sending_was_resumed() -> None:
    harness = RoutingHarness(aws=100)
    harness.resumed_at = NOW - timedelta(seconds=1)
    harness.aws.error = AccountFailure("spend_limit")
    for _ in range(2):
        with pytest.raises(AccountFailure):
            harness.send()
    assert len(harness.aws.requests) == 1
    harness.aws.error = None

    harness.clock.advance(timedelta(seconds=2))
    harness.resumed_at = harness.clock()

    assert [harness.send() for _ in range(2)] == ["aws", "aws"]


def test_one_sms_tries_the_gateway_after_each_resumption() -> None:
    harness = RoutingHarness(aws=100)
    harness.aws.error = AccountFailure("spend_limit")
    with pytest.raises(AccountFailure):
        harness.send()
    harness.clock.advance(timedelta(seconds=2))
    harness.resumed_at = harness.clock()
    harness.clock.advance(timedelta(seconds=2))

    for _ in range(2):
        with pytest.raises(AccountFailure):
            harness.send()

    assert len(harness.aws.requests) == 2


def test_circuit_opens_after_five_transient_failures_in_a_row() -> None:
    harness = RoutingHarness(aws=100)
    for _ in range(2):
        harness.aws.error = TransientFailure("throttled")
        for _ in range(4):
            with pytest.raises(TransientFailure, match="throttled"):
                harness.send()
        harness.aws.error = None
        assert harness.send() == "aws"
    harness.aws.error = TransientFailure("throttled")
    for _ in range(5):
        with pytest.raises(TransientFailure, match="throttled"):
            harness.send()
    with pytest.raises(TransientFailure, match="circuit_open"):
        harness.send()


def test_unknown_outcomes_open_no_circuit() -> None:
    harness = RoutingHarness(aws=100)
    harness.aws.error = OutcomeUnknown("timeout")
    for _ in range(20):
        with pytest.raises(OutcomeUnknown):
            harness.send()


def test_other_gateway_sends_while_a_circuit_is_open() -> None:
    harness = RoutingHarness(aws=50, twilio=50)
    sms_id = harness.find_sms_for(harness.aws)
    harness.aws.error = AccountFailure("spend_limit")
    harness.send(sms_id)
    harness.aws.requests.clear()
    assert {harness.send(f"n-{number}") for number in range(20)} == {"twilio"}
    assert harness.aws.requests == []


def test_each_opening_of_a_circuit_is_reported() -> None:
    harness = RoutingHarness(aws=100)
    harness.aws.error = AccountFailure("spend_limit")
    with pytest.raises(AccountFailure):
        harness.send()
    harness.clock.advance(timedelta(minutes=1))
    harness.aws.error = TransientFailure("throttled")
    with pytest.raises(TransientFailure):
        harness.send()
    assert harness.opened_circuits == [("aws", "spend_limit"), ("aws", "throttled")]
