"""The countable facts of captures and registrations: what summaries need, and nothing that identifies."""

from collections import Counter
from datetime import date, timedelta
from functools import partial
from secrets import randbelow

import pytest

from chalicelib.aws.items import to_item
from chalicelib.refusals import RulesBroken
from chalicelib.registrations import references, store_keys
from chalicelib.registrations.captures import CaptureFacts, Outcome, UnreadableFacts
from chalicelib.registrations.model import Flag, RegistrationFacts, Status
from chalicelib.registrations.reported_events import Cancellation
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import make_caller
from tests.support.lifecycle_events import make_payment
from tests.support.payloads import make_capture_id, make_nik
from tests.support.registration_builders import FIRST_DAY, collect_capture_facts, collect_registration_facts

# Captures a second into one campaign, and the writes a second that a partition of an index takes.
BURST, PARTITION_LIMIT = 500, 1_000


def test_the_facts_of_a_capture_are_its_circumstances_and_the_kind_of_worker(
    harness: RegistrationHarness,
) -> None:
    harness.submit(
        captured_at="2024-10-09T09:59:59+07:00",
        coverage={"programmes": ["JKM", "JKK"], "months": 1, "payer": "self"},
    )

    (facts,) = collect_capture_facts(harness.stores.reading, FIRST_DAY)
    (first, second) = facts.neighbours
    assert facts == CaptureFacts(
        outcome=Outcome.CREATED,
        channel="van",
        client_id="van-1",
        occupations=("porter",),
        officer="ofc-12",
        programmes=("JKK", "JKM"),
        sex="female",
        age="30-39",
        hour="09",
        received_on=date(2024, 10, 9),
        neighbours=(first, second),
    )


def test_the_day_of_arrival_is_the_campaigns_own(harness: RegistrationHarness) -> None:
    harness.clock.advance(timedelta(hours=13))  # One in the morning in Jakarta.
    harness.submit()

    (facts,) = collect_capture_facts(harness.stores.reading, FIRST_DAY)
    assert facts.received_on == date(2024, 10, 10)


@pytest.mark.parametrize(
    ("born", "age"),
    [("1994-10-10", "20-29"), ("1994-10-09", "30-39"), ("1959-10-10", "60-69"), ("2007-10-09", "10-19")],
)
def test_an_age_is_a_band_of_ten_years(harness: RegistrationHarness, born: str, age: str) -> None:
    harness.submit(worker={"birth_date": born})

    assert [facts.age for facts in collect_capture_facts(harness.stores.reading, FIRST_DAY)] == [age]


def test_a_refused_capture_has_each_reason_once_and_no_facts_of_its_worker(
    harness: RegistrationHarness,
) -> None:
    with pytest.raises(RulesBroken):
        harness.submit(worker={"nik": "31", "postal_code": "0", "phone": "1"})

    (facts,) = collect_capture_facts(harness.stores.reading, FIRST_DAY)
    assert facts.outcome is Outcome.REFUSED
    assert facts.reasons == ("nik_length", "phone_malformed", "postal_code_malformed")
    assert (facts.sex, facts.age, facts.neighbours) == (None, None, ())


@pytest.mark.parametrize("apart", [0, 1, 5])
@pytest.mark.parametrize("serial", range(7001, 7012))
def test_neighbouring_serials_share_a_hash(harness: RegistrationHarness, serial: int, apart: int) -> None:
    for number, each in enumerate((serial, serial + apart), start=1):
        harness.submit(number, worker={"nik": make_nik(each)})

    one, other = collect_capture_facts(harness.stores.reading, FIRST_DAY)
    assert not set(one.neighbours).isdisjoint(other.neighbours)


@pytest.mark.parametrize(
    "other", [make_nik(7020), make_nik(7001, birth_digits="530485"), make_nik(7001, district_code="317106")]
)
def test_serials_far_apart_or_of_another_place_or_day_share_no_hash(
    harness: RegistrationHarness, other: str
) -> None:
    for number, nik in enumerate((make_nik(7001), other), start=1):
        harness.submit(number, worker={"nik": nik})

    one, another = collect_capture_facts(harness.stores.reading, FIRST_DAY)
    assert set(one.neighbours).isdisjoint(another.neighbours)


def test_a_hash_of_neighbours_holds_no_digits_of_a_nik(harness: RegistrationHarness) -> None:
    harness.submit()

    (facts,) = collect_capture_facts(harness.stores.reading, FIRST_DAY)
    assert {len(each) for each in facts.neighbours} == {3}
    assert not [each for each in facts.neighbours if each in make_nik(7001)]


def test_the_facts_of_a_registration_are_its_status_its_sums_and_who_registered(
    harness: RegistrationHarness,
) -> None:
    paid, cancelled = harness.register(1), harness.register(2)
    for number in (1, 2):
        payment = make_payment(payment_id=f"p-{number}", amount=49_200, paid_at=harness.clock())
        harness.lifecycle_service.record_payment(paid.reference, payment, caller=CORE_CALLER)
    harness.lifecycle_service.cancel(cancelled.reference, Cancellation(reason="other"), caller=make_caller())

    facts_here = partial(RegistrationFacts, client_id="van-1", officer="ofc-12")
    assert sorted(collect_registration_facts(harness.stores.reading, FIRST_DAY), key=str) == [
        facts_here(Status.ACTIVE, quoted=98_400, paid=98_400, flags=(Flag.PAYMENT_DIFFERS,)),
        facts_here(Status.CANCELLED, quoted=98_400, paid=0),
    ]


