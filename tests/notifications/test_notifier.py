"""One text per event: whatever comes twice, late, at once, or never ends."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notifications.errors import LeftAlone, Never, OutcomeUnknown, StopEverything, TryLater
from chalicelib.notifications.model import MessageId, Text, TextState
from chalicelib.notifications.pace import Stop
from chalicelib.notifications.service import TextUnknown
from chalicelib.notifications.templates import Purpose
from chalicelib.registrations.errors import RegistrationUnknown
from tests.builders import NOW
from tests.contracts.stored import FIRST_DAY, a_reference, a_registration, a_text
from tests.notifications.stage import Stage, Stopped

AGAIN = timedelta(minutes=3)
MINUTE = timedelta(minutes=1)


def test_a_worker_is_told_by_text() -> None:
    stage = Stage("gateway-1")
    text = stage.deliver()

    (sent,) = stage.gateway.sent
    assert sent.to == "+6282455507001"
    assert sent.words.startswith(
        "BPJAMSOSTEK: Data Melati Kusumawati sudah kami terima. No. daftar 7K4-M2Q-X9P."
    )
    assert (sent.parts, sent.campaign_id, sent.purpose) == (1, "tanah-abang-2024", "received")
    assert sent.deadline == NOW + timedelta(hours=36)
    assert (text.state, set(text.sends), text.attempts) == (TextState.ACCEPTED, {"gateway-1"}, 1)
    assert text.due_at is None
    assert stage.row() == text


def test_a_row_of_the_ledger_holds_neither_words_nor_number_nor_name() -> None:
    stage = Stage()
    stage.deliver()
    for personal in ("Melati", "82455507001", "BPJAMSOSTEK"):
        assert personal not in repr(stage.row())


def test_an_event_told_once_is_not_told_again() -> None:
    stage = Stage()
    first = stage.deliver()
    for _ in range(5):
        assert stage.after(AGAIN).deliver() == first
    assert len(stage.gateway.sent) == 1


def test_a_text_not_taken_now_waits_and_goes_out_in_a_later_round() -> None:
    stage = Stage(TryLater("ThrottlingException"), "gateway-1")
    waiting = stage.deliver()
    assert (waiting.state, waiting.reason) == (TextState.PENDING, "ThrottlingException")
    assert waiting.due_at == NOW + timedelta(seconds=30)
    assert stage.after(timedelta(seconds=29)).round() == []

    (text,) = stage.after(timedelta(seconds=1)).round()

    assert (text.state, text.attempts, text.reason) == (TextState.ACCEPTED, 2, None)
    assert len(stage.gateway.sent) == 2


def test_waits_grow_until_the_deadline_and_then_the_text_is_given_up() -> None:
    stage = Stage(*[TryLater("ThrottlingException")] * 100)
    stage.deliver()
    waits = []
    while stage.row().state is TextState.PENDING:
        due_at = stage.row().due_at
        assert due_at is not None
        waits.append(due_at - stage.clock.at)
        stage.clock.at = due_at
        stage.round()

    minutes = [wait / MINUTE for wait in waits]
    assert minutes[:5] == [0.5, 2, 10, 30, 120]
    assert set(minutes[5:]) == {120}
    assert stage.clock.at <= NOW + timedelta(hours=36)
    assert (stage.row().state, stage.row().reason) == (TextState.FAILED, "expired:ThrottlingException")
    assert stage.committed() == 0


def test_a_text_refused_for_good_is_failed_and_never_tried_again() -> None:
    stage = Stage(Never("ValidationException:DESTINATION_COUNTRY_BLOCKED", gateway="scripted"))
    failed = stage.deliver()
    assert (failed.state, failed.reason, failed.gateway) == (
        TextState.FAILED,
        "ValidationException:DESTINATION_COUNTRY_BLOCKED",
        "scripted",
    )
    assert stage.after(AGAIN).deliver() == failed
    assert len(stage.gateway.sent) == 1
    assert stage.committed() == 0


def test_a_text_that_may_have_gone_out_is_unknown_and_not_sent_again_for_15_minutes() -> None:
    stage = Stage(OutcomeUnknown("ReadTimeoutError"))
    unknown = stage.deliver()
    assert (unknown.state, unknown.reason) == (TextState.UNKNOWN, "ReadTimeoutError")
    assert stage.after(timedelta(minutes=14, seconds=59)).round() == []
    assert stage.deliver() == unknown
    assert len(stage.gateway.sent) == 1


def test_without_a_receipt_a_harmless_duplicate_is_risked_once() -> None:
    stage = Stage(OutcomeUnknown("ReadTimeoutError"), OutcomeUnknown("ReadTimeoutError"))
    stage.deliver()

    (again,) = stage.after(timedelta(minutes=15)).round()

    assert (again.state, again.is_resent, again.attempts) == (TextState.UNKNOWN, True, 2)
    assert stage.committed() == 2 * 350
    assert stage.after(timedelta(hours=5)).round() == []
    assert len(stage.gateway.sent) == 2


def test_a_receipt_settles_an_unknown_text_and_nothing_is_sent_again() -> None:
    stage = Stage(OutcomeUnknown("ReadTimeoutError"))
    stage.deliver()

    stage.after(MINUTE).reported("gateway-9", "sent")

    assert stage.row().state is TextState.SENT
    assert stage.after(timedelta(hours=2)).round() == []
    assert len(stage.gateway.sent) == 1


def test_a_receipt_that_comes_while_the_second_copy_is_queued_stops_it() -> None:
    stage = Stage(OutcomeUnknown("ReadTimeoutError"))
    stage.deliver()
    stage.after(timedelta(minutes=15))
    due = stage.row().message_id
    stage.reported("gateway-9")

    assert stage.notifier.take_up(due).state is TextState.DELIVERED
    assert len(stage.gateway.sent) == 1


def test_a_second_delivery_while_the_first_is_sending_sends_nothing() -> None:
    stage = Stage("gateway-1")
    seen = []
    stage.gateway.during = lambda: seen.append(stage.deliver().state)

    assert stage.deliver().state is TextState.ACCEPTED
    assert seen == [TextState.ATTEMPT_STARTED]
    assert len(stage.gateway.sent) == 1


def test_a_receipt_that_overtakes_the_gateways_answer_is_not_lost() -> None:
    stage = Stage("gateway-1")
    stage.gateway.during = lambda: stage.reported("gateway-1", "delivered")

    assert stage.deliver().state is TextState.DELIVERED
    assert set(stage.row().sends) == {"gateway-1"}
    assert (stage.row().open_attempts, stage.committed()) == (0, 350)


def test_an_attempt_that_was_stopped_is_unknown_after_a_minute_and_sent_again_after_15() -> None:
    stage = Stage(Stopped())
    with pytest.raises(Stopped):
        stage.deliver()
    assert stage.row().state is TextState.ATTEMPT_STARTED
    assert stage.after(timedelta(seconds=59)).deliver().state is TextState.ATTEMPT_STARTED

    text = stage.after(timedelta(seconds=1)).deliver()
    assert (text.state, text.reason) == (TextState.UNKNOWN, "attempt_abandoned")
    assert len(stage.gateway.sent) == 1

    (text,) = stage.after(timedelta(minutes=14)).round()
    assert text.state is TextState.ACCEPTED
    assert len(stage.gateway.sent) == 2


def test_a_sender_stopped_before_its_attempt_began_is_followed_by_another() -> None:
    stage = Stage()

    def stop(*_: object, **__: object) -> None:
        raise Stopped

    stage.line.take = stop  # type: ignore[method-assign, assignment]
    with pytest.raises(Stopped):
        stage.deliver()
    assert stage.row().state is TextState.CLAIMED
    del stage.line.take  # type: ignore[attr-defined]
    assert stage.after(timedelta(seconds=59)).deliver().state is TextState.CLAIMED

    assert stage.after(timedelta(seconds=1)).deliver().state is TextState.ACCEPTED
    assert (len(stage.gateway.sent), stage.committed()) == (1, 350)


@pytest.mark.parametrize("state", [TextState.PENDING, TextState.CLAIMED])
def test_a_text_that_nobody_came_back_for_is_found_after_an_hour(state: TextState) -> None:
    stage = Stage()
    writes = {TextState.PENDING: 2, TextState.CLAIMED: 3}[state]
    left = iter(range(writes))

    def stop_at_last() -> None:
        if next(left) == writes - 1:
            raise Stopped

    stage.ledger.on_write = stop_at_last
    with pytest.raises(Stopped):
        stage.deliver()
    stage.ledger.on_write = lambda: None
    assert stage.row().state is state
    assert stage.after(timedelta(minutes=59)).round() == []

    (text,) = stage.after(MINUTE).round()

    assert text.state is TextState.ACCEPTED
    assert len(stage.gateway.sent) == 1


def test_a_message_of_the_round_that_gets_lost_is_queued_again_an_hour_later() -> None:
    stage = Stage(TryLater("ThrottlingException"))
    stage.deliver()
    stage.notifier.take_up = lambda due: stage.row()  # type: ignore[method-assign]
    stage.after(MINUTE).round()
    stage.notifier = stage.a_notifier()
    assert stage.after(timedelta(minutes=59)).round() == []

    (text,) = stage.after(MINUTE).round()

    assert text.state is TextState.ACCEPTED


def test_of_two_senders_who_find_a_waiting_text_one_sends_it() -> None:
    stage = Stage(TryLater("ThrottlingException"))
    waiting = stage.deliver()
    stage.after(MINUTE)
    stage.ledger.on_write = lambda: None
    won = []

    def the_other_is_faster() -> None:
        stage.ledger.on_write = lambda: None
        won.append(stage.a_notifier().take_up(waiting.message_id).state)

    stage.ledger.on_write = the_other_is_faster
    assert stage.notifier.take_up(waiting.message_id).state is TextState.ACCEPTED
    assert won == [TextState.ACCEPTED]
    assert len(stage.gateway.sent) == 2


def test_news_of_a_registration_that_is_not_there_begins_no_text() -> None:
    stage = Stage()
    with pytest.raises(RegistrationUnknown):
        stage.deliver(of="B3D-F5H-J7M")
    with pytest.raises(TextUnknown):
        stage.notifier.take_up(MessageId("unheard of"))
    assert stage.ledger.texts == {}


@pytest.mark.parametrize(
    "stopped_at",
    [
        lambda text: text,
        lambda text: text.claimed(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day),
        lambda text: text.claimed(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day).put_off(
            NOW, "stopped"
        ),
        lambda text: _unknown(text, may_resend=True),
    ],
    ids=["pending", "claimed", "put off", "unknown, to be resent"],
)
def test_a_text_whose_worker_is_gone_is_given_up_and_is_not_due_for_ever(
    stopped_at: Callable[[Text], Text],
) -> None:
    stage = Stage()
    stage.ledger.texts[a_text().message_id] = stopped_at(a_text())
    stage.registrations.take_away(a_text().registration)

    (text,) = stage.after(timedelta(hours=2)).round()

    assert text.state is (TextState.UNKNOWN if text.open_attempts else TextState.FAILED)
    assert (text.reason, text.due_at) == ("nobody_to_tell", None)
    assert stage.after(timedelta(days=1)).round() == []
    assert stage.gateway.sent == []


def _unknown(text: Text, *, may_resend: bool) -> Text:
    started = text.claimed(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day).attempt_started(NOW)
    return started.lost_sight_of("read_timeout", "aws", may_resend=may_resend)


def test_a_text_that_is_erased_while_it_is_sent_or_reported_on_is_let_go() -> None:
    stage = Stage()
    text = stage.deliver()

    def erased() -> None:
        stage.ledger.texts.clear()

    stage.ledger.on_write = erased
    stage.reported("gateway-1", opted_out=True)

    assert stage.ledger.texts == {}
    assert set(stage.ledger.opted_out) == {text.phone_hash}
    with pytest.raises(TextUnknown):
        stage.deliver()


def test_a_worker_is_told_in_the_language_of_the_registration() -> None:
    stage = Stage(registrations=[a_registration(language="en")])
    stage.deliver()
    assert "not protected before you have paid" in stage.gateway.sent[0].words


@pytest.mark.parametrize("number", ["+6221555070", "+60123456789", "+6280455507001", "+628245550700123"])
def test_only_an_indonesian_mobile_costs_money(number: str) -> None:
    stage = Stage(registrations=[a_registration(phone=number)])
    text = stage.deliver()
    assert (text.state, text.reason) == (TextState.FAILED, "not_an_indonesian_mobile")
    assert stage.gateway.sent == []


# Opting out


def test_a_worker_who_opted_out_at_the_gateway_gets_nothing_more() -> None:
    family = [a_registration(), a_registration(a_reference(2), worker_key="another")]
    stage = Stage(Never("ConflictException:OPTED_OUT", opted_out=True), registrations=family)
    stage.deliver()

    text = stage.deliver(of=a_reference(2))

    assert (text.state, text.reason) == (TextState.FAILED, "opted_out")
    assert len(stage.gateway.sent) == 1


def test_a_worker_who_opted_out_by_receipt_gets_nothing_more() -> None:
    family = [a_registration(), a_registration(a_reference(2), worker_key="another")]
    stage = Stage(registrations=family)
    stage.deliver()
    stage.reported("gateway-1", "failed", opted_out=True)

    assert stage.deliver(of=a_reference(2)).reason == "opted_out"
    assert len(stage.gateway.sent) == 1
    assert "82455507001" not in repr(stage.ledger.opted_out)


def lift(stage: Stage) -> None:
    """Somebody takes the only opt-out back."""
    (phone_hash,) = stage.ledger.opted_out
    assert stage.ledger.lift_opt_out(phone_hash, at=stage.clock(), by="salemba")


def test_after_an_opt_out_was_lifted_what_happens_is_told_and_what_was_given_up_stays_so() -> None:
    family = [a_registration(a_reference(number), worker_key=str(number)) for number in (1, 2, 3)]
    stage = Stage(Never("ConflictException:OPTED_OUT", opted_out=True), registrations=family)
    given_up = [stage.deliver(of=a_reference(number)) for number in (1, 2)]
    lift(stage.after(timedelta(hours=2)))

    assert stage.deliver(of=a_reference(3)).state is TextState.ACCEPTED
    assert stage.after(timedelta(days=1)).round() == []
    assert [stage.ledger.get(text.message_id) for text in given_up] == given_up


def test_a_late_report_on_a_text_from_before_an_opt_out_was_lifted_does_not_bring_it_back() -> None:
    stage = Stage("gateway-1")
    stage.deliver()
    stage.reported("gateway-1", "failed", opted_out=True)
    lift(stage.after(timedelta(hours=1)))

    stage.after(timedelta(hours=1)).reported("gateway-1", "failed", opted_out=True)

    (opt_out,) = stage.ledger.opted_out.values()
    assert not opt_out.is_in_force


def test_an_opt_out_that_is_lifted_while_a_gateway_still_answers_stays_lifted() -> None:
    family = [a_registration(a_reference(number), worker_key=str(number)) for number in (1, 2)]
    opted_out = [Never("OPTED_OUT", opted_out=True) for _ in range(2)]
    stage = Stage(*opted_out, registrations=family)
    stage.deliver(of=a_reference(1))
    (phone_hash,) = stage.ledger.opted_out
    stage.ledger.opted_out.clear()

    def meanwhile() -> None:
        stage.ledger.opt_out(phone_hash, at=stage.clock(), source="another sender")
        lift(stage.after(timedelta(seconds=1)))
        stage.after(timedelta(seconds=1))

    stage.gateway.during = meanwhile
    stage.deliver(of=a_reference(2))

    assert not stage.ledger.opted_out[phone_hash].is_in_force


def test_a_gateway_that_still_refuses_a_number_after_its_opt_out_was_lifted_opts_it_out_again() -> None:
    family = [a_registration(a_reference(number), worker_key=str(number)) for number in (1, 2)]
    stage = Stage(*[Never("OPTED_OUT", opted_out=True) for _ in range(2)], registrations=family)
    stage.deliver(of=a_reference(1))
    lift(stage.after(timedelta(hours=1)))

    stage.after(timedelta(hours=1)).deliver(of=a_reference(2))

    (opt_out,) = stage.ledger.opted_out.values()
    assert opt_out.is_in_force


# Pace and the switch


def test_texts_go_out_no_faster_than_the_rate() -> None:
    family = [
        a_registration(a_reference(number), worker_key=str(number), phone=f"+62824555070{number:02d}")
        for number in range(1, 31)
    ]
    stage = Stage(registrations=family)
    at = []
    stage.gateway.during = lambda: at.append(stage.clock.at)
    for registration in family:
        stage.deliver(of=registration.reference)

    gaps = {later - earlier for earlier, later in pairwise(at)}
    assert gaps == {timedelta(milliseconds=100)}


def test_while_sending_is_stopped_nothing_goes_out_and_nothing_is_lost() -> None:
    stage = Stage()
    stage.line.stop(Stop("by hand", None))
    text = stage.deliver()
    assert (text.state, text.reason, text.attempts) == (TextState.PENDING, "stopped", 0)
    assert stage.gateway.sent == []

    stage.line.resume(stage.clock())
    (text,) = stage.after(timedelta(minutes=5)).round()

    assert text.state is TextState.ACCEPTED


def test_a_gateway_that_takes_nothing_from_us_is_left_alone_for_a_while() -> None:
    family = [a_registration(), a_registration(a_reference(2), worker_key="another")]
    stage = Stage(StopEverything("ServiceQuotaExceededException"), registrations=family)
    assert stage.deliver().state is TextState.PENDING
    assert stage.deliver(of=a_reference(2)).reason == "stopped"
    assert len(stage.gateway.sent) == 1

    texts = stage.after(timedelta(minutes=16)).round()

    assert [text.state for text in texts] == [TextState.ACCEPTED] * 2


# Limits


def test_a_text_that_no_gateway_was_asked_about_waits_no_longer_each_time() -> None:
    stage = Stage(*[LeftAlone("gateways_left_alone")] * 6, "gateway-1")
    stage.deliver()
    for _ in range(6):
        waiting = stage.row()
        assert (waiting.state, waiting.attempts) == (TextState.PENDING, 0)
        assert waiting.due_at == stage.clock() + timedelta(minutes=7, seconds=30)
        (text,) = stage.after(timedelta(minutes=7, seconds=30)).round()
    assert (text.state, text.attempts) == (TextState.ACCEPTED, 1)


def test_the_fourth_text_of_a_day_waits_for_the_next_morning() -> None:
    family = [a_registration(a_reference(number), worker_key=str(number)) for number in range(1, 5)]
    stage = Stage(registrations=family)
    texts = [stage.deliver(of=each.reference) for each in family]

    assert [text.state for text in texts] == [TextState.ACCEPTED] * 3 + [TextState.PENDING]
    # Noon in Jakarta; the quiet hours end at eight, and half an hour is filled by chance.
    assert texts[3].due_at == NOW + timedelta(hours=20, minutes=15)
    assert texts[3].reason == "enough_texts_today"
    (text,) = stage.after(timedelta(hours=20, minutes=15)).round()
    assert text.state is TextState.ACCEPTED


def test_texts_over_the_days_money_are_held_until_somebody_releases_them() -> None:
    family = [
        a_registration(a_reference(number), worker_key=str(number), phone=f"+628245550700{number}")
        for number in range(1, 4)
    ]
    stage = Stage(registrations=family, sms_budget=2 * 350 + 349)
    texts = [stage.deliver(of=each.reference) for each in family]
    assert [text.state for text in texts] == [TextState.ACCEPTED] * 2 + [TextState.HELD]
    assert stage.after(timedelta(days=1)).round() == []
    assert stage.committed() == 2 * 350

    assert stage.release("senen-2024") == 0
    assert stage.release("tanah-abang-2024") == 1
    (text,) = stage.round()

    assert (text.state, text.is_released) == (TextState.ACCEPTED, True)
    assert stage.release("tanah-abang-2024") == 0


def test_a_text_that_was_held_longer_than_it_may_wait_goes_out_once_it_is_released() -> None:
    stage = Stage(sms_budget=0)
    stage.deliver()
    stage.after(timedelta(days=30))

    assert stage.release("tanah-abang-2024") == 1
    (text,) = stage.round()

    assert text.state is TextState.ACCEPTED


def test_money_put_aside_is_settled_by_what_a_receipt_says() -> None:
    stage = Stage("gateway-1")
    stage.deliver()
    assert stage.committed() == 350

    for _ in range(2):
        stage.reported("gateway-1", "sent", parts=1, price_microusd=20_001)
        stage.reported("gateway-1", "delivered", parts=1, price_microusd=20_001)

    assert stage.committed() == 331, "the next rupiah up"
    assert stage.counted().money == 331


def test_a_campaign_without_money_holds_every_text() -> None:
    stage = Stage(sms_budget=0)
    assert stage.deliver().state is TextState.HELD
    assert stage.gateway.sent == []


def test_the_texts_of_a_day_are_told_by_state_with_parts_and_money() -> None:
    family = [
        a_registration(a_reference(number), worker_key=str(number), phone=f"+628245550700{number}")
        for number in range(1, 4)
    ]
    stage = Stage("gateway-1", Never("no"), OutcomeUnknown("ReadTimeoutError"), registrations=family)
    for each in family:
        stage.deliver(of=each.reference)

    texts = stage.counted()

    assert texts.by_state == {"accepted": 1, "failed": 1, "unknown": 1}
    assert (texts.parts, texts.money) == (1, 2 * 350)


# Reminders


def test_a_reminder_is_not_sent_by_whoever_hears_of_it_and_waits_for_the_round() -> None:
    stage = Stage()
    text = stage.deliver(Purpose.LAPSING_SOON, occasion=2)
    assert (text.state, text.due_at, stage.gateway.sent) == (TextState.PENDING, NOW, [])


@given(
    answers=st.lists(
        st.sampled_from(
            [
                "taken",
                TryLater("later"),
                Never("never"),
                OutcomeUnknown("unknown"),
                StopEverything("stop"),
                Stopped(),
            ]
        ),
        max_size=6,
    ),
    steps=st.lists(st.sampled_from(["deliver", "round", "sent", "delivered", "failed", "wait"]), max_size=14),
)
def test_whatever_comes_in_whatever_order_at_most_one_copy_is_risked(
    answers: list[str | Exception], steps: list[str]
) -> None:
    stage = Stage(*answers)
    receipts = 0
    for step in ["deliver", *steps]:
        try:
            match step:
                case "deliver":
                    stage.deliver()
                case "round":
                    stage.round()
                case "wait":
                    stage.after(timedelta(minutes=20))
                case _:
                    receipts += 1
                    stage.reported("taken", step)
        except Stopped:
            continue
    used = answers[: len(stage.gateway.sent)] + ["taken"] * len(stage.gateway.sent[len(answers) :])
    surely_not = (TryLater, Never, StopEverything)
    perhaps_sent = [each for each in used if not isinstance(each, surely_not)]
    unsure = [each for each in perhaps_sent if isinstance(each, OutcomeUnknown | Stopped)]
    assert len(perhaps_sent) <= 1 + (len(unsure) > 0)
    row = stage.row()
    assert row.attempts == len(stage.gateway.sent)
    assert row.open_attempts >= 0
    assert stage.committed() == row.committed
    assert row.state is not TextState.HELD
    if row.state not in {TextState.ACCEPTED, TextState.SENT, TextState.DELIVERED, TextState.FAILED}:
        waits_for_a_person = row.state is TextState.UNKNOWN and row.is_resent
        assert row.due_at is not None or waits_for_a_person, "somebody comes back for it"
