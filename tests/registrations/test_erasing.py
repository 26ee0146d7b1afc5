"""Taking a worker away: whole on request, one old application by time; what is counted stays as it is."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.items import to_item
from chalicelib.campaigns.model import CampaignDay
from chalicelib.refusals import TryAgain
from chalicelib.registrations.erasure import CaptureLink, ErasureService, WorkerLinks
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.items import registration_key
from chalicelib.registrations.references import Reference
from chalicelib.registrations.states import Cancellation, Status
from chalicelib.rollups.counting import AnomalyThresholds, count_facts
from chalicelib.rollups.model import Tally
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.registrations.test_ageing import a_round
from tests.support.builders import make_caller
from tests.support.lifecycle_events import make_payment
from tests.support.registration_builders import FIRST_DAY


def forget_no_texts(reference: Reference) -> None:
    """There are none."""


def erase(harness: RegistrationHarness, worker_key: str, erasing: Any = None) -> None:
    (erasing or harness.erasure_service).erase(
        worker_key, received_before=harness.clock(), erase_sms=forget_no_texts
    )


def counted(harness: RegistrationHarness, of: CampaignDay = FIRST_DAY) -> Tally:
    return count_facts(harness.registrations.iter_day_facts(of), AnomalyThresholds())


def kept(harness: RegistrationHarness) -> list[dict[str, Any]]:
    """What the table holds, beside the counts of phones, which expire by themselves."""
    items = harness.dynamodb.scan(TableName="RegistrationsTable")["Items"]
    return [item for item in items if not item["pk"]["S"].startswith("PHONE#")]


def kinds(harness: RegistrationHarness) -> Counter[str]:
    """How many items of each kind there are, beside what is counted of those who were forgotten."""
    found = Counter(item["pk"]["S"].partition("#")[0] for item in kept(harness))
    del found["LEFT"]
    return found


def a_long_line(harness: RegistrationHarness) -> tuple[str, list[Reference]]:
    """A worker who registered three times, was repeated in between, and whose references are these."""
    first = harness.register(1)
    references = [first.reference]
    for number in (2, 3):
        harness.submit(10 + number, nik_number=1)
        harness.lifecycle_service.cancel(references[-1], Cancellation(reason="other"), caller=make_caller())
        harness.advance_days(1)
        references.append(harness.submit(number, nik_number=1).reference)
    return first.worker_key, references


def test_nothing_that_leads_to_the_person_is_left_and_what_is_counted_is(
    harness: RegistrationHarness,
) -> None:
    worker_key, references = a_long_line(harness)
    other = harness.register(99)
    before = counted(harness)

    erase(harness, worker_key)

    assert counted(harness) == before
    assert kinds(harness) == {"CAPTURE": 6, "WORKER": 2, "REGISTRATION": 1}
    text = str(kept(harness))
    assert worker_key not in text
    assert not [reference for reference in references if reference in text]
    assert harness.registrations.get(other.reference) == other


def test_what_is_left_of_a_capture_is_what_is_counted_and_its_id(harness: RegistrationHarness) -> None:
    registration = harness.register()

    erase(harness, registration.worker_key)

    (capture,) = [item for item in kept(harness) if item["sk"]["S"] == "CAPTURE"]
    assert capture.keys() == {"pk", "sk", "taken", "forgotten"}
    assert capture["taken"]["M"].keys() == {"capture_id", "campaign_id", "day", "client_id", "channel"}


def test_what_is_counted_goes_on_under_ids_that_lead_nowhere(harness: RegistrationHarness) -> None:
    registration = harness.register()

    erase(harness, registration.worker_key)

    left = [item for item in kept(harness) if item["sk"]["S"] == "LEFT"]
    assert len({item["pk"]["S"] for item in left}) == 2
    facts = sorted((sorted(item["facts"]["M"]) for item in left), key=len)
    assert facts == [
        ["figures", "status"],
        [
            *("age", "channel", "client_id", "hour", "occupations", "officer", "outcome", "programmes"),
            *("received_on", "sex"),
        ],
    ]
    for item in left:
        assert item.keys() == {"pk", "sk", "facts", "day_shard", "day_order"}
        assert registration.capture_metadata.capture_id not in str(item)
        assert registration.reference not in str(item)


def test_an_erased_capture_sent_again_registers_nobody_whatever_it_says(harness: RegistrationHarness) -> None:
    registration = harness.register(1)
    harness.submit(2, nik_number=1)
    erase(harness, registration.worker_key)

    for number in (1, 2):
        for changes in ({}, {"worker": {"name": "Mawar"}}, {"worker": {"nik": "31"}}):
            with pytest.raises(CaptureErased):
                harness.submit(number, nik_number=1, **changes)

    assert kinds(harness) == {"CAPTURE": 2}


def test_an_erased_worker_can_register_anew_as_somebody_new(harness: RegistrationHarness) -> None:
    registration = harness.register(1)
    erase(harness, registration.worker_key)

    assert harness.submit(2, nik_number=1).outcome == "created"


def test_a_dead_reference_is_unknown_and_takes_no_payment(harness: RegistrationHarness) -> None:
    registration = harness.register()
    erase(harness, registration.worker_key)

    with pytest.raises(RegistrationUnknown):
        harness.registrations.get(registration.reference)
    with pytest.raises(RegistrationUnknown):
        harness.lifecycle_service.record_payment(registration.reference, make_payment(), caller=CORE_CALLER)


def test_erasing_nobody_or_once_more_changes_nothing(harness: RegistrationHarness) -> None:
    registration = harness.register()
    erase(harness, "somebody nobody knows")
    assert harness.registrations.get(registration.reference) == registration

    erase(harness, registration.worker_key)
    before = kept(harness)
    erase(harness, registration.worker_key)
    assert kept(harness) == before


class Interrupted:
    """The workers' store, on which the process ends at the nth act."""

    def __init__(self, harness: RegistrationHarness, at: int) -> None:
        self._workers = harness.workers
        self._left = at

    def __getattr__(self, name: str) -> Any:
        if name in {"erase_capture", "erase_worker", "erase_registration"}:
            self._left -= 1
            if self._left < 0:
                raise KeyboardInterrupt
        return getattr(self._workers, name)


