"""What counting is told of captures and registrations: all that managers ask, and nothing that names."""

from collections import Counter
from datetime import date, timedelta
from secrets import randbelow

import pytest

from chalicelib.dynamodb import to_item
from chalicelib.privacy.encryption import CannotUnseal
from chalicelib.refusals import RulesBroken
from chalicelib.registrations import items, reference
from chalicelib.registrations.lifecycle import Cancellation, Status
from chalicelib.registrations.model import CaptureFacts, Outcome, RegistrationFacts
from tests.builders import a_caller, a_capture_id, a_nik
from tests.contracts.stored import FIRST_DAY, captures_of, registrations_of
from tests.registrations.conftest import CORE, Desk
from tests.registrations.happenings import a_payment

# Captures a second into one campaign, and what a partition of an index takes.
BURST, PARTITION_TAKES = 500, 1_000


def test_a_capture_tells_who_took_it_when_and_what_kind_of_worker_it_was(desk: Desk) -> None:
    desk.submit(
        captured_at="2024-10-09T09:59:59+07:00",
        coverage={"programmes": ["JKM", "JKK"], "months": 1, "payer": "self"},
    )

    (facts,) = captures_of(desk.store, FIRST_DAY)
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


def test_the_day_of_arrival_is_the_campaigns_own(desk: Desk) -> None:
    desk.clock.forward(timedelta(hours=13))  # One in the morning in Jakarta.
    desk.submit()

    (facts,) = captures_of(desk.store, FIRST_DAY)
    assert facts.received_on == date(2024, 10, 10)


@pytest.mark.parametrize(
    ("born", "age"),
    [("1994-10-10", "20-29"), ("1994-10-09", "30-39"), ("1959-10-10", "60-69"), ("2007-10-09", "10-19")],
)
def test_an_age_is_a_band_of_ten_years(desk: Desk, born: str, age: str) -> None:
    desk.submit(worker={"birth_date": born})

    assert [facts.age for facts in captures_of(desk.store, FIRST_DAY)] == [age]


def test_a_refused_capture_tells_each_reason_once_and_nothing_of_its_worker(desk: Desk) -> None:
    with pytest.raises(RulesBroken):
        desk.submit(worker={"nik": "31", "postal_code": "0", "phone": "1"})

    (facts,) = captures_of(desk.store, FIRST_DAY)
    assert facts.outcome is Outcome.REFUSED
    assert facts.reasons == ("nik_length", "phone_malformed", "postal_code_malformed")
    assert (facts.sex, facts.age, facts.neighbours) == (None, None, ())


@pytest.mark.parametrize("apart", [0, 1, 5])
@pytest.mark.parametrize("serial", range(7001, 7012))
def test_neighbouring_serials_are_known_from_one_another(desk: Desk, serial: int, apart: int) -> None:
    for number, each in enumerate((serial, serial + apart), start=1):
        desk.submit(number, worker={"nik": a_nik(each)})

    one, other = captures_of(desk.store, FIRST_DAY)
    assert not set(one.neighbours).isdisjoint(other.neighbours)


@pytest.mark.parametrize("other", [a_nik(7020), a_nik(7001, born="530485"), a_nik(7001, place="317106")])
def test_serials_far_apart_or_of_another_place_or_day_are_no_neighbours(desk: Desk, other: str) -> None:
    for number, nik in enumerate((a_nik(7001), other), start=1):
        desk.submit(number, worker={"nik": nik})

    one, another = captures_of(desk.store, FIRST_DAY)
    assert set(one.neighbours).isdisjoint(another.neighbours)


def test_what_tells_neighbours_holds_no_digits_of_a_nik(desk: Desk) -> None:
    desk.submit()

    (facts,) = captures_of(desk.store, FIRST_DAY)
    assert {len(each) for each in facts.neighbours} == {3}
    assert not [each for each in facts.neighbours if each in a_nik(7001)]


def test_a_registration_tells_where_it_stands_and_its_sums(desk: Desk) -> None:
    paid, cancelled = desk.registered(1), desk.registered(2)
    for number in (1, 2):
        payment = a_payment(payment_id=f"p-{number}", amount=49_200, paid_at=desk.clock())
        desk.casework.take_payment(paid.reference, payment, by=CORE)
    desk.casework.cancel(cancelled.reference, Cancellation(reason="other"), by=a_caller())

    assert sorted(registrations_of(desk.store, FIRST_DAY), key=str) == [
        RegistrationFacts(Status.ACTIVE, quoted=98_400, paid=98_400),
        RegistrationFacts(Status.CANCELLED, quoted=98_400, paid=0),
    ]


