"""What is counted of a day, what in it is worth a look, and that a count can be laid aside anywhere."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.http.pagination import Position
from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome
from chalicelib.registrations.model import Flag, RegistrationFacts, Status
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter, count_facts
from chalicelib.rollups.model import Anomaly, Arrivals, Tally

OPENED = datetime(2024, 10, 9, 1, tzinfo=UTC)
NINTH, TENTH = date(2024, 10, 9), date(2024, 10, 10)
A_PORTER = CaptureFacts(
    outcome=Outcome.CREATED,
    channel="van",
    client_id="van-1",
    occupations=("porter",),
    officer="ofc-12",
    programmes=("JKK", "JKM"),
    sex="female",
    age="30-39",
    hour="09",
    received_on=NINTH,
)


def in_order(*facts: CaptureFacts | RegistrationFacts) -> list[DayFact]:
    """As a day is read, a minute between one and the next."""
    return [
        DayFact(Position(f"{number:06}"), each, captured_at=OPENED + timedelta(minutes=number))
        for number, each in enumerate(facts)
    ]


def counted(*facts: CaptureFacts | RegistrationFacts, unusual: AnomalyThresholds | None = None) -> Tally:
    return count_facts(in_order(*facts), unusual or AnomalyThresholds())


def oddities(facts: Iterable[CaptureFacts], **limits: int) -> list[Anomaly]:
    return counted(*facts, unusual=AnomalyThresholds(**limits)).oddities


def test_created_registrations_are_broken_down_by_all_that_managers_ask() -> None:
    other = replace(
        A_PORTER,
        officer=None,
        programmes=("JHT", "JKK", "JKM"),
        sex="male",
        age="60-69",
        hour="17",
        received_on=TENTH,
        client_id="van-2",
    )

    found = counted(A_PORTER, other, replace(other, outcome=Outcome.ALREADY_REGISTERED))

    assert found.by_officer == {"-": 1, "ofc-12": 1}
    assert found.by_programme == {"JHT": 1, "JKK": 2, "JKM": 2}
    assert found.by_sex == {"female": 1, "male": 1}
    assert found.by_age == {"30-39": 1, "60-69": 1}
    assert found.by_hour == {"09": 1, "17": 1}
    assert found.by_received_day == {"2024-10-09": 1, "2024-10-10": 1}
    assert found.arrivals == [
        Arrivals(client_id="van-1", received_on=NINTH, created=1),
        Arrivals(client_id="van-2", received_on=TENTH, created=1),
    ]


def test_a_refused_capture_counts_under_each_of_its_reasons() -> None:
    refused = replace(A_PORTER, outcome=Outcome.REFUSED, reasons=("age_too_old", "nik_length"))

    found = counted(refused, replace(refused, reasons=("nik_length",)))

    assert found.refused_by_reason == {"age_too_old": 1, "nik_length": 2}
    assert found.by_sex == {}


def test_registrations_stand_in_the_funnel_where_they_are_now_and_their_money_adds_up() -> None:
    found = counted(
        RegistrationFacts(Status.ACTIVE, quoted=49_200, paid=49_200),
        RegistrationFacts(Status.ACTIVE, quoted=16_400, paid=98_400),
        RegistrationFacts(Status.CANCELLED, quoted=16_400, paid=0),
    )

    assert (found.funnel.active, found.funnel.cancelled, found.funnel.received) == (2, 1, 0)
    assert (found.money.quoted, found.money.paid) == (82_000, 147_600)


def test_registrations_by_a_phone_that_was_given_for_many_are_worth_a_look() -> None:
    busy = [replace(A_PORTER, flags=(flag,)) for flag in (Flag.PHONE_BUSY, Flag.PHONE_OVER_CAP)]
    client_busy = replace(A_PORTER, flags=(Flag.CLIENT_BUSY,))

    assert oddities([A_PORTER, *busy, client_busy]) == [
        Anomaly(pattern="one_phone_many_workers", client_id="van-1", workers=2)
    ]


def by_clients(**workers: int) -> list[CaptureFacts]:
    """So many workers by each client; `bot_1` meets them as a bot."""
    return [
        replace(A_PORTER, client_id=name, channel=name.partition("_")[0])
        for name, number in workers.items()
        for _ in range(number)
    ]


def test_a_client_far_above_its_peers_is_worth_a_look() -> None:
    assert oddities(by_clients(van_1=20, van_2=18, van_3=22, van_4=60)) == [
        Anomaly(pattern="client_above_peers", client_id="van_4", workers=60, usual=20)
    ]


@pytest.mark.parametrize(
    "workers",
    [
        {"van_1": 20, "van_2": 21, "van_3": 59},
        {"van_1": 2, "van_2": 2, "van_3": 49},
        {"van_1": 20, "van_2": 60},
        {"van_1": 20, "van_2": 20, "bot_1": 500},
    ],
    ids=["not so far", "few workers", "one peer", "of another kind"],
)
def test_a_client_that_may_be_as_it_is_is_not(workers: dict[str, Any]) -> None:
    assert oddities(by_clients(**workers)) == []


def test_one_client_out_of_all_measure_hides_no_other() -> None:
    """As it would if the mean were what is compared with."""
    found = oddities(by_clients(van_1=20, van_2=20, van_3=20, van_4=70, van_5=2_000))

    assert [(each.client_id, each.usual) for each in found] == [("van_4", 20), ("van_5", 20)]


def with_serials(*neighbourhoods: str, client_id: str = "van-1") -> list[CaptureFacts]:
    return [
        replace(A_PORTER, client_id=client_id, neighbours=(each, f"{each} half on"))
        for each in neighbourhoods
    ]


def test_a_run_of_neighbouring_serials_on_one_client_is_worth_a_look() -> None:
    assert oddities(with_serials("a", "b", *"ccccc", "d")) == [
        Anomaly(pattern="neighbouring_serials", client_id="van-1", workers=5)
    ]


def test_every_worker_of_a_run_is_counted_and_every_run_of_a_client() -> None:
    (found,) = oddities(with_serials(*"aaaaaaa", *"bbbb", *"aaaaa"))
    assert found.workers == 12


@pytest.mark.parametrize(
    "facts",
    [
        with_serials(*"aaaa"),
        with_serials(*"aabaa"),
        [*with_serials(*"aaa"), *with_serials(*"aaa", client_id="van-2")],
        [replace(each, outcome=Outcome.ALREADY_REGISTERED) for each in with_serials(*"aaaaaa")],
    ],
    ids=["too short", "interrupted", "on two clients", "of known workers"],
)
def test_what_is_no_run_is_not(facts: Any) -> None:
    assert oddities(facts) == []


def test_a_pause_ends_a_run() -> None:
    early = in_order(*with_serials(*"aaa"))
    late = [
        replace(
            each, position=Position(f"1{each.position}"), captured_at=each.captured_at + timedelta(hours=1)
        )
        for each in early
        if each.captured_at is not None
    ]
    assert count_facts([*early, *late], AnomalyThresholds()).oddities == []


def test_clients_that_take_turns_have_runs_of_their_own() -> None:
    pairs = zip(with_serials(*"aaaaa"), with_serials(*"bbbbb", client_id="van-2"), strict=True)
    assert [each.client_id for each in oddities(each for pair in pairs for each in pair)] == [
        "van-1",
        "van-2",
    ]


FACTS = st.lists(
    st.one_of(
        st.builds(
            replace,
            st.just(A_PORTER),
            outcome=st.sampled_from(Outcome),
            client_id=st.sampled_from(["van-1", "van-2", "van-3"]),
            flags=st.sampled_from([(), (Flag.PHONE_BUSY,)]),
            received_on=st.sampled_from([NINTH, TENTH]),
            neighbours=st.sampled_from([(), ("a", "b"), ("b", "c"), ("d",)]),
        ),
        st.builds(
            RegistrationFacts,
            status=st.sampled_from(Status),
            quoted=st.integers(0, 10**9),
            paid=st.integers(0, 10**9),
        ),
    ),
    max_size=40,
)
TOUCHY = AnomalyThresholds(min_workers=1, peer_ratio=2, run_length=2)


@given(facts=FACTS, cuts=st.sets(st.integers(0, 40)))
def test_a_count_laid_aside_anywhere_comes_to_the_same_bytes(facts: Any, cuts: Any) -> None:
    count = DayCounter(TOUCHY)
    for number, fact in enumerate(in_order(*facts)):
        if number in cuts:
            count = DayCounter.resume(count.dump_state(), TOUCHY)
        count.add(fact)

    assert count.to_tally().model_dump_json() == count_facts(in_order(*facts), TOUCHY).model_dump_json()


@given(facts=FACTS)
def test_everything_adds_up_to_what_was_created(facts: Any) -> None:
    found = counted(*facts)
    created = found.counts.created
    for breakdown in (
        *(found.by_channel, found.by_client, found.by_officer, found.by_sex),
        *(found.by_age, found.by_hour, found.by_received_day),
    ):
        assert sum(breakdown.values()) == created
    assert sum(each.created for each in found.arrivals) == created
    registrations = [each for each in facts if isinstance(each, RegistrationFacts)]
    assert sum(dict(found.funnel).values()) == len(registrations)
