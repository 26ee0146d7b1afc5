"""Phone numbers that opted out: nothing is sent to them until the opt-out is lifted."""

from datetime import timedelta

from chalicelib.messaging.errors import (
    PermanentFailure,
)
from chalicelib.notifications.model import SmsState
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import make_reference, make_registration

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
