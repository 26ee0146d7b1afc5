"""Refused captures in the registrations table: counted once, and replaced by the corrected one."""

from datetime import UTC, datetime, time, timedelta

import pytest

from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.prior_state import (
    CaptureExists,
)
from tests.contracts.conftest import Engine
from tests.support.registration_builders import (
    ANOTHER_REFERENCE,
    FIRST_DAY,
    PHONE_COUNT,
    REFUSALS_EXPIRE_ON,
    SECOND_DAY,
    collect_capture_facts,
    make_capture,
    make_capture_metadata,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores


def test_a_refused_capture_is_counted_as_refused(stores: RegistrationStores) -> None:
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(), Outcome.REFUSED),
        is_on_campaign_day=True,
        expires_on=REFUSALS_EXPIRE_ON,
    )

    assert [facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [Outcome.REFUSED]


def test_a_refused_capture_sent_again_is_counted_once(stores: RegistrationStores) -> None:
    for _ in range(2):
        stores.intake.add_refusal(
            make_capture(make_capture_metadata(), Outcome.REFUSED),
            is_on_campaign_day=True,
            expires_on=REFUSALS_EXPIRE_ON,
        )

    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == 1


def test_a_capture_refused_for_its_day_is_known_but_counted_on_no_day(
    stores: RegistrationStores,
) -> None:
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(), Outcome.REFUSED),
        is_on_campaign_day=False,
        expires_on=REFUSALS_EXPIRE_ON,
    )
    assert list(collect_capture_facts(stores.reading, FIRST_DAY)) == []

    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    assert [facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [Outcome.CREATED]


def test_a_corrected_capture_replaces_the_refused_one(stores: RegistrationStores) -> None:
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(), Outcome.REFUSED, fingerprint="mistyped"),
        is_on_campaign_day=True,
        expires_on=REFUSALS_EXPIRE_ON,
    )

    stores.intake.add(
        make_registration(), make_capture(make_capture_metadata(), fingerprint="corrected"), PHONE_COUNT
    )

    assert [facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [Outcome.CREATED]


def test_a_corrected_capture_of_a_known_worker_replaces_the_refused_one(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(2), Outcome.REFUSED, fingerprint="mistyped"),
        is_on_campaign_day=True,
        expires_on=REFUSALS_EXPIRE_ON,
    )

    corrected = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED, fingerprint="corrected")
    stores.intake.add_repeat(corrected, worker_key="worker")

    outcomes = sorted(facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY))
    assert outcomes == [Outcome.ALREADY_REGISTERED, Outcome.CREATED]


def test_a_corrected_capture_of_another_day_is_counted_on_that_day_only(
    stores: RegistrationStores,
) -> None:
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(), Outcome.REFUSED),
        is_on_campaign_day=True,
        expires_on=REFUSALS_EXPIRE_ON,
    )

    moved = make_capture_metadata(
        day=SECOND_DAY.day, captured_at=make_capture_metadata().captured_at + timedelta(days=1)
    )
    stores.intake.add(make_registration(capture_metadata=moved), make_capture(moved), PHONE_COUNT)

    assert list(collect_capture_facts(stores.reading, FIRST_DAY)) == []
    assert [facts.outcome for facts in collect_capture_facts(stores.reading, SECOND_DAY)] == [Outcome.CREATED]


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.ALREADY_REGISTERED])
def test_an_accepted_capture_is_never_overwritten_by_a_refusal(
    stores: RegistrationStores, outcome: Outcome
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata(9)), PHONE_COUNT)
    accepted = make_capture(make_capture_metadata(), outcome, reference=ANOTHER_REFERENCE)
    if outcome is Outcome.CREATED:
        stores.intake.add(make_registration(ANOTHER_REFERENCE, worker_key="another"), accepted, PHONE_COUNT)
    else:
        accepted = make_capture(make_capture_metadata(), outcome)
        stores.intake.add_repeat(accepted, worker_key="worker")

    with pytest.raises(CaptureExists) as known:
        stores.intake.add_refusal(
            make_capture(make_capture_metadata(), Outcome.REFUSED, fingerprint="refused"),
            is_on_campaign_day=True,
            expires_on=REFUSALS_EXPIRE_ON,
        )

    assert known.value.capture == accepted
    assert Outcome.REFUSED not in [
        facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)
    ]


def test_a_refused_capture_expires_and_an_accepted_one_that_replaces_it_does_not(
    stores: RegistrationStores, engine: Engine
) -> None:
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(), Outcome.REFUSED),
        is_on_campaign_day=True,
        expires_on=REFUSALS_EXPIRE_ON,
    )
    (refused,) = engine.scan_items()
    expires_at = datetime.fromtimestamp(int(refused["expires_at"]["N"]), UTC)
    assert expires_at == datetime.combine(REFUSALS_EXPIRE_ON, time(), UTC) + timedelta(days=1)

    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    (accepted,) = [item for item in engine.scan_items() if item["sk"]["S"] == "CAPTURE"]
    assert "expires_at" not in accepted
