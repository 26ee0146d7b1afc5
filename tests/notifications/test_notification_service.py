"""One SMS per event, whatever is repeated, late, concurrent or interrupted."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging.errors import (
    AccountFailure,
    CircuitOpen,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.notifications.bodies import Purpose
from chalicelib.notifications.errors import SmsUnknown
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.registrations.errors import RegistrationUnknown
from tests.support.builders import NOW
from tests.support.notification_harness import NotificationHarness, WorkerKilled
from tests.support.registration_builders import FIRST_DAY, make_reference, make_registration, make_sms

AGAIN = timedelta(minutes=3)
MINUTE = timedelta(minutes=1)


def test_event_sends_one_sms_to_the_worker() -> None:
    harness = NotificationHarness("gateway-1")
    sms = harness.consume_event()

    (sent,) = harness.gateway.sent_sms
    assert sent.phone == "+6282455507001"
    assert sent.body.startswith(
        "BPJAMSOSTEK: Data Melati Kusumawati sudah kami terima. No. daftar 7K4-M2Q-X9P."
    )
    assert (sent.parts, sent.campaign_id, sent.purpose) == (1, "tanah-abang-2024", "received")
    assert sent.deadline == NOW + timedelta(hours=36)
    assert (sms.state, set(sms.sends), sms.attempts) == (SmsState.ACCEPTED, {"gateway-1"}, 1)
    assert sms.due_at is None
    assert harness.get_only_sms() == sms


def test_row_holds_no_body_number_or_name() -> None:
    harness = NotificationHarness()
    harness.consume_event()
    for personal in ("Melati", "82455507001", "BPJAMSOSTEK"):
        assert personal not in repr(harness.get_only_sms())


def test_repeated_event_sends_nothing() -> None:
    harness = NotificationHarness()
    first = harness.consume_event()
    for _ in range(5):
        assert harness.advance(AGAIN).consume_event() == first
    assert len(harness.gateway.sent_sms) == 1


def test_transient_failure_is_retried_by_a_later_run() -> None:
    harness = NotificationHarness(TransientFailure("ThrottlingException"), "gateway-1")
    waiting = harness.consume_event()
    assert (waiting.state, waiting.reason) == (SmsState.PENDING, "ThrottlingException")
    assert waiting.due_at == NOW + timedelta(seconds=30)
    assert harness.advance(timedelta(seconds=29)).run_due_sms() == []

    (sms,) = harness.advance(timedelta(seconds=1)).run_due_sms()

    assert (sms.state, sms.attempts, sms.reason) == (SmsState.ACCEPTED, 2, None)
    assert len(harness.gateway.sent_sms) == 2


def test_retry_delays_grow_until_the_deadline() -> None:
    harness = NotificationHarness(*[TransientFailure("ThrottlingException")] * 100)
    harness.consume_event()
    waits = []
    while harness.get_only_sms().state is SmsState.PENDING:
        due_at = harness.get_only_sms().due_at
        assert due_at is not None
        waits.append(due_at - harness.clock.now)
        harness.clock.now = due_at
        harness.run_due_sms()

    minutes = [wait / MINUTE for wait in waits]
    assert minutes[:5] == [0.5, 2, 10, 30, 120]
    assert set(minutes[5:]) == {120}
    assert harness.clock.now <= NOW + timedelta(hours=36)
    assert (harness.get_only_sms().state, harness.get_only_sms().reason) == (
        SmsState.FAILED,
        "expired:ThrottlingException",
    )
    assert harness.get_committed_budget() == 0


def test_permanent_failure_is_never_retried() -> None:
    harness = NotificationHarness(
        PermanentFailure("ValidationException:DESTINATION_COUNTRY_BLOCKED", gateway="scripted")
    )
    failed = harness.consume_event()
    assert (failed.state, failed.reason, failed.gateway) == (
        SmsState.FAILED,
        "ValidationException:DESTINATION_COUNTRY_BLOCKED",
        "scripted",
    )
    assert harness.advance(AGAIN).consume_event() == failed
    assert len(harness.gateway.sent_sms) == 1
    assert harness.get_committed_budget() == 0


def test_unknown_outcome_is_not_resent_for_15_minutes() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    unknown = harness.consume_event()
    assert (unknown.state, unknown.reason) == (SmsState.UNKNOWN, "ReadTimeoutError")
    assert harness.advance(timedelta(minutes=14, seconds=59)).run_due_sms() == []
    assert harness.consume_event() == unknown
    assert len(harness.gateway.sent_sms) == 1


def test_harmless_duplicate_is_sent_once_without_a_receipt() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"), OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.advance(timedelta(minutes=15)).receive_receipt_of_another_sms()

    (again,) = harness.run_due_sms()

    assert (again.state, again.is_resent, again.attempts) == (SmsState.UNKNOWN, True, 2)
    assert harness.get_committed_budget() == 2 * 350
    assert harness.advance(timedelta(hours=5)).run_due_sms() == []
    assert len(harness.gateway.sent_sms) == 2


def test_unknown_sms_is_held_while_no_receipts_come_in() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.receive_receipt_of_another_sms()
    harness.consume_event()

    (held,) = harness.advance(timedelta(minutes=15)).run_due_sms()

    assert (held.state, held.reason, held.due_at) == (SmsState.HELD, "receipts_silent", None)
    assert harness.advance(timedelta(days=1)).run_due_sms() == []
    assert len(harness.gateway.sent_sms) == 1


def test_receipt_that_comes_late_settles_an_sms_held_without_receipts() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.advance(timedelta(minutes=15)).run_due_sms()

    harness.advance(timedelta(hours=9)).receive_receipt("gateway-9")

    assert harness.get_only_sms().state is SmsState.DELIVERED
    assert harness.release(FIRST_DAY.campaign_id) == 0
    assert (len(harness.gateway.sent_sms), harness.get_committed_budget()) == (1, 350)


def test_sms_held_without_receipts_is_sent_once_more_when_a_person_releases_it() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"), OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.advance(timedelta(minutes=15)).run_due_sms()

    assert harness.release(FIRST_DAY.campaign_id) == 1
    harness.run_due_sms()

    assert (len(harness.gateway.sent_sms), harness.get_committed_budget()) == (2, 700)
    harness.advance(timedelta(minutes=15)).receive_receipt_of_another_sms()
    assert harness.advance(timedelta(hours=5)).run_due_sms() == []


def test_receipt_settles_an_unknown_sms() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()

    harness.advance(MINUTE).receive_receipt("gateway-9", "sent")

    assert harness.get_only_sms().state is SmsState.SENT
    assert harness.advance(timedelta(hours=2)).run_due_sms() == []
    assert len(harness.gateway.sent_sms) == 1


def test_receipt_prevents_a_queued_second_copy() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.advance(timedelta(minutes=15))
    due = harness.get_only_sms().sms_id
    harness.receive_receipt("gateway-9")

    assert harness.service.resume(due).state is SmsState.DELIVERED
    assert len(harness.gateway.sent_sms) == 1


def test_repeated_event_during_the_attempt_sends_nothing() -> None:
    harness = NotificationHarness("gateway-1")
    seen = []
    harness.gateway.on_send = lambda: seen.append(harness.consume_event().state)

    assert harness.consume_event().state is SmsState.ACCEPTED
    assert seen == [SmsState.ATTEMPT_STARTED]
    assert len(harness.gateway.sent_sms) == 1


def test_receipt_before_the_gateways_answer_is_kept() -> None:
    harness = NotificationHarness("gateway-1")
    harness.gateway.on_send = lambda: harness.receive_receipt("gateway-1", "delivered")

    assert harness.consume_event().state is SmsState.DELIVERED
    assert set(harness.get_only_sms().sends) == {"gateway-1"}
    assert (harness.get_only_sms().open_attempts, harness.get_committed_budget()) == (0, 350)


def test_attempt_whose_process_died_is_unknown_after_one_minute_and_resent_after_15() -> None:
    harness = NotificationHarness(WorkerKilled())
    with pytest.raises(WorkerKilled):
        harness.consume_event()
    assert harness.get_only_sms().state is SmsState.ATTEMPT_STARTED
    assert harness.advance(timedelta(seconds=59)).consume_event().state is SmsState.ATTEMPT_STARTED

    sms = harness.advance(timedelta(seconds=1)).consume_event()
    assert (sms.state, sms.reason) == (SmsState.UNKNOWN, "attempt_timed_out")
    assert len(harness.gateway.sent_sms) == 1

    harness.advance(timedelta(minutes=14)).receive_receipt_of_another_sms()
    (sms,) = harness.run_due_sms()
    assert sms.state is SmsState.ACCEPTED
    assert len(harness.gateway.sent_sms) == 2


def test_claim_whose_process_died_is_taken_over_after_a_minute() -> None:
    harness = NotificationHarness()

    def die(duration: timedelta, *, now: datetime, max_wait: timedelta) -> datetime:
        raise WorkerKilled

    harness.rate_limiter.reserve = die  # type: ignore[method-assign]
    with pytest.raises(WorkerKilled):
        harness.consume_event()
    assert harness.get_only_sms().state is SmsState.CLAIMED
    del harness.rate_limiter.reserve
    assert harness.advance(timedelta(seconds=59)).consume_event().state is SmsState.CLAIMED

    assert harness.advance(timedelta(seconds=1)).consume_event().state is SmsState.ACCEPTED
    assert (len(harness.gateway.sent_sms), harness.get_committed_budget()) == (1, 350)


@pytest.mark.parametrize("state", [SmsState.PENDING, SmsState.CLAIMED])
def test_sms_whose_process_died_is_due_after_an_hour(state: SmsState) -> None:
    harness = NotificationHarness()
    writes = {SmsState.PENDING: 2, SmsState.CLAIMED: 3}[state]
    left = iter(range(writes))

    def stop_at_last() -> None:
        if next(left) == writes - 1:
            raise WorkerKilled

    harness.ledger.before_write = stop_at_last
    with pytest.raises(WorkerKilled):
        harness.consume_event()
    harness.ledger.before_write = lambda: None
    assert harness.get_only_sms().state is state
    assert harness.advance(timedelta(minutes=59)).run_due_sms() == []

    (sms,) = harness.advance(MINUTE).run_due_sms()

    assert sms.state is SmsState.ACCEPTED
    assert len(harness.gateway.sent_sms) == 1


def test_lost_message_is_queued_again_after_an_hour() -> None:
    harness = NotificationHarness(TransientFailure("ThrottlingException"))
    harness.consume_event()
    harness.service.resume = lambda sms_id: harness.get_only_sms()  # type: ignore[method-assign]
    harness.advance(MINUTE).run_due_sms()
    harness.service = harness.make_service()
    assert harness.advance(timedelta(minutes=59)).run_due_sms() == []

    (sms,) = harness.advance(MINUTE).run_due_sms()

    assert sms.state is SmsState.ACCEPTED


def test_one_of_two_concurrent_processes_sends_the_sms() -> None:
    harness = NotificationHarness(TransientFailure("ThrottlingException"))
    waiting = harness.consume_event()
    harness.advance(MINUTE)
    harness.ledger.before_write = lambda: None
    won = []

    def the_other_is_faster() -> None:
        harness.ledger.before_write = lambda: None
        won.append(harness.make_service().resume(waiting.sms_id).state)

    harness.ledger.before_write = the_other_is_faster
    assert harness.service.resume(waiting.sms_id).state is SmsState.ACCEPTED
    assert won == [SmsState.ACCEPTED]
    assert len(harness.gateway.sent_sms) == 2


def test_unknown_registration_or_sms_raises() -> None:
    harness = NotificationHarness()
    with pytest.raises(RegistrationUnknown):
        harness.consume_event(reference="B3D-F5H-J7M")
    with pytest.raises(SmsUnknown):
        harness.service.resume(SmsId("unknown"))
    assert harness.ledger.sms_by_id == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda sms: sms,
        lambda sms: sms.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day),
        lambda sms: sms.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day).defer(NOW, "stopped"),
        lambda sms: _unknown(sms, may_resend=True),
    ],
    ids=["pending", "claimed", "deferred", "unknown, to be resent"],
)
def test_sms_of_an_erased_registration_is_abandoned(
    change: Callable[[Sms], Sms],
) -> None:
    harness = NotificationHarness()
    harness.ledger.sms_by_id[make_sms().sms_id] = change(make_sms())
    harness.registrations.remove(make_sms().reference)

    (sms,) = harness.advance(timedelta(hours=2)).run_due_sms()

    assert sms.state is (SmsState.UNKNOWN if sms.open_attempts else SmsState.FAILED)
    assert (sms.reason, sms.due_at) == ("no_recipient", None)
    assert harness.advance(timedelta(days=1)).run_due_sms() == []
    assert harness.gateway.sent_sms == []


def _unknown(sms: Sms, *, may_resend: bool) -> Sms:
    started = sms.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day).start_attempt(NOW)
    return started.record_unknown_outcome("read_timeout", "aws", may_resend=may_resend)


def test_sms_that_is_erased_during_a_send_or_receipt_is_not_stored_again() -> None:
    harness = NotificationHarness()
    sms = harness.consume_event()

    def erase() -> None:
        harness.ledger.sms_by_id.clear()

    harness.ledger.before_write = erase
    harness.receive_receipt("gateway-1", opted_out=True)

    assert harness.ledger.sms_by_id == {}
    assert set(harness.opt_outs.by_phone_hash) == {sms.phone_hash}
    with pytest.raises(SmsUnknown):
        harness.consume_event()


def test_body_is_in_the_language_of_the_registration() -> None:
    harness = NotificationHarness(registrations=[make_registration(language="en")])
    harness.consume_event()
    assert "not protected before you have paid" in harness.gateway.sent_sms[0].body


@pytest.mark.parametrize("number", ["+6221555070", "+60123456789", "+6280455507001", "+628245550700123"])
def test_only_indonesian_mobile_numbers_are_sent_to(number: str) -> None:
    harness = NotificationHarness(registrations=[make_registration(phone=number)])
    sms = harness.consume_event()
    assert (sms.state, sms.reason) == (SmsState.FAILED, "not_an_indonesian_mobile")
    assert harness.gateway.sent_sms == []


# Opting out


def test_nothing_is_sent_after_an_opt_out_at_the_gateway() -> None:
    family = [make_registration(), make_registration(make_reference(2), worker_key="another")]
    harness = NotificationHarness(
        PermanentFailure("ConflictException:OPTED_OUT", opted_out=True), registrations=family
    )
    harness.consume_event()

    sms = harness.consume_event(reference=make_reference(2))

    assert (sms.state, sms.reason) == (SmsState.FAILED, "opted_out")
    assert len(harness.gateway.sent_sms) == 1


def test_nothing_is_sent_after_an_opt_out_by_receipt() -> None:
    family = [make_registration(), make_registration(make_reference(2), worker_key="another")]
    harness = NotificationHarness(registrations=family)
    harness.consume_event()
    harness.receive_receipt("gateway-1", "failed", opted_out=True)

    assert harness.consume_event(reference=make_reference(2)).reason == "opted_out"
    assert len(harness.gateway.sent_sms) == 1
    assert "82455507001" not in repr(harness.opt_outs.by_phone_hash)


def lift(harness: NotificationHarness) -> None:
    """Lift the only opt-out."""
    (phone_hash,) = harness.opt_outs.by_phone_hash
    assert harness.opt_outs.lift(phone_hash, occurred_at=harness.clock(), lifted_by="salemba")


def test_new_events_send_sms_after_an_opt_out_was_lifted_and_abandoned_sms_stay_so() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in (1, 2, 3)]
    harness = NotificationHarness(
        PermanentFailure("ConflictException:OPTED_OUT", opted_out=True), registrations=family
    )
    abandoned = [harness.consume_event(reference=make_reference(number)) for number in (1, 2)]
    lift(harness.advance(timedelta(hours=2)))

    assert harness.consume_event(reference=make_reference(3)).state is SmsState.ACCEPTED
    assert harness.advance(timedelta(days=1)).run_due_sms() == []
    assert [harness.ledger.get(sms.sms_id) for sms in abandoned] == abandoned


def test_late_receipt_does_not_restore_a_lifted_opt_out() -> None:
    harness = NotificationHarness("gateway-1")
    harness.consume_event()
    harness.receive_receipt("gateway-1", "failed", opted_out=True)
    lift(harness.advance(timedelta(hours=1)))

    harness.advance(timedelta(hours=1)).receive_receipt("gateway-1", "failed", opted_out=True)

    (opt_out,) = harness.opt_outs.by_phone_hash.values()
    assert not opt_out.is_in_force


def test_opt_out_that_is_lifted_during_an_attempt_stays_lifted() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in (1, 2)]
    opted_out = [PermanentFailure("OPTED_OUT", opted_out=True) for _ in range(2)]
    harness = NotificationHarness(*opted_out, registrations=family)
    harness.consume_event(reference=make_reference(1))
    (phone_hash,) = harness.opt_outs.by_phone_hash
    harness.opt_outs.by_phone_hash.clear()

    def meanwhile() -> None:
        harness.opt_outs.record(phone_hash, occurred_at=harness.clock(), source="another process")
        lift(harness.advance(timedelta(seconds=1)))
        harness.advance(timedelta(seconds=1))

    harness.gateway.on_send = meanwhile
    harness.consume_event(reference=make_reference(2))

    assert not harness.opt_outs.by_phone_hash[phone_hash].is_in_force


def test_refusal_after_an_opt_out_was_lifted_opts_out_again() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in (1, 2)]
    harness = NotificationHarness(
        *[PermanentFailure("OPTED_OUT", opted_out=True) for _ in range(2)], registrations=family
    )
    harness.consume_event(reference=make_reference(1))
    lift(harness.advance(timedelta(hours=1)))

    harness.advance(timedelta(hours=1)).consume_event(reference=make_reference(2))

    (opt_out,) = harness.opt_outs.by_phone_hash.values()
    assert opt_out.is_in_force


# Rate and stop


def test_sms_are_sent_no_faster_than_the_rate() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+62824555070{number:02d}")
        for number in range(1, 31)
    ]
    harness = NotificationHarness(registrations=family)
    at = []
    harness.gateway.on_send = lambda: at.append(harness.clock.now)
    for registration in family:
        harness.consume_event(reference=registration.reference)

    gaps = {later - earlier for earlier, later in pairwise(at)}
    assert gaps == {timedelta(milliseconds=100)}


def test_nothing_is_sent_or_lost_while_sending_is_stopped() -> None:
    harness = NotificationHarness()
    harness.rate_limiter.stop(SendingStop("by hand", None))
    sms = harness.consume_event()
    assert (sms.state, sms.reason, sms.attempts) == (SmsState.PENDING, "stopped", 0)
    assert harness.gateway.sent_sms == []

    harness.rate_limiter.resume(harness.clock())
    (sms,) = harness.advance(timedelta(minutes=5)).run_due_sms()

    assert sms.state is SmsState.ACCEPTED


def test_account_failure_stops_sending_for_15_minutes() -> None:
    family = [make_registration(), make_registration(make_reference(2), worker_key="another")]
    harness = NotificationHarness(AccountFailure("ServiceQuotaExceededException"), registrations=family)
    assert harness.consume_event().state is SmsState.PENDING
    assert harness.consume_event(reference=make_reference(2)).reason == "stopped"
    assert len(harness.gateway.sent_sms) == 1

    sms_list = harness.advance(timedelta(minutes=16)).run_due_sms()

    assert [sms.state for sms in sms_list] == [SmsState.ACCEPTED] * 2


# Limits


def test_retry_delay_does_not_grow_while_the_circuit_is_open() -> None:
    harness = NotificationHarness(*[CircuitOpen("circuit_open")] * 6, "gateway-1")
    harness.consume_event()
    for _ in range(6):
        waiting = harness.get_only_sms()
        assert (waiting.state, waiting.attempts) == (SmsState.PENDING, 0)
        assert waiting.due_at == harness.clock() + timedelta(minutes=7, seconds=30)
        (sms,) = harness.advance(timedelta(minutes=7, seconds=30)).run_due_sms()
    assert (sms.state, sms.attempts) == (SmsState.ACCEPTED, 1)


def test_sms_over_the_daily_limit_waits_for_the_next_morning() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in range(1, 5)]
    harness = NotificationHarness(registrations=family)
    sms_list = [harness.consume_event(reference=each.reference) for each in family]

    assert [sms.state for sms in sms_list] == [SmsState.ACCEPTED] * 3 + [SmsState.PENDING]
    # Noon in Jakarta; quiet hours end at eight, and the random fraction adds 15 minutes.
    assert sms_list[3].due_at == NOW + timedelta(hours=20, minutes=15)
    assert sms_list[3].reason == "daily_limit_reached"
    (sms,) = harness.advance(timedelta(hours=20, minutes=15)).run_due_sms()
    assert sms.state is SmsState.ACCEPTED


def test_each_of_many_workers_with_one_phone_is_told_once_in_the_end() -> None:
    cooperative = [
        make_registration(make_reference(number), worker_key=str(number)) for number in range(1, 21)
    ]
    harness = NotificationHarness(registrations=cooperative)
    for each in cooperative:
        harness.consume_event(reference=each.reference)

    for _ in range(7):
        harness.advance(timedelta(days=1)).run_due_sms()

    assert {sms.state for sms in harness.ledger.sms_by_id.values()} == {SmsState.ACCEPTED}
    assert len(harness.gateway.sent_sms) == len(cooperative)


def test_sms_over_the_budget_are_held_until_released() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+628245550700{number}")
        for number in range(1, 4)
    ]
    harness = NotificationHarness(registrations=family, sms_budget=2 * 350 + 349)
    sms_list = [harness.consume_event(reference=each.reference) for each in family]
    assert [sms.state for sms in sms_list] == [SmsState.ACCEPTED] * 2 + [SmsState.HELD]
    assert harness.advance(timedelta(days=1)).run_due_sms() == []
    assert harness.get_committed_budget() == 2 * 350

    assert harness.release("senen-2024") == 0
    assert harness.release("tanah-abang-2024") == 1
    (sms,) = harness.run_due_sms()

    assert (sms.state, sms.is_released) == (SmsState.ACCEPTED, True)
    assert harness.release("tanah-abang-2024") == 0


def test_sms_held_beyond_its_deadline_is_sent_after_its_release() -> None:
    harness = NotificationHarness(sms_budget=0)
    harness.consume_event()
    harness.advance(timedelta(days=30))

    assert harness.release("tanah-abang-2024") == 1
    (sms,) = harness.run_due_sms()

    assert sms.state is SmsState.ACCEPTED


def test_price_of_a_receipt_replaces_the_reserved_price() -> None:
    harness = NotificationHarness("gateway-1")
    harness.consume_event()
    assert harness.get_committed_budget() == 350

    for _ in range(2):
        harness.receive_receipt("gateway-1", "sent", parts=1, price_microusd=20_001)
        harness.receive_receipt("gateway-1", "delivered", parts=1, price_microusd=20_001)

    assert harness.get_committed_budget() == 331, "rounded up"
    assert harness.count_sms().money == 331


def test_campaign_without_budget_holds_every_sms() -> None:
    harness = NotificationHarness(sms_budget=0)
    assert harness.consume_event().state is SmsState.HELD
    assert harness.gateway.sent_sms == []


def test_sms_of_a_day_are_counted_by_state_with_parts_and_cost() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+628245550700{number}")
        for number in range(1, 4)
    ]
    harness = NotificationHarness(
        "gateway-1", PermanentFailure("no"), OutcomeUnknown("ReadTimeoutError"), registrations=family
    )
    for each in family:
        harness.consume_event(reference=each.reference)

    sms_list = harness.count_sms()

    assert sms_list.by_state == {"accepted": 1, "failed": 1, "unknown": 1}
    assert (sms_list.parts, sms_list.money) == (1, 2 * 350)


# Reminders


def test_reminder_is_stored_and_waits_for_the_schedule() -> None:
    harness = NotificationHarness()
    sms = harness.consume_event(Purpose.LAPSING_SOON, event_version=2)
    assert (sms.state, sms.due_at, harness.gateway.sent_sms) == (SmsState.PENDING, NOW, [])


Step = Literal["event", "due run", "sent", "delivered", "failed", "receipt of another", "wait"]


def take_step(harness: NotificationHarness, step: Step) -> None:
    match step:
        case "event":
            harness.consume_event()
        case "due run":
            harness.run_due_sms()
        case "wait":
            harness.advance(timedelta(minutes=20))
        case "receipt of another":
            harness.receive_receipt_of_another_sms()
        case "sent" | "delivered" | "failed":
            harness.receive_receipt("accepted", step)


@given(
    answers=st.lists(
        st.sampled_from(
            [
                "accepted",
                TransientFailure("later"),
                PermanentFailure("never"),
                OutcomeUnknown("unknown"),
                AccountFailure("stop"),
                WorkerKilled(),
            ]
        ),
        max_size=6,
    ),
    steps=st.lists(st.sampled_from(get_args(Step)), max_size=14),
)
def test_at_most_one_duplicate_is_sent_in_any_order_of_events(
    answers: list[str | Exception],
    steps: list[Step],
) -> None:
    harness = NotificationHarness(*answers)
    for step in ("event", *steps):
        with suppress(WorkerKilled):
            take_step(harness, step)
    used = answers[: len(harness.gateway.sent_sms)] + ["accepted"] * len(
        harness.gateway.sent_sms[len(answers) :]
    )
    surely_not = (TransientFailure, PermanentFailure, AccountFailure)
    perhaps_sent = [each for each in used if not isinstance(each, surely_not)]
    unsure = [each for each in perhaps_sent if isinstance(each, OutcomeUnknown | WorkerKilled)]
    assert len(perhaps_sent) <= 1 + (len(unsure) > 0)
    sms = harness.get_only_sms()
    assert sms.attempts == len(harness.gateway.sent_sms)
    assert sms.open_attempts >= 0
    assert harness.get_committed_budget() == sms.committed
    if sms.state is SmsState.HELD:
        assert sms.reason == "receipts_silent"
    elif sms.state not in {SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED, SmsState.FAILED}:
        waits_for_a_person = sms.state is SmsState.UNKNOWN and sms.is_resent
        assert sms.due_at is not None or waits_for_a_person, "it will be due again"
