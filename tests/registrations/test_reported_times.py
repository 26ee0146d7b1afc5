"""The bounds of reported times, by the injected clock."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.refusals import RulesBroken
from chalicelib.registrations.model import Status
from chalicelib.registrations.reported_events import VerificationResult
from chalicelib.registrations.reported_times import check_payment_code, check_payment_time
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import NOW
from tests.support.lifecycle_events import make_lifecycle, make_payment, make_payment_code, pay
from tests.support.registration_builders import make_registration
from tests.support.rule_checks import find_broken_rules, read_worker

TODAY = date(2024, 10, 9)


@given(st.timedeltas(timedelta(days=-900), timedelta(days=900)))
def test_a_payment_is_made_from_a_month_before_its_capture_until_now(offset: timedelta) -> None:
    registration = make_registration()
    now = registration.capture_metadata.captured_at + timedelta(days=500)
    payment = make_payment(paid_at=registration.capture_metadata.captured_at + offset)
    is_within = timedelta(days=-31) <= offset <= timedelta(days=500, minutes=10)
    with nullcontext() if is_within else pytest.raises(RulesBroken):
        check_payment_time(payment, registration, now=now)


@given(days=st.integers(-3000, 3000), paid=st.none() | st.integers(-900, 0))
def test_a_payment_code_is_good_today_or_was_paid_with_and_for_five_years_at_most(
    days: int, paid: int | None
) -> None:
    code = make_payment_code(expires_on=TODAY + timedelta(days=days))
    lifecycle = make_lifecycle()
    if paid is not None:
        lifecycle = pay(make_payment(paid_at=NOW + timedelta(days=paid)))(lifecycle)
    was_paid_with = paid is not None and paid <= days
    is_within = (days >= 0 or was_paid_with) and days <= 5 * 366
    with nullcontext() if is_within else pytest.raises(RulesBroken):
        check_payment_code(code, lifecycle, today=TODAY)


@pytest.mark.parametrize(
    ("given_at", "code"),
    [
        ((NOW + timedelta(minutes=10, seconds=1)).isoformat(), "consent_in_future"),
        ("2999-01-01T00:00:00Z", "consent_in_future"),
        ("2022-10-16T23:59:59Z", "consent_too_old"),
        ("2001-01-01T00:00:00Z", "consent_too_old"),
    ],
)
def test_a_consent_out_of_bounds_is_a_broken_rule(given_at: str, code: str) -> None:
    assert find_broken_rules(consent={"given_at": given_at}) == [f"consent.given_at: {code}"]


@pytest.mark.parametrize("given_at", [(NOW + timedelta(minutes=10)).isoformat(), "2022-10-17T00:00:00Z"])
def test_a_consent_at_its_bounds_is_accepted(given_at: str) -> None:
    assert read_worker(consent={"given_at": given_at})


def test_a_payment_reported_late_is_recorded_and_then_the_code_that_it_was_paid_with(
    harness: RegistrationHarness,
) -> None:
    reference = harness.submit().reference
    code = make_payment_code(expires_on=TODAY + timedelta(days=7))
    harness.advance_days(800)
    with pytest.raises(RulesBroken, match="payment_code_expired"):
        harness.lifecycle_service.issue_payment_code(reference, code, caller=CORE_CALLER)

    paid = harness.lifecycle_service.record_payment(reference, make_payment(paid_at=NOW), caller=CORE_CALLER)
    coded = harness.lifecycle_service.issue_payment_code(reference, code, caller=CORE_CALLER)

    assert paid.lifecycle.status is Status.ACTIVE
    assert coded.lifecycle.payment_code == code


def test_a_payment_that_is_recorded_may_be_reported_again_whatever_its_time(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register()
    payment = make_payment(paid_at=NOW + timedelta(days=900))
    recorded = replace(registration, lifecycle=pay(payment)(registration.lifecycle))

    check_payment_time(payment, recorded, now=NOW)
    with pytest.raises(RulesBroken, match="paid_in_future"):
        check_payment_time(payment, registration, now=NOW)


def test_a_code_that_is_repeated_after_its_last_day_changes_nothing(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    code = make_payment_code(expires_on=TODAY)
    first = harness.lifecycle_service.issue_payment_code(reference, code, caller=CORE_CALLER)
    harness.advance_days(2)

    assert harness.lifecycle_service.issue_payment_code(reference, code, caller=CORE_CALLER) == first
    with pytest.raises(RulesBroken, match="payment_code_expired"):
        harness.lifecycle_service.issue_payment_code(
            reference, make_payment_code(code="EPS-2", expires_on=TODAY), caller=CORE_CALLER
        )


def test_a_code_that_is_over_is_not_issued_again_after_a_mismatch(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    code = make_payment_code(expires_on=TODAY)
    service = harness.lifecycle_service
    service.issue_payment_code(reference, code, caller=CORE_CALLER)
    for result in ("mismatch", "matched"):
        service.record_verification(reference, VerificationResult(result=result), caller=CORE_CALLER)
    harness.advance_days(2)

    with pytest.raises(RulesBroken, match="payment_code_expired"):
        service.issue_payment_code(reference, code, caller=CORE_CALLER)