def test_no_amount_is_in_the_clear_and_all_sums_have_one_length(harness: RegistrationHarness) -> None:
    registration = harness.register(1)
    harness.submit(2, work={"monthly_income": 9_000_000})
    harness.lifecycle_service.record_payment(
        registration.reference,
        make_payment(amount=registration.quote.months[0].amount, paid_at=harness.clock()),
        caller=CORE_CALLER,
    )

    rows = harness.dynamodb.scan(TableName="RegistrationsTable")["Items"]
    applications = [row["facts"]["M"] for row in rows if row["sk"]["S"] == "APPLICATION"]
    assert [sorted(facts) for facts in applications] == [["client_id", "figures", "officer", "status"]] * 2
    assert len({len(facts["figures"]["B"]) for facts in applications}) == 1


def test_sums_moved_to_another_registration_cannot_be_read(harness: RegistrationHarness) -> None:
    for number in (1, 2):
        harness.submit(number)
    one, other = (
        row
        for row in harness.dynamodb.scan(TableName="RegistrationsTable")["Items"]
        if row["sk"]["S"] == "APPLICATION"
    )
    harness.dynamodb.put_item(TableName="RegistrationsTable", Item={**one, "facts": other["facts"]})

    facts = [each.facts for each in harness.stores.reading.iter_day_facts(FIRST_DAY)]

    assert sum(isinstance(each, UnreadableFacts) for each in facts) == 1
    assert sum(isinstance(each, RegistrationFacts) for each in facts) == 1


def test_registrations_of_the_release_before_have_no_facts_and_hold_up_no_other(
    harness: RegistrationHarness,
) -> None:
    harness.register(1)
    registration = harness.register(2)
    harness.dynamodb.update_item(
        TableName="RegistrationsTable",
        Key=to_item(store_keys.make_registration_key(registration.reference)),
        UpdateExpression="REMOVE facts",
    )

    assert [facts.quoted for facts in collect_registration_facts(harness.stores.reading, FIRST_DAY)] == [
        98_400
    ]
    assert len(collect_capture_facts(harness.stores.reading, FIRST_DAY)) == 2


def test_a_capture_that_the_release_before_erased_is_read_as_a_remnant(
    harness: RegistrationHarness,
) -> None:
    harness.submit()
    harness.dynamodb.update_item(
        TableName="RegistrationsTable",
        Key=to_item(store_keys.make_capture_key(make_capture_id(1))),
        UpdateExpression="SET day_order = :capture_id",
        ExpressionAttributeValues=to_item({":capture_id": make_capture_id(1)}),
    )

    (remnant,) = (
        each
        for each in harness.stores.reading.iter_day_facts(FIRST_DAY)
        if isinstance(each.facts, CaptureFacts)
    )
    assert isinstance(remnant.facts, CaptureFacts)
    assert (remnant.facts.outcome, remnant.captured_at) == (Outcome.CREATED, None)


def test_a_day_can_be_read_from_any_position(harness: RegistrationHarness) -> None:
    for number in range(1, 8):
        harness.submit(number, captured_at=f"2024-10-09T10:0{number % 4}:00+07:00")
    harness.erasure_service.erase(
        harness.register(9).worker_key, received_before=harness.clock(), erase_attached=lambda reference: None
    )

    whole = list(harness.stores.reading.iter_day_facts(FIRST_DAY))

    assert [fact.position for fact in whole] == sorted({fact.position for fact in whole})
    assert len(whole) == 16
    for number, fact in enumerate(whole, start=1):
        assert (
            list(harness.stores.reading.iter_day_facts(FIRST_DAY, start_after=fact.position))
            == whole[number:]
        )
    assert [fact.captured_at is None for fact in whole] == [False] * 14 + [True] * 2


def test_the_facts_of_captures_are_read_without_registrations(harness: RegistrationHarness) -> None:
    for number in (1, 2):
        harness.submit(number)
    harness.erasure_service.erase(
        harness.register(9).worker_key, received_before=harness.clock(), erase_attached=lambda reference: None
    )
    whole = harness.stores.reading.iter_day_facts(FIRST_DAY)
    captures = sorted(
        (fact for fact in whole if isinstance(fact.facts, CaptureFacts)), key=lambda fact: fact.position
    )
    read_shards: list[str] = []
    harness.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.Query",
        lambda params, **_: read_shards.append(params["ExpressionAttributeValues"][":shard"]["S"]),
    )

    only_captures = sorted(
        harness.stores.reading.iter_capture_facts(FIRST_DAY), key=lambda fact: fact.position
    )

    assert only_captures == captures
    assert len(only_captures) == 3
    assert not [shard for shard in read_shards if shard.startswith("R#")]


def test_a_burst_into_one_campaign_is_spread_over_the_partitions_of_the_index(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register()
    captures = Counter(store_keys.find_shard(make_capture_id(number)) for number in range(10_000))
    registrations = Counter(store_keys.find_shard(references.generate(randbelow)) for _ in range(10_000))
    for shards in (captures, registrations):
        assert len(shards) == store_keys.SHARD_COUNT
        # Each write is one unit of one partition, since a row of the index is below 1 KB.
        assert max(shards.values()) / shards.total() * BURST < PARTITION_LIMIT / 10
    for row in harness.dynamodb.query(
        TableName="RegistrationsTable",
        IndexName="by_campaign_day",
        KeyConditionExpression="day_shard = :shard",
        ExpressionAttributeValues={
            ":shard": {
                "S": store_keys.list_registration_shards(FIRST_DAY)[
                    store_keys.find_shard(registration.reference)
                ]
            }
        },
    )["Items"]:
        assert len(str(row)) < 1_024
