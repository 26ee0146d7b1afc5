"""A registration to which too much was reported: refused, flagged, and still cancelled and erased."""

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.registrations.errors import HistoryFull, RegistrationUnknown
from chalicelib.registrations.model import MAX_REPORTED_EVENTS, LifecycleState, Registration, Status
from chalicelib.registrations.reported_events import Payment, PaymentCode, VerificationResult
from chalicelib.registrations.schemas import RegistrationView
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Anomaly
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import NOW
from tests.support.day_tally import count_facts
from tests.support.registration_builders import FIRST_DAY

if TYPE_CHECKING:
    from collections.abc import Callable

REPORT: dict[str, Any] = {"occurred_at": NOW, "client_id": "core"}


def make_code(number: int) -> PaymentCode:
    return PaymentCode(code=f"EPS-{number:06}", amount=16_400, expires_on=date(2024, 12, 15))


def make_payment(number: int) -> Payment:
    return Payment(payment_id=f"p-{number}", amount=16_400, months=1, paid_at=NOW + timedelta(minutes=number))


def report(harness: RegistrationHarness, *changes: Any) -> Registration:
    """Return a registration after `changes` of its state, stored at once."""
    registration = harness.register()
    lifecycle: LifecycleState = registration.lifecycle
    for change in changes:
        lifecycle = change(lifecycle)
    changed = replace(registration, lifecycle=lifecycle)
    harness.stores.lifecycle.replace(changed, previous=registration)
    return changed


def fill_with_codes(lifecycle: LifecycleState) -> LifecycleState:
    for number in range(MAX_REPORTED_EVENTS - 1):
        lifecycle = lifecycle.with_payment_code(make_code(number), **REPORT)
    return lifecycle


def test_the_last_report_that_is_taken_fills_the_history_and_the_next_is_refused(
    harness: RegistrationHarness,
) -> None:
    reference = report(harness, fill_with_codes).reference
    service = harness.lifecycle_service

    full = service.record_payment(reference, make_payment(1), caller=CORE_CALLER)

    assert (full.lifecycle.is_full, full.lifecycle.status) == (True, Status.ACTIVE)
    refused_reports: tuple[Callable[[], object], ...] = (
        lambda: service.record_payment(reference, make_payment(2), caller=CORE_CALLER),
        lambda: service.issue_payment_code(reference, make_code(999_999), caller=CORE_CALLER),
        lambda: service.record_verification(
            reference, VerificationResult(result="matched"), caller=CORE_CALLER
        ),
    )
    for report_again in refused_reports:
        with pytest.raises(HistoryFull):
            report_again()
    assert harness.stores.reading.get(reference) == full


def test_what_was_reported_before_is_answered_as_before(harness: RegistrationHarness) -> None:
    reference = report(harness, fill_with_codes).reference
    service = harness.lifecycle_service
    full = service.record_payment(reference, make_payment(1), caller=CORE_CALLER)

    again = service.record_payment(reference, make_payment(1), caller=CORE_CALLER)

    assert again == full
    last_code = make_code(MAX_REPORTED_EVENTS - 2)
    assert service.issue_payment_code(reference, last_code, caller=CORE_CALLER) == full


def test_a_full_registration_is_cancelled_expired_and_erased_as_any_other(
    harness: RegistrationHarness,
) -> None:
    registration = report(harness, fill_with_codes, lambda it: it.with_payment_code(make_code(-1), **REPORT))
    assert registration.lifecycle.is_full

    harness.cancel(registration.reference)

    assert harness.stores.reading.get(registration.reference).lifecycle.status is Status.CANCELLED
    again = harness.submit(2, nik_number=1)
    assert again.reference != registration.reference
    harness.erasure_service.erase(
        registration.worker_key, received_before=harness.clock(), erase_attached=lambda reference: None
    )
    with pytest.raises(RegistrationUnknown):
        harness.reading_service.get(registration.reference)


def test_managers_see_a_flag_and_an_anomaly_of_the_day(harness: RegistrationHarness) -> None:
    almost = report(harness, fill_with_codes)
    assert RegistrationView.build_masked(almost).flags == ()
    harness.lifecycle_service.issue_payment_code(almost.reference, make_code(-1), caller=CORE_CALLER)

    full = harness.stores.reading.get(almost.reference)

    assert RegistrationView.build_masked(full).flags == ("history_full",)
    tally = count_facts(list(harness.stores.reading.iter_day_facts(FIRST_DAY)), AnomalyThresholds())
    assert tally.oddities == [Anomaly(pattern="history_full", workers=1)]