def erasing_on(harness: RegistrationHarness, workers: Any) -> ErasureService:
    return ErasureService(
        workers=workers,
        registrations=harness.registrations,
        clock=harness.clock,
        retention_period=timedelta(days=90),
    )


@pytest.mark.parametrize("at", range(9))
def test_an_erasure_that_ends_halfway_is_finished_by_the_next_one(
    harness: RegistrationHarness, at: Any
) -> None:
    worker_key, references = a_long_line(harness)
    before = counted(harness)
    with pytest.raises(KeyboardInterrupt):
        erase(harness, worker_key, erasing_on(harness, Interrupted(harness, at)))

    erase(harness, worker_key)

    assert kinds(harness) == {"CAPTURE": 5}
    assert not [reference for reference in references if reference in str(kept(harness))]
    assert counted(harness) == before


class Meddled:
    """The workers' store, in which somebody else does something right before an act of a name, once."""

    def __init__(self, harness: RegistrationHarness, before: str, meddling: Any) -> None:
        self._workers = harness.workers
        self._before = before
        self._meddling = [meddling]

    def __getattr__(self, name: str) -> Any:
        if name == self._before and self._meddling:
            self._meddling.pop()()
        return getattr(self._workers, name)


@pytest.mark.parametrize("before", ["erase_capture", "erase_registration", "erase_worker"])
def test_a_repeat_that_comes_in_while_its_worker_is_erased_is_forgotten_too(
    harness: RegistrationHarness, before: str
) -> None:
    registration = harness.register(1)
    meddled = Meddled(harness, before, lambda: harness.submit(2, nik_number=1))

    erase(harness, registration.worker_key, erasing_on(harness, meddled))

    assert kinds(harness) == {"CAPTURE": 2}
    with pytest.raises(CaptureErased):
        harness.submit(2, nik_number=1)


def test_who_registers_anew_while_being_erased_stays_and_the_earlier_ones_go(
    harness: RegistrationHarness,
) -> None:
    worker_key, references = a_long_line(harness)
    asked_at = harness.clock()
    harness.lifecycle_service.cancel(references[-1], Cancellation(reason="other"), caller=make_caller())
    harness.clock.advance(timedelta(seconds=1))

    anew = harness.submit(7, nik_number=1).reference
    harness.erasure_service.erase(worker_key, received_before=asked_at, erase_sms=forget_no_texts)

    assert [each.reference for each in harness.erasure_service.list_applications(worker_key)] == [anew]
    assert not [reference for reference in references[:-1] if reference in str(kept(harness))]
    assert harness.submit(8, nik_number=1).outcome == "already_registered"


