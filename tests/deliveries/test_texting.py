"""A manager's text: in the line of all texts, never to a phone that wants none."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.campaigns.model import Manager
from chalicelib.deliveries.model import DeliveryId
from chalicelib.deliveries.service import OutgoingReport
from chalicelib.deliveries.sms import SmsChannelDependencies, SmsReportChannel
from chalicelib.messaging.errors import OutcomeUnknown, PermanentFailure, TransientFailure
from chalicelib.messaging.rate_limiter import SendingStop, SendRate
from tests.support.builders import NOW
from tests.support.delivery_harness import HASHING
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.gateway import ScriptedGateway
from tests.support.fakes.sms import InMemorySendRateLimiter
from tests.support.report_builders import make_report

PHONE = "+6282455507801"
WORDS = "Daftar: 157 terdaftar."


class Phones:
    """Satisfies `texting.OptOuts`."""

    def __init__(self, *opted_out: str) -> None:
        self._hashes = {HASHING.digest("phone", phone) for phone in opted_out}

    def has_opted_out(self, phone_hash: str) -> bool:
        """Whether this phone wants none."""
        return phone_hash in self._hashes


class Stage:
    def __init__(self, gateway: ScriptedGateway | None = None, *opted_out: str) -> None:
        self.gateway = gateway or ScriptedGateway()
        self.line = InMemorySendRateLimiter()
        self.waited: list[timedelta] = []
        self.texting = SmsReportChannel(
            gateway=self.gateway,
            rate_limiter=self.line,
            rate=SendRate(10),
            opt_outs=Phones(*opted_out),
            render_body=lambda report: WORDS,
            dependencies=SmsChannelDependencies(FixedClock(NOW), self.waited.append, HASHING),
        )

    def send(self, phone: str | None = "0824 5550 7801") -> None:
        manager = Manager(name="Manajer Satu", phone=phone)
        self.texting.send(OutgoingReport(DeliveryId("d" * 32), manager, make_report()))


def test_a_text_goes_to_the_managers_number_in_its_one_form() -> None:
    stage = Stage()

    stage.send()

    (outgoing,) = stage.gateway.sent_sms
    assert (outgoing.phone, outgoing.body, outgoing.sms_id) == (PHONE, WORDS, "d" * 32)
    assert (outgoing.parts, outgoing.campaign_id) == (1, "tanah-abang-2024")
    assert NOW < outgoing.deadline <= NOW + timedelta(hours=3)


@pytest.mark.parametrize(("given", "found"), [("0824-5550-7801", PHONE), ("none", "none"), (None, None)])
def test_a_manager_is_known_by_the_number_however_it_is_written(given: str | None, found: Any) -> None:
    assert Stage().texting.find_address(Manager(name="Manajer Satu", phone=given)) == found


@pytest.mark.parametrize("phone", ["none", "021-5551234", "+15551234567"])
def test_what_is_no_indonesian_mobile_is_texted_never(phone: str) -> None:
    stage = Stage()

    with pytest.raises(PermanentFailure):
        stage.send(phone)

    assert stage.gateway.sent_sms == []


def test_a_phone_that_wants_no_texts_gets_none() -> None:
    stage = Stage(None, PHONE)

    with pytest.raises(PermanentFailure) as refused:
        stage.send()

    assert (refused.value.reason, stage.gateway.sent_sms) == ("opted_out", [])


def test_a_text_waits_for_its_turn_in_the_line() -> None:
    stage = Stage()
    stage.line.reserve(timedelta(seconds=1.5), now=NOW, max_wait=timedelta(0))

    stage.send()

    assert stage.waited == [timedelta(seconds=1.5)]


def test_a_long_line_is_left_to_workers() -> None:
    stage = Stage()
    stage.line.reserve(timedelta(seconds=60), now=NOW, max_wait=timedelta(0))

    with pytest.raises(TransientFailure) as later:
        stage.send()

    assert (later.value.reason, stage.gateway.sent_sms) == ("rate_limited", [])


def test_where_sending_is_stopped_managers_wait_as_well() -> None:
    stage = Stage()
    stage.line.stop(SendingStop("by_hand", ends_at=None))

    with pytest.raises(TransientFailure) as later:
        stage.send()

    assert (later.value.reason, stage.gateway.sent_sms) == ("stopped", [])


def test_what_the_gateway_answers_is_for_the_delivery_to_judge() -> None:
    with pytest.raises(OutcomeUnknown):
        Stage(ScriptedGateway(OutcomeUnknown("ReadTimeoutError"))).send()