def test_no_amount_stands_in_the_clear_and_all_sums_are_as_long(desk: Desk) -> None:
    registration = desk.registered(1)
    desk.submit(2, work={"monthly_income": 9_000_000})
    desk.casework.take_payment(registration.reference, a_payment(paid_at=desk.clock()), by=CORE)

    rows = desk.client.scan(TableName="RegistrationsTable")["Items"]
    applications = [row["facts"]["M"] for row in rows if row["sk"]["S"] == "APPLICATION"]
    assert [sorted(facts) for facts in applications] == [["figures", "status"]] * 2
    assert len({len(facts["figures"]["B"]) for facts in applications}) == 1


def test_sums_moved_to_another_registration_are_not_read(desk: Desk) -> None:
    for number in (1, 2):
        desk.submit(number)
    one, other = (
        row
        for row in desk.client.scan(TableName="RegistrationsTable")["Items"]
        if row["sk"]["S"] == "APPLICATION"
    )
    desk.client.put_item(TableName="RegistrationsTable", Item={**one, "facts": other["facts"]})

    with pytest.raises(CannotUnseal):
        registrations_of(desk.store, FIRST_DAY)


def test_registrations_of_the_release_before_are_not_told_and_hold_up_no_other(desk: Desk) -> None:
    desk.registered(1)
    standing = desk.registered(2)
    desk.client.update_item(
        TableName="RegistrationsTable",
        Key=to_item(items.registration_key(standing.reference)),
        UpdateExpression="REMOVE facts",
    )

    assert [facts.quoted for facts in registrations_of(desk.store, FIRST_DAY)] == [98_400]
    assert len(captures_of(desk.store, FIRST_DAY)) == 2


def test_a_capture_that_the_release_before_forgot_is_told_as_left_behind(desk: Desk) -> None:
    desk.submit()
    desk.client.update_item(
        TableName="RegistrationsTable",
        Key=to_item(items.capture_key(a_capture_id(1))),
        UpdateExpression="SET day_order = :capture_id",
        ExpressionAttributeValues=to_item({":capture_id": a_capture_id(1)}),
    )

    (left,) = (each for each in desk.store.facts_of(FIRST_DAY) if isinstance(each.facts, CaptureFacts))
    assert (left.facts.outcome, left.captured_at) == (Outcome.CREATED, None)


def test_a_day_is_read_on_from_any_position_to_the_same_end(desk: Desk) -> None:
    for number in range(1, 8):
        desk.submit(number, captured_at=f"2024-10-09T10:0{number % 4}:00+07:00")
    desk.erasing.erase(
        desk.registered(9).worker_key, asked_at=desk.clock(), forget_texts=lambda reference: None
    )

    whole = list(desk.store.facts_of(FIRST_DAY))

    assert [fact.position for fact in whole] == sorted({fact.position for fact in whole})
    assert len(whole) == 16
    for number, fact in enumerate(whole, start=1):
        assert list(desk.store.facts_of(FIRST_DAY, after=fact.position)) == whole[number:]
    assert [fact.captured_at is None for fact in whole] == [False] * 14 + [True] * 2


def test_captures_are_read_by_themselves_and_registrations_left_unread(desk: Desk) -> None:
    for number in (1, 2):
        desk.submit(number)
    desk.erasing.erase(
        desk.registered(9).worker_key, asked_at=desk.clock(), forget_texts=lambda reference: None
    )
    whole = desk.store.facts_of(FIRST_DAY)
    captures = sorted(
        (fact for fact in whole if isinstance(fact.facts, CaptureFacts)), key=lambda fact: fact.position
    )
    asked: list[str] = []
    desk.client.meta.events.register(
        "provide-client-params.dynamodb.Query",
        lambda params, **_: asked.append(params["ExpressionAttributeValues"][":shard"]["S"]),
    )

    alone = sorted(desk.store.captures_of(FIRST_DAY), key=lambda fact: fact.position)

    assert alone == captures
    assert len(alone) == 3
    assert not [shard for shard in asked if shard.startswith("R#")]


def test_a_burst_into_one_campaign_gives_no_partition_of_the_index_more_than_its_share(desk: Desk) -> None:
    registration = desk.registered()
    captures = Counter(items.shard_of(a_capture_id(number)) for number in range(10_000))
    registrations = Counter(items.shard_of(reference.new(randbelow)) for _ in range(10_000))
    for shards in (captures, registrations):
        assert len(shards) == items.SHARDS
        # Each write is one unit of one partition, since a row of the index is below 1 KB.
        assert max(shards.values()) / shards.total() * BURST < PARTITION_TAKES / 10
    for row in desk.client.query(
        TableName="RegistrationsTable",
        IndexName="by_campaign_day",
        KeyConditionExpression="day_shard = :shard",
        ExpressionAttributeValues={
            ":shard": {"S": items.registration_shards(FIRST_DAY)[items.shard_of(registration.reference)]}
        },
    )["Items"]:
        assert len(str(row)) < 1_024
