"""Places of sponsors: each registration takes one, exactly once, and gives it back when it ends unpaid."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.callers import Caller, Role
from chalicelib.campaigns.service import CampaignService
from chalicelib.registrations.captures import Answer, Outcome
from chalicelib.registrations.model import ENDED_UNPAID_STATUSES, OPEN_UNPAID_STATUSES, Flag, Status
from chalicelib.registrations.quotas import CampaignSponsor
from chalicelib.registrations.reported_events import Payment
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness, open_harness
from tests.support.builders import make_caller, make_submission
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.summaries import make_due_list
from tests.support.payloads import make_capture_id, make_nik
from tests.support.registration_builders import (
    CAMPAIGN_ID,
    FIRST_DAY,
    collect_capture_facts,
    make_campaign,
)

SPONSOR_ID = "yayasan-contoh"
PAID_STATUSES = {Status.ACTIVE, Status.LAPSED}
BOT = make_caller(Role.BOT, client_id="chat-bot")


def submit(
    harness: RegistrationHarness,
    number: int,
    *,
    quota: int | None = 2,
    worker: int | None = None,
    caller: Caller | None = None,
    **coverage: Any,
) -> Answer:
    """Submit a capture that the sponsor pays for. Another `number` is another capture and worker."""
    sponsors = [{"sponsor_id": SPONSOR_ID, "name": "Yayasan Contoh", "quota": quota}]
    service = harness.make_intake_service(harness.stores.intake, sponsors=sponsors)
    command = make_submission(
        capture_id=make_capture_id(number),
        worker={"nik": make_nik(7000 + (number if worker is None else worker)), "phone": None},
        coverage={"payer": "sponsor", "sponsor_id": SPONSOR_ID, **coverage},
    )
    return service.submit(command, caller=caller or make_caller(), correlation_id="c-1").answer


def count_places(harness: RegistrationHarness) -> int:
    return harness.stores.intake.read_prior_state(
        "nobody", phone_key=None, day=date.min, sponsor=CampaignSponsor(CAMPAIGN_ID, SPONSOR_ID)
    ).places_taken


def is_over_quota(harness: RegistrationHarness, answer: Answer) -> bool:
    return Flag.SPONSOR_OVER_QUOTA in harness.stores.reading.get(answer.reference).flags


def pay(harness: RegistrationHarness, answer: Answer) -> None:
    values = {"payment_id": "p-1", "amount": 16_800, "months": 1, "paid_at": harness.clock()}
    payment = Payment.model_validate(values)
    harness.lifecycle_service.record_payment(answer.reference, payment, caller=CORE_CALLER)


def erase(harness: RegistrationHarness, answer: Answer) -> None:
    worker_key = harness.stores.reading.get(answer.reference).worker_key
    harness.erasure_service.erase(worker_key, received_before=harness.clock(), erase_attached=lambda _: None)


@pytest.mark.parametrize("caller", [make_caller(), BOT], ids=["an officer", "a bot"])
def test_a_registration_beyond_the_quota_is_stored_and_flagged(
    harness: RegistrationHarness, caller: Caller
) -> None:
    answers = [submit(harness, number, caller=caller) for number in range(4)]

    assert [each.outcome for each in answers] == [Outcome.CREATED] * 4
    assert [is_over_quota(harness, each) for each in answers] == [False, False, True, True]
    assert count_places(harness) == 4
    flagged = [facts.flags for facts in collect_capture_facts(harness.stores.reading, FIRST_DAY)]
    assert sorted(flagged) == [(), (), (Flag.SPONSOR_OVER_QUOTA,), (Flag.SPONSOR_OVER_QUOTA,)]


def test_a_sponsor_with_a_quota_of_0_has_no_places(harness: RegistrationHarness) -> None:
    assert is_over_quota(harness, submit(harness, 1, quota=0))


def test_a_sponsor_without_a_quota_is_never_over_it_and_is_counted(harness: RegistrationHarness) -> None:
    answers = [submit(harness, number, quota=None) for number in range(3)]

    assert not any(is_over_quota(harness, each) for each in answers)
    assert count_places(harness) == 3
    assert is_over_quota(harness, submit(harness, 4, quota=3))  # A quota that was set later.


def test_a_sponsored_capture_without_a_sponsors_id_takes_no_place(harness: RegistrationHarness) -> None:
    submit(harness, 1, sponsor_id=None)

    assert count_places(harness) == 0
    (facts,) = collect_capture_facts(harness.stores.reading, FIRST_DAY)
    assert facts.sponsor == "-"


@pytest.mark.parametrize("caller", [make_caller(), BOT], ids=["an officer", "a bot"])
def test_a_replay_and_a_known_worker_take_no_place(harness: RegistrationHarness, caller: Caller) -> None:
    submit(harness, 1, caller=caller)
    submit(harness, 1, caller=caller)
    submit(harness, 2, worker=1, caller=caller)

    assert count_places(harness) == 1


def test_a_refused_capture_takes_no_place(harness: RegistrationHarness) -> None:
    with pytest.raises(Exception, match="sponsor_not_payer"):
        submit(harness, 1, payer="self")

    assert count_places(harness) == 0


def test_a_cancelled_registration_gives_its_place_to_the_next_worker(harness: RegistrationHarness) -> None:
    first, _ = submit(harness, 1), submit(harness, 2)
    for _ in range(2):  # Cancelling again changes nothing.
        harness.cancel(first.reference)

    assert count_places(harness) == 1
    assert not is_over_quota(harness, submit(harness, 3))
    assert is_over_quota(harness, submit(harness, 4))


def test_an_expired_registration_gives_its_place_back_once(harness: RegistrationHarness) -> None:
    submit(harness, 1)
    harness.advance_days(31)
    harness.age_due()
    assert count_places(harness) == 0

    harness.advance_days(91)
    assert harness.age_due() == {"destroyed": 1}
    assert count_places(harness) == 0


def test_a_paid_registration_keeps_its_place_when_it_lapses(harness: RegistrationHarness) -> None:
    answer = submit(harness, 1)
    pay(harness, answer)
    harness.advance_days(150)
    harness.age_due()

    assert harness.stores.reading.get(answer.reference).lifecycle.status is Status.LAPSED
    assert count_places(harness) == 1


def test_an_erased_registration_gives_its_place_back_only_if_it_was_not_paid(
    harness: RegistrationHarness,
) -> None:
    unpaid, paid, cancelled = (submit(harness, number) for number in range(3))
    pay(harness, paid)
    harness.cancel(cancelled.reference)
    assert count_places(harness) == 2

    for answer in (unpaid, paid, cancelled):
        erase(harness, answer)

    assert count_places(harness) == 1


def test_a_sponsor_that_was_added_a_moment_ago_is_known(harness: RegistrationHarness) -> None:
    campaigns = InMemoryCampaigns(make_campaign(accepts_until="2999-12-31"))
    service = harness.make_intake_service(harness.stores.intake)
    service._campaigns = cached = CampaignService(
        campaigns=campaigns,
        get_due_list=make_due_list,
        clock=harness.clock,
    )
    before = cached.get(CAMPAIGN_ID)
    sponsors = make_campaign(sponsors=[{"sponsor_id": SPONSOR_ID, "name": "Yayasan"}]).sponsors
    campaigns.replace(before.model_copy(update={"sponsors": sponsors}), previous=before)

    command = make_submission(coverage={"payer": "sponsor", "sponsor_id": SPONSOR_ID})
    answer = service.submit(command, caller=make_caller(), correlation_id="c-1").answer

    assert answer.outcome is Outcome.CREATED


def read_statuses(harness: RegistrationHarness) -> dict[str, str]:
    """Return the status of each stored registration, by its reference."""
    return {
        item["reference"]["S"]: item["status"]["S"]
        for item in harness.scan_items()
        if item["sk"]["S"] == "APPLICATION"
    }


ACTS = st.lists(
    st.tuples(st.sampled_from(["capture", "public", "cancel", "pay", "erase", "age"]), st.integers(1, 3)),
    min_size=1,
    max_size=12,
)


@pytest.mark.usefixtures("_isolated_aws_environment")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_the_places_taken_are_those_of_registrations_that_did_not_end_unpaid(
    acts: list[tuple[str, int]],
) -> None:
    erased_after_payment = 0
    with open_harness() as harness:
        latest: dict[int, Answer] = {}
        for number, (act, worker) in enumerate(acts):
            statuses = read_statuses(harness)
            status = statuses.get(latest[worker].reference) if worker in latest else None
            if act in {"capture", "public"}:
                caller = BOT if act == "public" else make_caller()
                latest[worker] = submit(harness, number, worker=worker, caller=caller)
            elif act == "age":
                harness.advance_days(31)
                harness.age_due()
            elif act == "cancel" and status in OPEN_UNPAID_STATUSES:
                harness.cancel(latest[worker].reference)
            elif act == "pay" and status == Status.RECEIVED:
                pay(harness, latest[worker])
            elif act == "erase" and status is not None:
                erase(harness, latest[worker])
                gone = statuses.keys() - read_statuses(harness).keys()
                erased_after_payment += sum(statuses[each] in PAID_STATUSES for each in gone)
        held = [each for each in read_statuses(harness).values() if each not in ENDED_UNPAID_STATUSES]

        assert count_places(harness) == len(held) + erased_after_payment
