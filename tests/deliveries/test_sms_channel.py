"""The SMS channel shares the rate limiter, stops and opt-outs with the SMS to workers."""

from datetime import timedelta

import pytest

from chalicelib.campaigns.model import Manager
from chalicelib.deliveries.model import DeliveryId
from chalicelib.deliveries.service import OutgoingReport
from chalicelib.deliveries.sms import SmsReportChannel
from chalicelib.messaging.errors import OutcomeUnknown, PermanentFailure, TransientFailure
from chalicelib.messaging.rate_limiter import SendingStop, SendRate
from tests.support.builders import NOW
from tests.support.delivery_harness import HASHING
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.gateway import ScriptedGateway
from tests.support.fakes.sms import InMemoryOptOutStore, InMemorySendRateLimiter
from tests.support.report_builders import make_report

PHONE = "+6282455507801"
BODY = "Daftar: 157 terdaftar."


class ChannelHarness:
    def __init__(self, *answers: str | Exception) -> None:
        self.gateway = ScriptedGateway(*answers)
        self.rate_limiter = InMemorySendRateLimiter()
        self.opt_outs = InMemoryOptOutStore()
        self.waits: list[timedelta] = []
        self.channel = SmsReportChannel(
            gateway=self.gateway,
            rate_limiter=self.rate_limiter,
            rate=SendRate(10),
            opt_outs=self.opt_outs,
            render_body=lambda report: BODY,
            hashing=HASHING,
            clock=FixedClock(NOW),
            wait=self.waits.append,
        )

    def send(self, phone: str | None = "0824 5550 7801") -> None:
        manager = Manager(name="Manajer Satu", phone=phone)
        self.channel.send(OutgoingReport(DeliveryId("d" * 32), manager, make_report()))


def test_sms_is_sent_to_the_normalised_phone_number_of_the_manager() -> None:
    harness = ChannelHarness()

    harness.send()

    (outgoing,) = harness.gateway.sent_sms
    assert (outgoing.phone, outgoing.body, outgoing.sms_id) == (PHONE, BODY, "d" * 32)
    assert (outgoing.parts, outgoing.campaign_id) == (1, "tanah-abang-2024")
    assert NOW < outgoing.deadline <= NOW + timedelta(hours=3)


@pytest.mark.parametrize(("phone", "address"), [("0824-5550-7801", PHONE), ("none", "none"), (None, None)])
def test_address_is_the_same_for_every_notation_of_a_phone_number(
    phone: str | None, address: str | None
) -> None:
    assert ChannelHarness().channel.find_address(Manager(name="Manajer Satu", phone=phone)) == address


@pytest.mark.parametrize("phone", ["none", "021-5551234", "+15551234567"])
def test_no_sms_is_sent_to_a_number_that_is_not_an_indonesian_mobile(phone: str) -> None:
    harness = ChannelHarness()

    with pytest.raises(PermanentFailure):
        harness.send(phone)

    assert harness.gateway.sent_sms == []


def test_no_sms_is_sent_to_a_phone_that_opted_out() -> None:
    harness = ChannelHarness()
    harness.opt_outs.record(HASHING.digest("phone", PHONE), occurred_at=NOW, source="aws")

    with pytest.raises(PermanentFailure) as error:
        harness.send()

    assert (error.value.reason, harness.gateway.sent_sms) == ("opted_out", [])


def test_sms_waits_for_its_slot() -> None:
    harness = ChannelHarness()
    harness.rate_limiter.reserve(timedelta(seconds=1.5), now=NOW, max_wait=timedelta(0))

    harness.send()

    assert harness.waits == [timedelta(seconds=1.5)]


def test_sms_is_not_sent_if_the_slot_is_too_far_away() -> None:
    harness = ChannelHarness()
    harness.rate_limiter.reserve(timedelta(seconds=60), now=NOW, max_wait=timedelta(0))

    with pytest.raises(TransientFailure) as error:
        harness.send()

    assert (error.value.reason, harness.gateway.sent_sms) == ("rate_limited", [])


def test_no_sms_is_sent_while_sending_is_stopped() -> None:
    harness = ChannelHarness()
    harness.rate_limiter.stop(SendingStop("by_hand", ends_at=None))

    with pytest.raises(TransientFailure) as error:
        harness.send()

    assert (error.value.reason, harness.gateway.sent_sms) == ("stopped", [])


def test_errors_of_the_gateway_are_raised() -> None:
    with pytest.raises(OutcomeUnknown):
        ChannelHarness(OutcomeUnknown("ReadTimeoutError")).send()
