"""One text per event: whatever comes twice, late, at once, or never ends."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

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
from chalicelib.notifications.errors import SmsUnknown
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.notifications.templates import Purpose
from chalicelib.registrations.errors import RegistrationUnknown
from tests.support.builders import NOW
from tests.support.notification_harness import NotificationHarness, WorkerKilled
from tests.support.registration_builders import FIRST_DAY, make_reference, make_registration, make_sms

AGAIN = timedelta(minutes=3)
MINUTE = timedelta(minutes=1)


def test_a_worker_is_told_by_text() -> None:
    stage = NotificationHarness("gateway-1")
    text = stage.consume_event()

    (sent,) = stage.gateway.sent_sms
    assert sent.phone == "+6282455507001"
    assert sent.body.startswith(
        "BPJAMSOSTEK: Data Melati Kusumawati sudah kami terima. No. daftar 7K4-M2Q-X9P."
    )
    assert (sent.parts, sent.campaign_id, sent.purpose) == (1, "tanah-abang-2024", "received")
    assert sent.deadline == NOW + timedelta(hours=36)
    assert (text.state, set(text.sends), text.attempts) == (SmsState.ACCEPTED, {"gateway-1"}, 1)
    assert text.due_at is None
    assert stage.get_only_sms() == text


def test_a_row_of_the_ledger_holds_neither_words_nor_number_nor_name() -> None:
    stage = NotificationHarness()
    stage.consume_event()
    for personal in ("Melati", "82455507001", "BPJAMSOSTEK"):
        assert personal not in repr(stage.get_only_sms())


def test_an_event_told_once_is_not_told_again() -> None:
    stage = NotificationHarness()
    first = stage.consume_event()
    for _ in range(5):
        assert stage.advance(AGAIN).consume_event() == first
    assert len(stage.gateway.sent_sms) == 1


def test_a_text_not_taken_now_waits_and_goes_out_in_a_later_round() -> None:
    stage = NotificationHarness(TransientFailure("ThrottlingException"), "gateway-1")
    waiting = stage.consume_event()
    assert (waiting.state, waiting.reason) == (SmsState.PENDING, "ThrottlingException")
    assert waiting.due_at == NOW + timedelta(seconds=30)
    assert stage.advance(timedelta(seconds=29)).run_due_sms() == []

    (text,) = stage.advance(timedelta(seconds=1)).run_due_sms()

    assert (text.state, text.attempts, text.reason) == (SmsState.ACCEPTED, 2, None)
    assert len(stage.gateway.sent_sms) == 2


def test_waits_grow_until_the_deadline_and_then_the_text_is_given_up() -> None:
    stage = NotificationHarness(*[TransientFailure("ThrottlingException")] * 100)
    stage.consume_event()
    waits = []
    while stage.get_only_sms().state is SmsState.PENDING:
        due_at = stage.get_only_sms().due_at
        assert due_at is not None
        waits.append(due_at - stage.clock.now)
        stage.clock.now = due_at
        stage.run_due_sms()

    minutes = [wait / MINUTE for wait in waits]
    assert minutes[:5] == [0.5, 2, 10, 30, 120]
    assert set(minutes[5:]) == {120}
    assert stage.clock.now <= NOW + timedelta(hours=36)
    assert (stage.get_only_sms().state, stage.get_only_sms().reason) == (
        SmsState.FAILED,
        "expired:ThrottlingException",
    )
    assert stage.get_committed_budget() == 0


def test_a_text_refused_for_good_is_failed_and_never_tried_again() -> None:
    stage = NotificationHarness(
        PermanentFailure("ValidationException:DESTINATION_COUNTRY_BLOCKED", gateway="scripted")
    )
    failed = stage.consume_event()
    assert (failed.state, failed.reason, failed.gateway) == (
        SmsState.FAILED,
        "ValidationException:DESTINATION_COUNTRY_BLOCKED",
        "scripted",
    )
    assert stage.advance(AGAIN).consume_event() == failed
    assert len(stage.gateway.sent_sms) == 1
    assert stage.get_committed_budget() == 0


def test_a_text_that_may_have_gone_out_is_unknown_and_not_sent_again_for_15_minutes() -> None:
    stage = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    unknown = stage.consume_event()
    assert (unknown.state, unknown.reason) == (SmsState.UNKNOWN, "ReadTimeoutError")
    assert stage.advance(timedelta(minutes=14, seconds=59)).run_due_sms() == []
    assert stage.consume_event() == unknown
    assert len(stage.gateway.sent_sms) == 1


def test_without_a_receipt_a_harmless_duplicate_is_risked_once() -> None:
    stage = NotificationHarness(OutcomeUnknown("ReadTimeoutError"), OutcomeUnknown("ReadTimeoutError"))
    stage.consume_event()

    (again,) = stage.advance(timedelta(minutes=15)).run_due_sms()

    assert (again.state, again.is_resent, again.attempts) == (SmsState.UNKNOWN, True, 2)
    assert stage.get_committed_budget() == 2 * 350
    assert stage.advance(timedelta(hours=5)).run_due_sms() == []
    assert len(stage.gateway.sent_sms) == 2


def test_a_receipt_settles_an_unknown_text_and_nothing_is_sent_again() -> None:
    stage = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    stage.consume_event()

    stage.advance(MINUTE).receive_receipt("gateway-9", "sent")

    assert stage.get_only_sms().state is SmsState.SENT
    assert stage.advance(timedelta(hours=2)).run_due_sms() == []
    assert len(stage.gateway.sent_sms) == 1


def test_a_receipt_that_comes_while_the_second_copy_is_queued_stops_it() -> None:
    stage = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    stage.consume_event()
    stage.advance(timedelta(minutes=15))
    due = stage.get_only_sms().sms_id
    stage.receive_receipt("gateway-9")

    assert stage.service.resume(due).state is SmsState.DELIVERED
    assert len(stage.gateway.sent_sms) == 1


def test_a_second_delivery_while_the_first_is_sending_sends_nothing() -> None:
    stage = NotificationHarness("gateway-1")
    seen = []
    stage.gateway.on_send = lambda: seen.append(stage.consume_event().state)

    assert stage.consume_event().state is SmsState.ACCEPTED
    assert seen == [SmsState.ATTEMPT_STARTED]
    assert len(stage.gateway.sent_sms) == 1


def test_a_receipt_that_overtakes_the_gateways_answer_is_not_lost() -> None:
    stage = NotificationHarness("gateway-1")
    stage.gateway.on_send = lambda: stage.receive_receipt("gateway-1", "delivered")

    assert stage.consume_event().state is SmsState.DELIVERED
    assert set(stage.get_only_sms().sends) == {"gateway-1"}
    assert (stage.get_only_sms().open_attempts, stage.get_committed_budget()) == (0, 350)


def test_an_attempt_that_was_stopped_is_unknown_after_a_minute_and_sent_again_after_15() -> None:
    stage = NotificationHarness(WorkerKilled())
    with pytest.raises(WorkerKilled):
        stage.consume_event()
    assert stage.get_only_sms().state is SmsState.ATTEMPT_STARTED
    assert stage.advance(timedelta(seconds=59)).consume_event().state is SmsState.ATTEMPT_STARTED

    text = stage.advance(timedelta(seconds=1)).consume_event()
    assert (text.state, text.reason) == (SmsState.UNKNOWN, "attempt_timed_out")
    assert len(stage.gateway.sent_sms) == 1

    (text,) = stage.advance(timedelta(minutes=14)).run_due_sms()
    assert text.state is SmsState.ACCEPTED
    assert len(stage.gateway.sent_sms) == 2


def test_a_worker_died_before_its_attempt_began_is_followed_by_another() -> None:
    stage = NotificationHarness()

    def stop(*_: object, **__: object) -> None:
        raise WorkerKilled

    stage.rate_limiter.reserve = stop  # type: ignore[method-assign, assignment]
    with pytest.raises(WorkerKilled):
        stage.consume_event()
    assert stage.get_only_sms().state is SmsState.CLAIMED
    del stage.rate_limiter.reserve  # type: ignore[attr-defined]
    assert stage.advance(timedelta(seconds=59)).consume_event().state is SmsState.CLAIMED

    assert stage.advance(timedelta(seconds=1)).consume_event().state is SmsState.ACCEPTED
    assert (len(stage.gateway.sent_sms), stage.get_committed_budget()) == (1, 350)


@pytest.mark.parametrize("state", [SmsState.PENDING, SmsState.CLAIMED])
def test_a_text_that_nobody_came_back_for_is_found_after_an_hour(state: SmsState) -> None:
    stage = NotificationHarness()
    writes = {SmsState.PENDING: 2, SmsState.CLAIMED: 3}[state]
    left = iter(range(writes))

    def stop_at_last() -> None:
        if next(left) == writes - 1:
            raise WorkerKilled

    stage.ledger.before_write = stop_at_last
    with pytest.raises(WorkerKilled):
        stage.consume_event()
    stage.ledger.before_write = lambda: None
    assert stage.get_only_sms().state is state
    assert stage.advance(timedelta(minutes=59)).run_due_sms() == []

    (text,) = stage.advance(MINUTE).run_due_sms()

    assert text.state is SmsState.ACCEPTED
    assert len(stage.gateway.sent_sms) == 1


def test_a_message_of_the_round_that_gets_lost_is_queued_again_an_hour_later() -> None:
    stage = NotificationHarness(TransientFailure("ThrottlingException"))
    stage.consume_event()
    stage.service.resume = lambda due: stage.get_only_sms()  # type: ignore[method-assign]
    stage.advance(MINUTE).run_due_sms()
    stage.service = stage.make_service()
    assert stage.advance(timedelta(minutes=59)).run_due_sms() == []

    (text,) = stage.advance(MINUTE).run_due_sms()

    assert text.state is SmsState.ACCEPTED


def test_of_two_senders_who_find_a_waiting_text_one_sends_it() -> None:
    stage = NotificationHarness(TransientFailure("ThrottlingException"))
    waiting = stage.consume_event()
    stage.advance(MINUTE)
    stage.ledger.before_write = lambda: None
    won = []

    def the_other_is_faster() -> None:
        stage.ledger.before_write = lambda: None
        won.append(stage.make_service().resume(waiting.sms_id).state)

    stage.ledger.before_write = the_other_is_faster
    assert stage.service.resume(waiting.sms_id).state is SmsState.ACCEPTED
    assert won == [SmsState.ACCEPTED]
    assert len(stage.gateway.sent_sms) == 2


def test_news_of_a_registration_that_is_not_there_begins_no_text() -> None:
    stage = NotificationHarness()
    with pytest.raises(RegistrationUnknown):
        stage.consume_event(reference="B3D-F5H-J7M")
    with pytest.raises(SmsUnknown):
        stage.service.resume(SmsId("unheard of"))
    assert stage.ledger.sms_by_id == {}


@pytest.mark.parametrize(
    "stopped_at",
    [
        lambda text: text,
        lambda text: text.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day),
        lambda text: text.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day).defer(NOW, "stopped"),
        lambda text: _unknown(text, may_resend=True),
    ],
    ids=["pending", "claimed", "put off", "unknown, to be resent"],
)
def test_a_text_whose_worker_is_gone_is_given_up_and_is_not_due_for_ever(
    stopped_at: Callable[[Sms], Sms],
) -> None:
    stage = NotificationHarness()
    stage.ledger.sms_by_id[make_sms().sms_id] = stopped_at(make_sms())
    stage.registrations.remove(make_sms().reference)

    (text,) = stage.advance(timedelta(hours=2)).run_due_sms()

    assert text.state is (SmsState.UNKNOWN if text.open_attempts else SmsState.FAILED)
    assert (text.reason, text.due_at) == ("no_recipient", None)
    assert stage.advance(timedelta(days=1)).run_due_sms() == []
    assert stage.gateway.sent_sms == []


def _unknown(text: Sms, *, may_resend: bool) -> Sms:
    started = text.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day).start_attempt(NOW)
    return started.record_unknown_outcome("read_timeout", "aws", may_resend=may_resend)


def test_a_text_that_is_erased_while_it_is_sent_or_reported_on_is_let_go() -> None:
    stage = NotificationHarness()
    text = stage.consume_event()

    def erased() -> None:
        stage.ledger.sms_by_id.clear()

    stage.ledger.before_write = erased
    stage.receive_receipt("gateway-1", opted_out=True)

    assert stage.ledger.sms_by_id == {}
    assert set(stage.opt_outs.by_phone_hash) == {text.phone_hash}
    with pytest.raises(SmsUnknown):
        stage.consume_event()


def test_a_worker_is_told_in_the_language_of_the_registration() -> None:
    stage = NotificationHarness(registrations=[make_registration(language="en")])
    stage.consume_event()
    assert "not protected before you have paid" in stage.gateway.sent_sms[0].body


@pytest.mark.parametrize("number", ["+6221555070", "+60123456789", "+6280455507001", "+628245550700123"])
def test_only_an_indonesian_mobile_costs_money(number: str) -> None:
    stage = NotificationHarness(registrations=[make_registration(phone=number)])
    text = stage.consume_event()
    assert (text.state, text.reason) == (SmsState.FAILED, "not_an_indonesian_mobile")
    assert stage.gateway.sent_sms == []


# Opting out


def test_a_worker_who_opted_out_at_the_gateway_gets_nothing_more() -> None:
    family = [make_registration(), make_registration(make_reference(2), worker_key="another")]
    stage = NotificationHarness(
        PermanentFailure("ConflictException:OPTED_OUT", opted_out=True), registrations=family
    )
    stage.consume_event()

    text = stage.consume_event(reference=make_reference(2))

    assert (text.state, text.reason) == (SmsState.FAILED, "opted_out")
    assert len(stage.gateway.sent_sms) == 1


def test_a_worker_who_opted_out_by_receipt_gets_nothing_more() -> None:
    family = [make_registration(), make_registration(make_reference(2), worker_key="another")]
    stage = NotificationHarness(registrations=family)
    stage.consume_event()
    stage.receive_receipt("gateway-1", "failed", opted_out=True)

    assert stage.consume_event(reference=make_reference(2)).reason == "opted_out"
    assert len(stage.gateway.sent_sms) == 1
    assert "82455507001" not in repr(stage.opt_outs.by_phone_hash)


def lift(stage: NotificationHarness) -> None:
    """Somebody takes the only opt-out back."""
    (phone_hash,) = stage.opt_outs.by_phone_hash
    assert stage.opt_outs.lift(phone_hash, occurred_at=stage.clock(), lifted_by="salemba")


def test_after_an_opt_out_was_lifted_what_happens_is_told_and_what_was_given_up_stays_so() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in (1, 2, 3)]
    stage = NotificationHarness(
        PermanentFailure("ConflictException:OPTED_OUT", opted_out=True), registrations=family
    )
    given_up = [stage.consume_event(reference=make_reference(number)) for number in (1, 2)]
    lift(stage.advance(timedelta(hours=2)))

    assert stage.consume_event(reference=make_reference(3)).state is SmsState.ACCEPTED
    assert stage.advance(timedelta(days=1)).run_due_sms() == []
    assert [stage.ledger.get(text.sms_id) for text in given_up] == given_up


def test_a_late_report_on_a_text_from_before_an_opt_out_was_lifted_does_not_bring_it_back() -> None:
    stage = NotificationHarness("gateway-1")
    stage.consume_event()
    stage.receive_receipt("gateway-1", "failed", opted_out=True)
    lift(stage.advance(timedelta(hours=1)))

    stage.advance(timedelta(hours=1)).receive_receipt("gateway-1", "failed", opted_out=True)

    (opt_out,) = stage.opt_outs.by_phone_hash.values()
    assert not opt_out.is_in_force


def test_an_opt_out_that_is_lifted_while_a_gateway_still_answers_stays_lifted() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in (1, 2)]
    opted_out = [PermanentFailure("OPTED_OUT", opted_out=True) for _ in range(2)]
    stage = NotificationHarness(*opted_out, registrations=family)
    stage.consume_event(reference=make_reference(1))
    (phone_hash,) = stage.opt_outs.by_phone_hash
    stage.opt_outs.by_phone_hash.clear()

    def meanwhile() -> None:
        stage.opt_outs.record(phone_hash, occurred_at=stage.clock(), source="another sender")
        lift(stage.advance(timedelta(seconds=1)))
        stage.advance(timedelta(seconds=1))

    stage.gateway.on_send = meanwhile
    stage.consume_event(reference=make_reference(2))

    assert not stage.opt_outs.by_phone_hash[phone_hash].is_in_force


def test_a_gateway_that_still_refuses_a_number_after_its_opt_out_was_lifted_opts_it_out_again() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in (1, 2)]
    stage = NotificationHarness(
        *[PermanentFailure("OPTED_OUT", opted_out=True) for _ in range(2)], registrations=family
    )
    stage.consume_event(reference=make_reference(1))
    lift(stage.advance(timedelta(hours=1)))

    stage.advance(timedelta(hours=1)).consume_event(reference=make_reference(2))

    (opt_out,) = stage.opt_outs.by_phone_hash.values()
    assert opt_out.is_in_force


# Pace and the switch


def test_texts_go_out_no_faster_than_the_rate() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+62824555070{number:02d}")
        for number in range(1, 31)
    ]
    stage = NotificationHarness(registrations=family)
    at = []
    stage.gateway.on_send = lambda: at.append(stage.clock.now)
    for registration in family:
        stage.consume_event(reference=registration.reference)

    gaps = {later - earlier for earlier, later in pairwise(at)}
    assert gaps == {timedelta(milliseconds=100)}


def test_while_sending_is_stopped_nothing_goes_out_and_nothing_is_lost() -> None:
    stage = NotificationHarness()
    stage.rate_limiter.stop(SendingStop("by hand", None))
    text = stage.consume_event()
    assert (text.state, text.reason, text.attempts) == (SmsState.PENDING, "stopped", 0)
    assert stage.gateway.sent_sms == []

    stage.rate_limiter.resume(stage.clock())
    (text,) = stage.advance(timedelta(minutes=5)).run_due_sms()

    assert text.state is SmsState.ACCEPTED


def test_a_gateway_that_takes_nothing_from_us_is_left_alone_for_a_while() -> None:
    family = [make_registration(), make_registration(make_reference(2), worker_key="another")]
    stage = NotificationHarness(AccountFailure("ServiceQuotaExceededException"), registrations=family)
    assert stage.consume_event().state is SmsState.PENDING
    assert stage.consume_event(reference=make_reference(2)).reason == "stopped"
    assert len(stage.gateway.sent_sms) == 1

    texts = stage.advance(timedelta(minutes=16)).run_due_sms()

    assert [text.state for text in texts] == [SmsState.ACCEPTED] * 2


# Limits


def test_a_text_that_no_gateway_was_asked_about_waits_no_longer_each_time() -> None:
    stage = NotificationHarness(*[CircuitOpen("circuit_open")] * 6, "gateway-1")
    stage.consume_event()
    for _ in range(6):
        waiting = stage.get_only_sms()
        assert (waiting.state, waiting.attempts) == (SmsState.PENDING, 0)
        assert waiting.due_at == stage.clock() + timedelta(minutes=7, seconds=30)
        (text,) = stage.advance(timedelta(minutes=7, seconds=30)).run_due_sms()
    assert (text.state, text.attempts) == (SmsState.ACCEPTED, 1)


def test_the_fourth_text_of_a_day_waits_for_the_next_morning() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in range(1, 5)]
    stage = NotificationHarness(registrations=family)
    texts = [stage.consume_event(reference=each.reference) for each in family]

    assert [text.state for text in texts] == [SmsState.ACCEPTED] * 3 + [SmsState.PENDING]
    # Noon in Jakarta; the quiet hours end at eight, and half an hour is filled by chance.
    assert texts[3].due_at == NOW + timedelta(hours=20, minutes=15)
    assert texts[3].reason == "daily_limit_reached"
    (text,) = stage.advance(timedelta(hours=20, minutes=15)).run_due_sms()
    assert text.state is SmsState.ACCEPTED


def test_texts_over_the_days_money_are_held_until_somebody_releases_them() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+628245550700{number}")
        for number in range(1, 4)
    ]
    stage = NotificationHarness(registrations=family, sms_budget=2 * 350 + 349)
    texts = [stage.consume_event(reference=each.reference) for each in family]
    assert [text.state for text in texts] == [SmsState.ACCEPTED] * 2 + [SmsState.HELD]
    assert stage.advance(timedelta(days=1)).run_due_sms() == []
    assert stage.get_committed_budget() == 2 * 350

    assert stage.release("senen-2024") == 0
    assert stage.release("tanah-abang-2024") == 1
    (text,) = stage.run_due_sms()

    assert (text.state, text.is_released) == (SmsState.ACCEPTED, True)
    assert stage.release("tanah-abang-2024") == 0


def test_a_text_that_was_held_longer_than_it_may_wait_goes_out_once_it_is_released() -> None:
    stage = NotificationHarness(sms_budget=0)
    stage.consume_event()
    stage.advance(timedelta(days=30))

    assert stage.release("tanah-abang-2024") == 1
    (text,) = stage.run_due_sms()

    assert text.state is SmsState.ACCEPTED


def test_money_put_aside_is_settled_by_what_a_receipt_says() -> None:
    stage = NotificationHarness("gateway-1")
    stage.consume_event()
    assert stage.get_committed_budget() == 350

    for _ in range(2):
        stage.receive_receipt("gateway-1", "sent", parts=1, price_microusd=20_001)
        stage.receive_receipt("gateway-1", "delivered", parts=1, price_microusd=20_001)

    assert stage.get_committed_budget() == 331, "the next rupiah up"
    assert stage.count_sms().money == 331


def test_a_campaign_without_money_holds_every_text() -> None:
    stage = NotificationHarness(sms_budget=0)
    assert stage.consume_event().state is SmsState.HELD
    assert stage.gateway.sent_sms == []


def test_the_texts_of_a_day_are_told_by_state_with_parts_and_money() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+628245550700{number}")
        for number in range(1, 4)
    ]
    stage = NotificationHarness(
        "gateway-1", PermanentFailure("no"), OutcomeUnknown("ReadTimeoutError"), registrations=family
    )
    for each in family:
        stage.consume_event(reference=each.reference)

    texts = stage.count_sms()

    assert texts.by_state == {"accepted": 1, "failed": 1, "unknown": 1}
    assert (texts.parts, texts.money) == (1, 2 * 350)


# Reminders


def test_a_reminder_is_not_sent_by_whoever_hears_of_it_and_waits_for_the_round() -> None:
    stage = NotificationHarness()
    text = stage.consume_event(Purpose.LAPSING_SOON, event_version=2)
    assert (text.state, text.due_at, stage.gateway.sent_sms) == (SmsState.PENDING, NOW, [])


@given(
    answers=st.lists(
        st.sampled_from(
            [
                "taken",
                TransientFailure("later"),
                PermanentFailure("never"),
                OutcomeUnknown("unknown"),
                AccountFailure("stop"),
                WorkerKilled(),
            ]
        ),
        max_size=6,
    ),
    steps=st.lists(st.sampled_from(["deliver", "round", "sent", "delivered", "failed", "wait"]), max_size=14),
)
def test_whatever_comes_in_whatever_order_at_most_one_copy_is_risked(
    answers: list[str | Exception], steps: list[str]
) -> None:
    stage = NotificationHarness(*answers)
    receipts = 0
    for step in ["deliver", *steps]:
        try:
            match step:
                case "deliver":
                    stage.consume_event()
                case "round":
                    stage.run_due_sms()
                case "wait":
                    stage.advance(timedelta(minutes=20))
                case _:
                    receipts += 1
                    stage.receive_receipt("taken", step)
        except WorkerKilled:
            continue
    used = answers[: len(stage.gateway.sent_sms)] + ["taken"] * len(stage.gateway.sent_sms[len(answers) :])
    surely_not = (TransientFailure, PermanentFailure, AccountFailure)
    perhaps_sent = [each for each in used if not isinstance(each, surely_not)]
    unsure = [each for each in perhaps_sent if isinstance(each, OutcomeUnknown | WorkerKilled)]
    assert len(perhaps_sent) <= 1 + (len(unsure) > 0)
    row = stage.get_only_sms()
    assert row.attempts == len(stage.gateway.sent_sms)
    assert row.open_attempts >= 0
    assert stage.get_committed_budget() == row.committed
    assert row.state is not SmsState.HELD
    if row.state not in {SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED, SmsState.FAILED}:
        waits_for_a_person = row.state is SmsState.UNKNOWN and row.is_resent
        assert row.due_at is not None or waits_for_a_person, "somebody comes back for it"
