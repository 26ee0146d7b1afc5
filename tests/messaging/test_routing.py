"""Which gateway carries a text: by weight, always the same one, another only where it never will."""

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
from tests.support.fakes import FixedClock

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Scripted:
    """A gateway that takes every text, unless it was told what to say."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.says: GatewayError | None = None
        self.asked: list[str] = []

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Take a text, or say what was scripted."""
        self.asked.append(outgoing.sms_id)
        if self.says is not None:
            raise self.says
        return GatewayAcceptance(self.name, f"id-{outgoing.sms_id}")


class Told:
    """Who hears of gateways that are left alone."""

    def __init__(self) -> None:
        self.of: list[tuple[str, str]] = []

    def __call__(self, gateway: str, reason: str) -> None:
        self.of.append((gateway, reason))


class House:
    """Two gateways, a router over them, and a clock."""

    def __init__(self, **weights: int) -> None:
        self.aws, self.twilio = Scripted("aws"), Scripted("twilio")
        self.clock, self.told = FixedClock(NOW), Told()
        self.resumed_at: datetime | None = None
        self.router = GatewayRouter(
            [self.aws, self.twilio],
            weights=weights,
            clock=self.clock,
            on_circuit_open=self.told,
            get_resumed_at=lambda: self.resumed_at,
        )

    def send(self, sms_id: str = "m-1") -> str:
        """Which gateway took a text."""
        sent = self.router.send(
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
        return sent.gateway

    def first_for(self, gateway: Scripted) -> str:
        """A text that asks this gateway first."""
        return next(f"m-{number}" for number in range(1000) if self.send(f"m-{number}") == gateway.name)


def test_texts_go_out_by_weight() -> None:
    house = House(aws=70, twilio=30)
    shares = Counter(house.send(f"m-{number}") for number in range(4000))
    assert 0.66 < shares["aws"] / 4000 < 0.74


def test_a_text_asks_the_same_gateway_each_time() -> None:
    house = House(aws=50, twilio=50)
    first = {f"m-{number}": house.send(f"m-{number}") for number in range(50)}
    assert {message: house.send(message) for message in first} == first
    assert set(first.values()) == {"aws", "twilio"}


@pytest.mark.parametrize("weights", [{"aws": 100}, {"aws": 100, "twilio": 0}], ids=str)
def test_a_gateway_without_weight_is_never_asked(weights: dict[str, int]) -> None:
    house = House(**weights)
    house.aws.says = PermanentFailure("refused")
    with pytest.raises(PermanentFailure):
        house.send()
    assert house.twilio.asked == []


@pytest.mark.parametrize("refusal", [PermanentFailure("blocked"), AccountFailure("spend_limit")], ids=repr)
def test_where_one_gateway_never_will_the_other_is_asked(refusal: GatewayError) -> None:
    house = House(aws=50, twilio=50)
    message = house.first_for(house.aws)
    house.aws.says = refusal
    assert house.send(message) == "twilio"


@pytest.mark.parametrize("slow", [TransientFailure("throttled"), OutcomeUnknown("timeout")], ids=repr)
def test_where_one_gateway_is_slow_no_other_is_asked(slow: GatewayError) -> None:
    house = House(aws=50, twilio=50)
    message = house.first_for(house.aws)
    house.aws.says = slow
    house.twilio.asked.clear()
    with pytest.raises(type(slow)):
        house.send(message)
    assert house.twilio.asked == []


def test_who_opted_out_is_texted_by_no_other_gateway_either() -> None:
    house = House(aws=50, twilio=50)
    message = house.first_for(house.aws)
    house.aws.says = PermanentFailure("opted_out", opted_out=True)
    house.twilio.asked.clear()
    with pytest.raises(PermanentFailure):
        house.send(message)
    assert house.twilio.asked == []


def test_everything_stops_only_when_every_gateway_says_so() -> None:
    house = House(aws=50, twilio=50)
    house.aws.says = house.twilio.says = AccountFailure("spend_limit")
    with pytest.raises(AccountFailure):
        house.send()


def test_everything_stops_also_where_the_gateways_say_so_at_different_moments() -> None:
    house = House(aws=50, twilio=50)
    by_twilio = house.first_for(house.twilio)
    house.aws.says = AccountFailure("spend_limit")
    assert house.send() == "twilio"
    house.clock.advance(timedelta(seconds=30))

    house.twilio.says = AccountFailure("account_suspended")
    for _ in range(2):
        with pytest.raises(AccountFailure):
            house.send(by_twilio)


def test_one_gateway_that_takes_nothing_and_one_that_is_busy_stop_nobody() -> None:
    house = House(aws=50, twilio=50)
    by_aws = house.first_for(house.aws)
    house.aws.says = TransientFailure("throttled")
    for _ in range(5):
        with pytest.raises(TransientFailure, match="throttled"):
            house.send(by_aws)
    house.twilio.says = AccountFailure("account_suspended")
    for _ in range(2):
        with pytest.raises(CircuitOpen):
            house.send(by_aws)


def test_a_text_that_one_gateway_refuses_while_the_other_takes_nothing_stops_nobody_else() -> None:
    house = House(aws=50, twilio=50)
    house.aws.says, house.twilio.says = PermanentFailure("blocked"), AccountFailure("spend_limit")
    with pytest.raises(PermanentFailure, match="blocked"):
        house.send()


def test_a_gateway_that_takes_nothing_is_left_alone_for_a_minute_and_then_tried_by_one_text() -> None:
    house = House(aws=100)
    house.aws.says = AccountFailure("spend_limit")
    for _ in range(4):
        with pytest.raises(AccountFailure):
            house.send()
    assert len(house.aws.asked) == 1

    house.clock.advance(timedelta(minutes=1))
    for _ in range(2):
        with pytest.raises(AccountFailure):
            house.send()
    assert len(house.aws.asked) == 2

    house.clock.advance(timedelta(minutes=1))
    house.aws.says = None
    assert [house.send() for _ in range(2)] == ["aws", "aws"]


def test_a_gateway_that_was_left_alone_is_tried_as_soon_as_somebody_resumes_sending() -> None:
    house = House(aws=100)
    house.resumed_at = NOW - timedelta(seconds=1)
    house.aws.says = AccountFailure("spend_limit")
    for _ in range(2):
        with pytest.raises(AccountFailure):
            house.send()
    assert len(house.aws.asked) == 1
    house.aws.says = None

    house.clock.advance(timedelta(seconds=2))
    house.resumed_at = house.clock()

    assert [house.send() for _ in range(2)] == ["aws", "aws"]


def test_one_text_tries_a_gateway_for_each_time_that_somebody_resumes_sending() -> None:
    house = House(aws=100)
    house.aws.says = AccountFailure("spend_limit")
    with pytest.raises(AccountFailure):
        house.send()
    house.clock.advance(timedelta(seconds=2))
    house.resumed_at = house.clock()
    house.clock.advance(timedelta(seconds=2))

    for _ in range(2):
        with pytest.raises(AccountFailure):
            house.send()

    assert len(house.aws.asked) == 2


def test_a_streak_of_refusals_for_now_breaks_the_circuit_and_a_single_one_does_not() -> None:
    house = House(aws=100)
    for _ in range(2):
        house.aws.says = TransientFailure("throttled")
        for _ in range(4):
            with pytest.raises(TransientFailure, match="throttled"):
                house.send()
        house.aws.says = None
        assert house.send() == "aws"
    house.aws.says = TransientFailure("throttled")
    for _ in range(5):
        with pytest.raises(TransientFailure, match="throttled"):
            house.send()
    with pytest.raises(TransientFailure, match="circuit_open"):
        house.send()


def test_slow_answers_break_no_circuit() -> None:
    house = House(aws=100)
    house.aws.says = OutcomeUnknown("timeout")
    for _ in range(20):
        with pytest.raises(OutcomeUnknown):
            house.send()


def test_texts_go_by_the_other_gateway_while_one_is_left_alone() -> None:
    house = House(aws=50, twilio=50)
    message = house.first_for(house.aws)
    house.aws.says = AccountFailure("spend_limit")
    house.send(message)
    house.aws.asked.clear()
    assert {house.send(f"n-{number}") for number in range(20)} == {"twilio"}
    assert house.aws.asked == []


def test_somebody_hears_of_a_gateway_that_is_left_alone() -> None:
    house = House(aws=100)
    house.aws.says = AccountFailure("spend_limit")
    with pytest.raises(AccountFailure):
        house.send()
    house.clock.advance(timedelta(minutes=1))
    house.aws.says = TransientFailure("throttled")
    with pytest.raises(TransientFailure):
        house.send()
    assert house.told.of == [("aws", "spend_limit"), ("aws", "throttled")]
