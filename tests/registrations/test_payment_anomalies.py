"""Unusual payments: each is recorded, its registration is flagged, and the summary of its day says so."""

import pytest

from chalicelib.registrations.model import Flag, Registration, Status
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Anomaly
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.day_tally import count_facts
from tests.support.lifecycle_events import make_payment
from tests.support.registration_builders import FIRST_DAY

PAID_AT = "2024-10-09T12:00:00+07:00"


def pay(
    harness: RegistrationHarness, registration: Registration, payment_id: str, amount: int, months: int = 1
) -> Registration:
    payment = make_payment(payment_id, amount=amount, months=months, paid_at=PAID_AT)
    return harness.lifecycle_service.record_payment(registration.reference, payment, caller=CORE_CALLER)


def list_anomalies(harness: RegistrationHarness) -> list[Anomaly]:
    facts = harness.stores.reading.iter_day_facts(FIRST_DAY)
    return count_facts(facts, AnomalyThresholds()).oddities


def test_one_rupiah_for_twelve_months_is_recorded_and_flagged(harness: RegistrationHarness) -> None:
    paid = pay(harness, harness.register(), "p-1", 1, months=12)

    assert harness.stores.reading.get(paid.reference) == paid
    assert (paid.lifecycle.status, paid.lifecycle.payments[0].amount) == (Status.ACTIVE, 1)
    assert paid.flags == (Flag.PAYMENT_DIFFERS,)
    assert list_anomalies(harness) == [Anomaly(pattern="payment_differs", workers=1)]


@pytest.mark.parametrize(
    ("percent", "is_flagged"),
    [(100, False), (75, False), (125, False), (74, True), (126, True), (1000, True)],
)
def test_a_payment_is_flagged_beyond_a_quarter_of_its_quote(
    harness: RegistrationHarness, percent: int, *, is_flagged: bool
) -> None:
    registration = harness.register()
    quoted = registration.quote.months[0].amount

    paid = pay(harness, registration, "p-1", quoted * percent // 100)

    assert (Flag.PAYMENT_DIFFERS in paid.flags) is is_flagged
    assert bool(list_anomalies(harness)) is is_flagged


def test_further_months_are_expected_to_cost_what_the_quoted_ones_do(harness: RegistrationHarness) -> None:
    registration = harness.register()
    monthly = registration.quote.months[-1].amount
    pay(harness, registration, "p-1", registration.quote.total, months=len(registration.quote.months))

    assert pay(harness, registration, "p-2", 12 * monthly, months=12).flags == ()
    assert pay(harness, registration, "p-3", monthly, months=12).flags == (Flag.PAYMENT_DIFFERS,)


def test_one_payment_id_for_several_registrations_is_recorded_for_each_and_flagged(
    harness: RegistrationHarness,
) -> None:
    registrations = [harness.register(number) for number in (1, 2, 3)]
    amount = registrations[0].quote.months[0].amount

    paid = [pay(harness, each, "p-1", amount) for each in registrations]

    assert [each.lifecycle.status for each in paid] == [Status.ACTIVE] * 3
    assert [each.flags for each in paid] == [(), (Flag.PAYMENT_SHARED,), (Flag.PAYMENT_SHARED,)]
    assert list_anomalies(harness) == [Anomaly(pattern="payment_shared", workers=2)]


def test_a_payment_that_is_reported_again_is_not_flagged(harness: RegistrationHarness) -> None:
    first, second = harness.register(1), harness.register(2)
    amount = first.quote.months[0].amount
    for registration, payment_id in ((first, "p-1"), (second, "p-2")):
        for _ in range(2):
            assert pay(harness, registration, payment_id, amount).flags == ()


def test_an_id_that_pays_another_registration_in_the_same_moment_is_flagged(
    harness: RegistrationHarness,
) -> None:
    first, second = harness.register(1), harness.register(2)
    amount = first.quote.months[0].amount
    store = with_concurrent_writes(
        harness.stores.lifecycle, "replace", lambda: pay(harness, first, "p-1", amount)
    )

    paid = harness.make_lifecycle_service(store).record_payment(
        second.reference, make_payment("p-1", amount=amount, paid_at=PAID_AT), caller=CORE_CALLER
    )

    assert paid.flags == (Flag.PAYMENT_SHARED,)
    assert harness.stores.reading.get(first.reference).flags == ()


def test_the_anomalies_stay_when_the_workers_are_erased_and_their_payment_ids_lead_to_nobody(
    harness: RegistrationHarness,
) -> None:
    registrations = [harness.register(number) for number in (1, 2)]
    for registration in registrations:
        pay(harness, registration, "p-1", 1)
    before = list_anomalies(harness)

    for registration in registrations:
        harness.erasure_service.erase(
            registration.worker_key, received_before=harness.clock(), erase_attached=lambda _: None
        )

    assert [(each.pattern, each.workers) for each in before] == [
        ("payment_differs", 2),
        ("payment_shared", 1),
    ]
    assert list_anomalies(harness) == before
    kept = str(harness.scan_items())
    assert not [
        secret for each in registrations for secret in (each.reference, each.worker_key) if secret in kept
    ]
    assert "p-1" not in kept
