"""What the lifecycle store does with a change that the stored state does not allow."""

import pytest

from chalicelib.conflicts import WriteConflict
from chalicelib.registrations.errors import RegistrationSuperseded, RegistrationUnknown
from chalicelib.registrations.lifecycle import PaymentIdTaken
from tests.support.lifecycle_builders import add_payment, expire_or_lapse, make_received_registration
from tests.support.registration_stores import RegistrationStores, add, replace_with


def test_of_two_changes_to_one_version_the_second_is_not_stored(stores: RegistrationStores) -> None:
    registration = add(stores, make_received_registration())
    first = replace_with(stores, registration, add_payment(registration, "p-1"))

    with pytest.raises(WriteConflict):
        stores.lifecycle.replace(add_payment(registration, "p-2"), previous=registration)

    assert stores.reading.get(registration.reference) == first


def test_a_payment_id_is_taken_once_and_its_second_payment_stores_nothing(stores: RegistrationStores) -> None:
    first, second = make_received_registration(1), make_received_registration(2)
    add(stores, first, second)
    stores.lifecycle.replace(add_payment(first), previous=first, payment_key="key")

    with pytest.raises(PaymentIdTaken):
        stores.lifecycle.replace(add_payment(second), previous=second, payment_key="key")
    assert stores.reading.get(second.reference) == second

    with pytest.raises(WriteConflict):
        stores.lifecycle.replace(add_payment(first), previous=first, payment_key="key")


def test_an_unknown_registration_cannot_change(stores: RegistrationStores) -> None:
    with pytest.raises(WriteConflict):
        stores.lifecycle.replace(
            add_payment(make_received_registration()), previous=make_received_registration()
        )
    with pytest.raises(RegistrationUnknown):
        stores.reading.get(make_received_registration().reference)


def test_a_registration_that_another_one_follows_cannot_change(stores: RegistrationStores) -> None:
    registration = add(stores, make_received_registration())
    lapsed = replace_with(stores, registration, expire_or_lapse(add_payment(registration)))
    second = add(stores, make_received_registration(2, worker_number=1, follows=registration.reference))

    with pytest.raises(RegistrationSuperseded):
        stores.lifecycle.replace(add_payment(lapsed, "p-2"), previous=lapsed)

    assert stores.reading.get(registration.reference) == lapsed
    replace_with(stores, second, add_payment(second))


def test_of_several_failed_conditions_a_retry_is_asked_for_only_if_it_may_succeed(
    stores: RegistrationStores,
) -> None:
    registration, other = add(stores, make_received_registration()), make_received_registration(3)
    add(stores, other)
    stores.lifecycle.replace(add_payment(other), previous=other, payment_key="taken")
    lapsed = replace_with(stores, registration, expire_or_lapse(add_payment(registration)))

    with pytest.raises(WriteConflict):
        stores.lifecycle.replace(add_payment(registration), previous=registration, payment_key="taken")

    add(stores, make_received_registration(2, worker_number=1, follows=registration.reference))
    with pytest.raises(RegistrationSuperseded):
        stores.lifecycle.replace(add_payment(lapsed, "p-2"), previous=lapsed, payment_key="taken")
    with pytest.raises(WriteConflict):
        stores.lifecycle.replace(add_payment(registration), previous=registration, payment_key="taken")
