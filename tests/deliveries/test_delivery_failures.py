"""Deliveries that fail, are repeated or have no address: no manager delays another, no SMS is sent twice."""

from datetime import timedelta

import pytest

from chalicelib.deliveries.model import CLAIM_TIMEOUT, MAX_ATTEMPTS, DeliveryState, Medium
from chalicelib.messaging.errors import OutcomeUnknown, PermanentFailure, TransientFailure
from chalicelib.rollups.outbox import Consumer
from tests.support.delivery_harness import MANAGER_ONE, MANAGER_TWO, DeliveryHarness
from tests.support.registration_builders import make_campaign
from tests.support.report_builders import FINAL, SUMMARY_HOUR

RUN_INTERVAL, AN_HOUR, A_DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
BOTH = {"Manajer Satu": 1, "Manajer Dua": 1}


def test_rejected_mail_is_retried_and_does_not_delay_other_managers() -> None:
    harness = DeliveryHarness()
    harness.mail_channel.answers = [TransientFailure("TooManyRequestsException")]
    harness.run_hour()
    assert harness.mail_channel.sent_per_manager == BOTH
    harness.clock.advance(RUN_INTERVAL)

    (retried,) = harness.run_delivery()

    assert (retried.state, retried.attempts) == (DeliveryState.ACCEPTED, 2)
    assert harness.mail_channel.sent_per_manager == {"Manajer Satu": 2, "Manajer Dua": 1}


def test_manager_who_got_an_older_version_gets_the_revision() -> None:
    harness = DeliveryHarness(FINAL)
    harness.mail_channel.answers = [None, TransientFailure("TooManyRequestsException")]
    harness.run_hour()
    harness.clock.advance(RUN_INTERVAL)
    harness.add_captures(number=9)
    harness.run_hour()
    assert [each.summary.counts.created for each in harness.mail_channel.sent_reports] == [0, 0, 9]
    harness.clock.now = SUMMARY_HOUR + A_DAY

    harness.run_hour()

    reported = [each.report for each in harness.mail_channel.sent if each.manager.name == "Manajer Satu"]
    assert [each.counts.created for each in reported[-1].revisions] == [9]


def test_mail_fails_after_the_maximum_of_attempts() -> None:
    harness = DeliveryHarness(campaign=make_campaign(managers=[{**MANAGER_ONE, "phone": None}]))
    harness.mail_channel.answers = [TransientFailure("SendingPausedException")] * (MAX_ATTEMPTS + 5)
    harness.run_rollup()
    last = harness.run_delivery()
    for _ in range(MAX_ATTEMPTS + 3):
        last = harness.run_delivery() or last
        harness.clock.advance(RUN_INTERVAL)

    assert [(each.state, each.reason) for each in last] == [(DeliveryState.FAILED, "SendingPausedException")]
    assert len(harness.mail_channel.sent) == MAX_ATTEMPTS
    assert list(harness.summaries.outbox.iter_entries(Consumer.MANAGERS)) == []


def test_permanent_failure_of_a_mail_is_not_retried() -> None:
    harness = DeliveryHarness()
    harness.mail_channel.answers = [PermanentFailure("address_unusable")]
    harness.run_hour()
    harness.clock.advance(RUN_INTERVAL)

    assert harness.run_delivery() == []
    assert harness.mail_channel.sent_per_manager == BOTH


def test_unknown_outcome_repeats_a_mail_once_and_an_sms_never() -> None:
    harness = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    for channel in (harness.mail_channel, harness.sms_channel):
        channel.answers = [OutcomeUnknown("ReadTimeoutError")] * 5
    for _ in range(4):
        harness.run_hour()
        harness.clock.advance(RUN_INTERVAL)

    assert (len(harness.mail_channel.sent), len(harness.sms_channel.sent)) == (2, 1)
    assert {each.state for each in harness.deliveries.by_id.values()} == {DeliveryState.UNKNOWN}


def test_unexpected_error_does_not_delay_other_managers() -> None:
    harness = DeliveryHarness()
    failure = RuntimeError("rendering failed")
    harness.mail_channel.answers = [failure]

    harness.run_hour()

    assert harness.failures == [failure]
    assert harness.mail_channel.sent_per_manager == BOTH


@pytest.mark.parametrize(("medium", "sent_again"), [(Medium.MAIL, 1), (Medium.SMS, 0)])
def test_claim_whose_process_died_repeats_a_mail_but_no_sms(medium: Medium, sent_again: int) -> None:
    harness = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    harness.run_rollup()
    channel = harness.mail_channel if medium is Medium.MAIL else harness.sms_channel
    channel.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        harness.run_delivery(harness.make_delivery_service(medium))
    harness.clock.advance(CLAIM_TIMEOUT - timedelta(seconds=1))
    assert harness.run_delivery(harness.make_delivery_service(medium)) == [], "its process may still be alive"
    harness.clock.advance(timedelta(seconds=1))

    harness.run_delivery(harness.make_delivery_service(medium))

    assert len(channel.sent) == 1 + sent_again


def test_one_of_two_concurrent_runs_sends() -> None:
    harness = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    harness.run_rollup()
    other = harness.make_delivery_service()

    def run_other_first() -> None:
        harness.deliveries.before_write = lambda: None
        harness.run_delivery(other)

    harness.deliveries.before_write = run_other_first

    harness.run_delivery()

    assert (len(harness.mail_channel.sent), len(harness.sms_channel.sent)) == (1, 1)


def test_manager_without_an_address_gets_nothing_on_that_channel() -> None:
    harness = DeliveryHarness(
        campaign=make_campaign(managers=[{**MANAGER_ONE, "email": None}, {**MANAGER_TWO, "phone": None}])
    )

    harness.run_hour()

    assert harness.mail_channel.sent_per_manager == {"Manajer Dua": 1}
    assert harness.sms_channel.sent_per_manager == {"Manajer Satu": 1}


def test_no_mail_is_sent_without_a_sender_nor_later() -> None:
    harness = DeliveryHarness()
    harness.run_rollup()
    without_mail = harness.make_delivery_service(Medium.SMS)

    harness.run_delivery(without_mail)

    assert not without_mail.has_mail_channel
    assert harness.sms_channel.sent_per_manager == BOTH
    assert harness.run_delivery() == [], "its days were removed"


def test_stored_deliveries_hold_no_address() -> None:
    harness = DeliveryHarness()
    harness.run_hour()

    stored = repr(harness.deliveries.by_id)
    assert not [each for each in ("satu@", "dua@", "8123456", "Manajer") if each in stored]
