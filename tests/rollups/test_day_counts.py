"""DayCounter: the figures of a day, its anomalies, and resuming a count anywhere."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.http.pagination import Position
from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome, UnusualClientFacts
from chalicelib.registrations.model import Flag, RegistrationFacts, Status
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter
from chalicelib.rollups.model import Anomaly, Arrivals, SmsCounts, Tally
from tests.support.day_tally import count_facts

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


def make_day_facts(*facts: CaptureFacts | RegistrationFacts | UnusualClientFacts) -> list[DayFact]:
    """Return facts in the order of capture, a minute apart."""
    return [
        DayFact(Position(f"{number:06}"), each, captured_at=OPENED + timedelta(minutes=number))
        for number, each in enumerate(facts)
    ]


def make_tally(*facts: CaptureFacts | RegistrationFacts | UnusualClientFacts) -> Tally:
    return count_facts(make_day_facts(*facts), AnomalyThresholds())


def list_anomalies(facts: Iterable[CaptureFacts]) -> list[Anomaly]:
    return make_tally(*facts).oddities


def test_a_day_without_captures_has_no_figures() -> None:
    tally = make_tally()

    assert set(tally.counts.model_dump().values()) == {0}
    assert (tally.by_channel, tally.by_client, tally.by_occupation) == ({}, {}, {})


def test_each_outcome_is_counted_and_refused_captures_are_not_captures() -> None:
    outcomes = (Outcome.CREATED, Outcome.ALREADY_REGISTERED, Outcome.REFUSED, Outcome.CREATED)

    tally = make_tally(*(replace(A_PORTER, outcome=outcome) for outcome in outcomes))

    assert tally.counts.model_dump() == {
        "captures": 3,
        "created": 2,
        "already_registered": 1,
        "reactivated": 0,
        "refused": 1,
        "registered": 2,
    }


def test_sponsored_registrations_are_counted_by_sponsor() -> None:
    sponsors = ("yayasan-contoh", None, "-", "yayasan-contoh")

    tally = make_tally(*(replace(A_PORTER, sponsor=each) for each in sponsors))

    assert tally.by_sponsor == {"-": 1, "yayasan-contoh": 2}


def test_registrations_beyond_a_sponsors_quota_are_an_anomaly() -> None:
    beyond = replace(A_PORTER, sponsor="yayasan-contoh", flags=(Flag.SPONSOR_OVER_QUOTA,))
    again = replace(beyond, outcome=Outcome.REACTIVATED)
    known = replace(beyond, outcome=Outcome.ALREADY_REGISTERED)

    assert list_anomalies([beyond, again, known, replace(A_PORTER, sponsor="yayasan-contoh")]) == [
        Anomaly(pattern="sponsor_over_quota", sponsor_id="yayasan-contoh", workers=2)
    ]


def test_workers_without_a_phone_are_counted_beside_the_sms() -> None:
    without = replace(A_PORTER, is_without_phone=True)
    again = replace(without, outcome=Outcome.REACTIVATED)
    known = replace(without, outcome=Outcome.ALREADY_REGISTERED)
    facts = make_day_facts(without, again, known, A_PORTER)

    counter = DayCounter(AnomalyThresholds())
    for fact in facts:
        counter.add(fact)
    texts = counter.to_tally(
        SmsCounts(total=1, by_state={"sent": 1}, unknown_share=0, parts=1, rupiah=1)
    ).texts

    assert texts is not None
    assert (texts.without_phone, texts.total) == (2, 1)


def test_breakdowns_are_of_registrations_only() -> None:
    trader = replace(
        A_PORTER,
        channel="kiosk",
        occupations=("porter", "trader"),
        officer=None,
        programmes=("JHT", "JKK", "JKM"),
        sex="male",
        age="60-69",
        hour="17",
        received_on=TENTH,
        client_id="kiosk-1",
    )

    tally = make_tally(A_PORTER, trader, replace(trader, outcome=Outcome.ALREADY_REGISTERED))

    assert tally.by_channel == {"kiosk": 1, "van": 1}
    assert tally.by_client == {"kiosk-1": 1, "van-1": 1}
    assert tally.by_occupation == {"porter": 2, "trader": 1}
    assert tally.by_officer == {"-": 1, "ofc-12": 1}
    assert tally.by_programme == {"JHT": 1, "JKK": 2, "JKM": 2}
    assert tally.by_sex == {"female": 1, "male": 1}
    assert tally.by_age == {"30-39": 1, "60-69": 1}
    assert tally.by_hour == {"09": 1, "17": 1}
    assert tally.by_received_day == {"2024-10-09": 1, "2024-10-10": 1}
    assert tally.arrivals == [
        Arrivals(client_id="kiosk-1", received_on=TENTH, created=1, registered=1),
        Arrivals(client_id="van-1", received_on=NINTH, created=1, registered=1),
    ]


def test_a_refused_capture_is_counted_under_each_reason() -> None:
    refused = replace(A_PORTER, outcome=Outcome.REFUSED, reasons=("age_too_old", "nik_length"))

    tally = make_tally(refused, replace(refused, reasons=("nik_length",)))

    assert tally.refused_by_reason == {"age_too_old": 1, "nik_length": 2}
    assert tally.by_sex == {}


def test_the_funnel_counts_registrations_by_status_and_adds_up_money() -> None:
    tally = make_tally(
        RegistrationFacts(Status.ACTIVE, quoted=49_200, paid=49_200),
        RegistrationFacts(Status.ACTIVE, quoted=16_400, paid=98_400),
        RegistrationFacts(Status.CANCELLED, quoted=16_400, paid=0),
    )

    assert (tally.funnel.active, tally.funnel.cancelled, tally.funnel.received) == (2, 1, 0)
    assert (tally.money.quoted, tally.money.paid) == (65_600, 147_600)


def test_cancelled_registrations_are_not_registered_in_the_total_or_in_any_breakdown() -> None:
    padded = replace(A_PORTER, officer="ofc-13", occupations=("trader",), is_cancelled=True)

    tally = make_tally(A_PORTER, padded, padded, *[RegistrationFacts(Status.CANCELLED, 0, 0)] * 2)

    assert (tally.counts.created, tally.counts.registered) == (3, 1)
    assert (tally.by_officer, tally.by_occupation) == ({"ofc-12": 1}, {"porter": 1})
    assert tally.arrivals == [Arrivals(client_id="van-1", received_on=NINTH, created=3, registered=1)]


def test_reactivated_registrations_are_registered() -> None:
    tally = make_tally(A_PORTER, replace(A_PORTER, outcome=Outcome.REACTIVATED, officer="ofc-13"))

    assert (tally.counts.created, tally.counts.reactivated, tally.counts.registered) == (1, 1, 2)
    assert tally.by_officer == {"ofc-12": 1, "ofc-13": 1}


def test_a_cancellation_by_an_earlier_release_is_known_from_the_registration_alone() -> None:
    tally = make_tally(A_PORTER, A_PORTER, RegistrationFacts(Status.CANCELLED, 0, 0))

    assert (tally.counts.created, tally.counts.registered) == (2, 1)


def test_cancelled_registrations_are_anomalies_as_before() -> None:
    captures = make_captures_by_client(van_1=20, van_2=18, van_3=22, van_4=60)

    assert [
        each.client_id for each in list_anomalies(replace(each, is_cancelled=True) for each in captures)
    ] == ["van_4"]


def test_a_phone_number_of_many_workers_is_an_anomaly() -> None:
    busy_phone = [replace(A_PORTER, flags=(flag,)) for flag in (Flag.PHONE_BUSY, Flag.PHONE_OVER_CAP)]
    busy_client = replace(A_PORTER, flags=(Flag.CLIENT_BUSY,))

    assert list_anomalies([A_PORTER, *busy_phone, busy_client]) == [
        Anomaly(pattern="one_phone_many_workers", client_id="van-1", workers=2)
    ]


def test_a_client_with_unusual_attempts_is_an_anomaly_and_counted_nowhere_else() -> None:
    tally = make_tally(A_PORTER, UnusualClientFacts("van-2", 50), UnusualClientFacts("van-2", 70))

    assert tally.oddities == [Anomaly(pattern="client_unusual", client_id="van-2", workers=120)]
    assert tally.model_copy(update={"oddities": []}) == make_tally(A_PORTER)


def make_captures_by_client(**counts: int) -> list[CaptureFacts]:
    """Return `counts` captures of each client; its name begins with its channel."""
    return [
        replace(A_PORTER, client_id=name, channel=name.partition("_")[0])
        for name, count in counts.items()
        for _ in range(count)
    ]


def test_a_client_far_above_its_peers_is_an_anomaly() -> None:
    assert list_anomalies(make_captures_by_client(van_1=20, van_2=18, van_3=22, van_4=60)) == [
        Anomaly(pattern="client_above_peers", client_id="van_4", workers=60, usual=20)
    ]


@pytest.mark.parametrize(
    "counts",
    [
        {"van_1": 20, "van_2": 21, "van_3": 59},
        {"van_1": 2, "van_2": 2, "van_3": 49},
        {"van_1": 20, "van_2": 60},
        {"van_1": 20, "van_2": 20, "bot_1": 500},
    ],
    ids=["low ratio", "few workers", "one peer", "other channel"],
)
def test_a_client_below_a_threshold_is_no_anomaly(counts: dict[str, int]) -> None:
    assert list_anomalies(make_captures_by_client(**counts)) == []


def test_one_extreme_client_hides_no_other() -> None:
    """A mean would move with the largest client; a median does not."""
    anomalies = list_anomalies(make_captures_by_client(van_1=20, van_2=20, van_3=20, van_4=70, van_5=2_000))

    assert [(each.client_id, each.usual) for each in anomalies] == [("van_4", 20), ("van_5", 20)]


def make_captures_by_neighbourhood(*neighbourhoods: str, client_id: str = "van-1") -> list[CaptureFacts]:
    """Return captures; those of one neighbourhood have neighbouring NIKs."""
    return [
        replace(A_PORTER, client_id=client_id, neighbours=(each, f"{each} half on"))
        for each in neighbourhoods
    ]


def test_a_run_of_neighbouring_serials_on_one_client_is_an_anomaly() -> None:
    assert list_anomalies(make_captures_by_neighbourhood("a", "b", *"ccccc", "d")) == [
        Anomaly(pattern="neighbouring_serials", client_id="van-1", workers=5)
    ]


def test_an_anomaly_counts_every_worker_of_every_run_of_a_client() -> None:
    (anomaly,) = list_anomalies(make_captures_by_neighbourhood(*"aaaaaaa", *"bbbb", *"aaaaa"))
    assert anomaly.workers == 12


@pytest.mark.parametrize(
    "facts",
    [
        make_captures_by_neighbourhood(*"aaaa"),
        make_captures_by_neighbourhood(*"aabaa"),
        [*make_captures_by_neighbourhood(*"aaa"), *make_captures_by_neighbourhood(*"aaa", client_id="van-2")],
        [
            replace(each, outcome=Outcome.ALREADY_REGISTERED)
            for each in make_captures_by_neighbourhood(*"aaaaaa")
        ],
    ],
    ids=["too short", "interrupted", "on two clients", "of known workers"],
)
def test_captures_that_make_no_run_are_no_anomaly(facts: list[CaptureFacts]) -> None:
    assert list_anomalies(facts) == []


def test_a_pause_ends_a_run() -> None:
    early = make_day_facts(*make_captures_by_neighbourhood(*"aaa"))
    late = [
        replace(
            each, position=Position(f"1{each.position}"), captured_at=each.captured_at + timedelta(hours=1)
        )
        for each in early
        if each.captured_at is not None
    ]
    assert count_facts([*early, *late], AnomalyThresholds()).oddities == []


def test_runs_of_alternating_clients_are_separate() -> None:
    pairs = zip(
        make_captures_by_neighbourhood(*"aaaaa"),
        make_captures_by_neighbourhood(*"bbbbb", client_id="van-2"),
        strict=True,
    )
    assert [each.client_id for each in list_anomalies(each for pair in pairs for each in pair)] == [
        "van-1",
        "van-2",
    ]


CAPTURES = st.builds(
    replace,
    st.just(A_PORTER),
    outcome=st.sampled_from(Outcome),
    client_id=st.sampled_from(["van-1", "van-2", "van-3"]),
    officer=st.sampled_from(["ofc-1", "ofc-2", None]),
    occupations=st.sampled_from([("porter",), ("porter", "trader")]),
    flags=st.sampled_from([(), (Flag.PHONE_BUSY,)]),
    received_on=st.sampled_from([NINTH, TENTH]),
    neighbours=st.sampled_from([(), ("a", "b"), ("b", "c"), ("d",)]),
)
REGISTRATIONS = st.builds(
    RegistrationFacts,
    status=st.sampled_from(Status),
    quoted=st.integers(0, 10**9),
    paid=st.integers(0, 10**9),
)


def list_facts(
    capture: CaptureFacts, registration: RegistrationFacts
) -> list[CaptureFacts | RegistrationFacts]:
    """Return the facts of a capture and of the registration that it made, if it made one."""
    if capture.outcome not in {Outcome.CREATED, Outcome.REACTIVATED}:
        return [capture]
    return [replace(capture, is_cancelled=registration.status is Status.CANCELLED), registration]


# Registrations are in any order, because those of erased workers come last.
FACTS = (
    st.lists(st.builds(list_facts, CAPTURES, REGISTRATIONS), max_size=20)
    .map(lambda pairs: [fact for pair in pairs for fact in pair])
    .flatmap(st.permutations)
)
LOW_THRESHOLDS = AnomalyThresholds(min_workers=1, peer_ratio=2, run_length=2)


@given(facts=FACTS, stops=st.sets(st.integers(0, 40)))
def test_a_count_resumed_anywhere_gives_the_same_json_bytes(
    facts: list[CaptureFacts | RegistrationFacts], stops: set[int]
) -> None:
    day_facts = make_day_facts(*facts)
    counter = DayCounter(LOW_THRESHOLDS)
    for number, fact in enumerate(day_facts):
        if number in stops:
            counter = DayCounter.resume(counter.dump_state(), LOW_THRESHOLDS)
        counter.add(fact)

    uninterrupted = count_facts(day_facts, LOW_THRESHOLDS)
    assert counter.to_tally().model_dump_json() == uninterrupted.model_dump_json()


@given(facts=FACTS)
def test_all_figures_add_up(facts: list[CaptureFacts | RegistrationFacts]) -> None:
    tally = make_tally(*facts)
    counts, registered = tally.counts, tally.counts.registered
    assert counts.captures + counts.refused == sum(isinstance(each, CaptureFacts) for each in facts)
    assert counts.created + counts.already_registered + counts.reactivated == counts.captures
    assert registered == counts.created + counts.reactivated - tally.funnel.cancelled
    assert registered <= sum(tally.by_occupation.values()) <= 2 * registered
    assert all(tally.by_occupation.values())
    for breakdown in (
        *(tally.by_channel, tally.by_client, tally.by_officer, tally.by_sex),
        *(tally.by_age, tally.by_hour, tally.by_received_day),
    ):
        assert sum(breakdown.values()) == registered
    assert sum(each.registered for each in tally.arrivals) == registered
    assert sum(each.created for each in tally.arrivals) == counts.created
    assert sum(dict(tally.funnel).values()) == counts.created + counts.reactivated
    still_open = [
        each for each in facts if isinstance(each, RegistrationFacts) and each.status is not Status.CANCELLED
    ]
    assert tally.money.quoted == sum(each.quoted for each in still_open)
