"""The promises of the erasure store: links lead to every record, and what is erased stays erased."""

from datetime import timedelta

import pytest

from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.erasure import CaptureLink, WorkerLinks
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Status
from tests.support.builders import NOW
from tests.support.registration_builders import (
    ANOTHER_REFERENCE,
    FIRST_DAY,
    PHONE_COUNT,
    REFERENCE,
    REFUSALS_EXPIRE_ON,
    collect_capture_facts,
    make_capture,
    make_capture_metadata,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores

LINKS = tuple(CaptureLink(make_capture_metadata(number).capture_id, REFERENCE) for number in (1, 2))


@pytest.fixture
def known_worker(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    stores.intake.add_repeat(
        make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED), worker_key="worker"
    )


def test_the_links_lead_to_the_registration_and_to_every_capture(
    stores: RegistrationStores, known_worker: None
) -> None:
    assert stores.erasure.get_links("worker") == WorkerLinks(REFERENCE, LINKS)
    assert stores.erasure.get_links("nobody") == WorkerLinks(None, ())
    assert stores.erasure.get_capture(LINKS[0].capture_id) == make_capture(make_capture_metadata())


def test_an_erased_capture_is_counted_and_never_accepted_again(
    stores: RegistrationStores, known_worker: None
) -> None:
    before = sorted(collect_capture_facts(stores.reading, FIRST_DAY), key=str)
    for _ in range(2):
        stores.erasure.erase_capture("worker", LINKS[0])

    assert sorted(collect_capture_facts(stores.reading, FIRST_DAY), key=str) == before
    assert stores.erasure.get_links("worker") == WorkerLinks(REFERENCE, LINKS[1:])
    with pytest.raises(CaptureErased):
        stores.erasure.get_capture(LINKS[0].capture_id)
    with pytest.raises(CaptureErased):
        stores.intake.add(
            make_registration(ANOTHER_REFERENCE, worker_key="other"),
            make_capture(make_capture_metadata()),
            PHONE_COUNT,
        )
    with pytest.raises(CaptureErased):
        stores.intake.add_repeat(
            make_capture(make_capture_metadata(), Outcome.ALREADY_REGISTERED), worker_key="worker"
        )
    with pytest.raises(CaptureErased):
        stores.intake.add_refusal(
            make_capture(make_capture_metadata(), Outcome.REFUSED),
            is_on_campaign_day=True,
            expires_on=REFUSALS_EXPIRE_ON,
        )


def test_a_worker_is_erased_only_while_that_registration_is_the_latest(
    stores: RegistrationStores, known_worker: None
) -> None:
    stores.erasure.erase_worker("worker", ANOTHER_REFERENCE)
    assert stores.erasure.get_links("worker").latest_reference == REFERENCE

    for _ in range(2):
        stores.erasure.erase_worker("worker", REFERENCE)
    assert stores.erasure.get_links("worker").latest_reference is None
    assert stores.reading.find_latest("worker") is None


def test_an_erased_registration_is_unknown(stores: RegistrationStores, known_worker: None) -> None:
    for _ in range(2):
        stores.erasure.erase_registration(REFERENCE, "worker")

    with pytest.raises(RegistrationUnknown):
        stores.reading.get(REFERENCE)


def test_a_destroyed_registration_is_known_as_destroyed_and_listed_nowhere(
    stores: RegistrationStores, known_worker: None
) -> None:
    assert stores.erasure.destroy_personal_fields(make_registration(), destroyed_at=NOW) is True

    with pytest.raises(RegistrationDestroyed):
        stores.reading.get(REFERENCE)
    assert list(stores.reading.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=9).rows) == []
    assert list(stores.lifecycle.iter_due(NOW.date() + timedelta(days=99))) == []
    in_a_year = NOW + timedelta(days=365)
    assert [each for each in Status if any(stores.erasure.iter_in_status(each, since_before=in_a_year))] == []


def test_a_registration_that_was_changed_meanwhile_is_not_destroyed(
    stores: RegistrationStores, known_worker: None
) -> None:
    changed = make_registration()
    stores.erasure.erase_registration(REFERENCE, "worker")

    assert stores.erasure.destroy_personal_fields(changed, destroyed_at=NOW) is False
    with pytest.raises(RegistrationUnknown):
        stores.reading.get(REFERENCE)