def test_a_payment_that_comes_in_meanwhile_does_not_bring_the_registration_back(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register()

    def pay() -> None:
        harness.lifecycle_service.record_payment(registration.reference, make_payment(), caller=CORE_CALLER)

    erase(harness, registration.worker_key, erasing_on(harness, Meddled(harness, "erase_registration", pay)))

    assert kinds(harness) == {"CAPTURE": 1}


def test_an_erasure_that_takes_too_long_says_so_and_goes_on_when_asked_again(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register(1)
    harness.submit(2, nik_number=1)
    slow = Meddled(harness, "erase_capture", lambda: harness.clock.advance(timedelta(seconds=20)))
    asked_at = harness.clock()

    with pytest.raises(TryAgain):
        erasing_on(harness, slow).erase(
            registration.worker_key, received_before=asked_at, erase_sms=forget_no_texts
        )
    erase(harness, registration.worker_key)

    assert kinds(harness) == {"CAPTURE": 2}


def test_captures_that_never_stop_coming_do_not_hold_an_erasure_for_ever(
    harness: RegistrationHarness,
) -> None:
    class Endless:
        def get_links(self, worker_key: str) -> WorkerLinks:
            return WorkerLinks(None, (CaptureLink("c", Reference("7K4-M2Q-X9P")),))

        def erase_capture(self, worker_key: str, capture_link: CaptureLink) -> None:
            """It comes back."""

    with pytest.raises(TryAgain):
        erase(harness, "worker", erasing_on(harness, Endless()))


# What time destroys.


def ended(harness: RegistrationHarness, number: int = 1, status: Status = Status.CANCELLED) -> Any:
    registration = harness.register(number)
    if status is Status.CANCELLED:
        harness.lifecycle_service.cancel(
            registration.reference, Cancellation(reason="other"), caller=make_caller()
        )
    else:
        harness.advance_days(30)
        a_round(harness)
    return registration


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED])
def test_what_is_personal_goes_ninety_days_after_an_application_ended_unpaid(
    harness: RegistrationHarness, status: Status
) -> None:
    registration = ended(harness, status=status)
    before = counted(harness)
    harness.clock.advance(timedelta(days=90) - timedelta(seconds=1))
    assert a_round(harness) == {}
    harness.clock.advance(timedelta(seconds=1))

    assert a_round(harness) == {"destroyed": 1}

    assert counted(harness) == before
    items = {item["pk"]["S"].partition("#")[0]: item for item in kept(harness)}
    assert items.keys() == {"CAPTURE", "REGISTRATION", "LEFT"}
    left = items["REGISTRATION"]
    assert left["status"]["S"] == status
    assert [event["M"]["event_type"]["S"] for event in left["history"]["L"]] == ["registered", status]
    assert not left.keys() & {
        "sealed",
        "money",
        "facts",
        "worker_key",
        "day_shard",
        "status_shard",
        "due_shard",
    }
    assert registration.worker_key not in str(kept(harness))


def test_a_destroyed_application_is_gone_and_a_stranger_does_not_hear_that_it_was_there(
    harness: RegistrationHarness,
) -> None:
    registration = ended(harness)
    harness.advance_days(90)
    a_round(harness)

    with pytest.raises(RegistrationDestroyed):
        harness.lifecycle_service.look_up(registration.reference, caller=make_caller())
    stranger = make_caller(campaigns=frozenset({"senen-2024"}))
    with pytest.raises(RegistrationUnknown) as unknown:
        harness.lifecycle_service.look_up(registration.reference, caller=stranger)
    assert unknown.type is RegistrationUnknown
    assert (
        list(harness.lifecycle_service.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=9).rows)
        == []
    )
    with pytest.raises(CaptureErased):
        harness.submit(1)


def test_an_application_that_the_release_before_wrote_is_destroyed_too(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.cancel(registration.reference)
    harness.dynamodb.update_item(
        TableName="RegistrationsTable",
        Key=to_item(registration_key(registration.reference)),
        UpdateExpression="REMOVE facts",
    )
    harness.advance_days(90)

    assert a_round(harness) == {"destroyed": 1}
    with pytest.raises(RegistrationDestroyed):
        harness.registrations.get(registration.reference)
    assert a_round(harness) == {}


def test_a_round_that_comes_twice_destroys_nothing_more(harness: RegistrationHarness) -> None:
    ended(harness)
    harness.advance_days(90)
    a_round(harness)
    before = kept(harness)

    assert a_round(harness) == {}

    assert kept(harness) == before


def test_a_worker_whose_application_was_destroyed_registers_as_somebody_new(
    harness: RegistrationHarness,
) -> None:
    ended(harness)
    harness.advance_days(90)
    a_round(harness)

    assert harness.submit(2, nik_number=1).outcome == "created"


def test_a_worker_who_has_another_application_stays_known(harness: RegistrationHarness) -> None:
    paid = harness.register(1)
    harness.lifecycle_service.record_payment(
        paid.reference, make_payment(paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(200)
    a_round(harness)
    again = harness.submit(2, nik_number=1).reference
    harness.lifecycle_service.cancel(again, Cancellation(reason="other"), caller=make_caller())
    harness.advance_days(90)

    assert a_round(harness) == {"destroyed": 1}

    line = harness.erasure_service.list_applications(paid.worker_key)
    assert [(each.reference, each.registration is None) for each in line] == [
        (again, True),
        (paid.reference, False),
    ]
    assert harness.submit(3, nik_number=1).outcome == "reactivated"
    erase(harness, paid.worker_key)
    assert kinds(harness) == {"CAPTURE": 3}


@pytest.mark.parametrize("at", range(3))
def test_a_round_that_ends_halfway_is_finished_by_the_next_one(harness: RegistrationHarness, at: Any) -> None:
    registration = ended(harness)
    harness.advance_days(90)
    workers: Any = Interrupted(harness, at)

    try:
        erasing_on(harness, workers).destroy_personal_fields(registration.reference)
    except KeyboardInterrupt:
        assert a_round(harness) == {"destroyed": 1}

    assert kinds(harness) == {"CAPTURE": 1, "REGISTRATION": 1}


def test_memberships_that_lapsed_are_not_destroyed(harness: RegistrationHarness) -> None:
    paid = harness.register()
    harness.lifecycle_service.record_payment(
        paid.reference, make_payment(paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(900)

    assert a_round(harness) == {"lapsed": 1}
    assert a_round(harness) == {}
