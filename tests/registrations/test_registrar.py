"""Registering: on the declared table for what is remembered, on a script for what others do in between."""

from collections.abc import Iterator
from datetime import date, timedelta
from secrets import randbelow

import boto3
import pytest

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.campaigns.service import CampaignOffice
from chalicelib.clients.model import Role
from chalicelib.contributions.rules import shipped_rules
from chalicelib.contributions.service import Quoting
from chalicelib.pagination import Page, Position
from chalicelib.privacy.encryption import FieldCipher, FieldKeys
from chalicelib.privacy.hashing import HashKey, KeyedHash
from chalicelib.refusals import CampaignNotYours, RulesBroken, TryAgain
from chalicelib.registrations.casework import Casework
from chalicelib.registrations.dynamodb import DynamoRegistrations
from chalicelib.registrations.errors import CaptureReused, RegistrationUnknown
from chalicelib.registrations.lifecycle import Life, Status
from chalicelib.registrations.model import DayFact, Outcome, Registration
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.service import (
    Capture,
    Contended,
    Known,
    Limits,
    PhoneBusy,
    PhoneCount,
    Registrar,
    Registrations,
    Standing,
    Submitted,
    WorkerKnown,
)
from tests.builders import NOW, a_caller, a_capture_id, a_nik, a_submission, some_limits
from tests.contracts.stored import FIRST_DAY, REFERENCE, captures_of, the_campaign
from tests.fakes import FixedClock, InMemoryDayCounts, KnownCampaigns


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def a_registrar(registrations: Registrations, clock: FixedClock, limits: Limits | None = None) -> Registrar:
    return Registrar(
        registrations=registrations,
        campaigns=CampaignOffice(
            campaigns=KnownCampaigns(the_campaign(accepts_until="2024-10-31")), clock=clock
        ),
        quoting=Quoting(rules=shipped_rules(), clock=clock),
        limits=limits or some_limits(InMemoryDayCounts(), clock),
        hashing=KeyedHash(lambda: HashKey(bytes(32))),
        clock=clock,
        random_index=randbelow,
    )


@pytest.fixture
def table(stage: None) -> DynamoRegistrations:
    cipher = FieldCipher(lambda: FieldKeys(current="k", by_id={"k": bytes(32)}))
    return DynamoRegistrations(boto3.client("dynamodb"), "RegistrationsTable", cipher)


@pytest.fixture
def registrar(table: DynamoRegistrations, clock: FixedClock) -> Registrar:
    return a_registrar(table, clock)


@pytest.fixture
def casework(table: DynamoRegistrations, clock: FixedClock) -> Casework:
    return Casework(registrations=table, clock=clock)


def submit(registrar: Registrar, **capture: object) -> Submitted:
    return registrar.submit(a_submission(**capture), by=a_caller(), correlation_id="c-1")


def outcomes(registrar: Registrar, of: CampaignDay = FIRST_DAY) -> list[str]:
    return sorted(facts.outcome for facts in captures_of(registrar, of))


def test_a_new_worker_is_registered(registrar: Registrar) -> None:
    submitted = submit(registrar)

    assert (submitted.answer.outcome, submitted.answer.status) == (Outcome.CREATED, Status.RECEIVED)
    assert (submitted.answer.received_at, submitted.replayed) == ("2024-10-09T05:00:00.000Z", False)
    registration = registrar.get(submitted.answer.reference)
    assert (registration.worker.nik, registration.taken.client_id) == (a_nik(), "van-1")
    assert registration.life == Life.begun(at=NOW, client_id="van-1")
    assert (registration.follows, registration.expires_on) == (None, date(2024, 11, 8))


def test_the_price_that_is_told_is_the_price_that_is_kept(registrar: Registrar) -> None:
    answer = submit(registrar).answer

    assert [(month.month, month.amount) for month in answer.quote.months] == [
        ("2024-10", 32_800),
        ("2024-11", 32_800),
        ("2024-12", 32_800),
    ]
    assert registrar.get(answer.reference).quote == answer.quote


def test_the_stage_sets_who_may_register_and_how_long_nobody_need_pay(
    table: DynamoRegistrations, clock: FixedClock
) -> None:
    ages = AgeLimits(minimum=39)
    limits = some_limits(InMemoryDayCounts(), clock, ages=ages, unpaid_for=timedelta(days=2))
    registrar = a_registrar(table, clock, limits)
    with pytest.raises(RulesBroken, match="age_too_young"):
        submit(registrar, worker={"birth_date": "1985-10-10"})

    answer = submit(registrar, worker={"birth_date": "1985-10-09"}).answer
    assert registrar.get(answer.reference).expires_on == date(2024, 10, 11)


def test_the_same_capture_sent_again_gets_its_first_answer(registrar: Registrar, clock: FixedClock) -> None:
    first = submit(registrar)
    clock.forward(timedelta(days=3))

    again = submit(registrar)

    assert (again.answer, again.replayed) == (first.answer, True)
    assert outcomes(registrar) == ["created"]


def test_a_capture_sent_again_after_the_campaign_closed_gets_its_first_answer(
    registrar: Registrar, clock: FixedClock
) -> None:
    first = submit(registrar)
    clock.forward(timedelta(days=100))

    assert submit(registrar) == Submitted(first.answer, replayed=True)
    with pytest.raises(RulesBroken):
        submit(registrar, capture_id=a_capture_id(2), worker={"nik": a_nik(7002)})


def test_a_capture_id_used_for_other_content_is_refused(registrar: Registrar) -> None:
    submit(registrar)
    with pytest.raises(CaptureReused):
        submit(registrar, worker={"name": "Kenanga Larasati"})


def test_a_capture_id_used_for_content_that_breaks_rules_is_refused_as_reused(registrar: Registrar) -> None:
    submit(registrar)
    with pytest.raises(CaptureReused):
        submit(registrar, worker={"phone": "021-5551234"})


def test_a_known_worker_is_told_the_open_registration(registrar: Registrar) -> None:
    first = submit(registrar)

    second = submit(
        registrar, capture_id=a_capture_id(2), worker={"name": "MELATI K.", "phone": "0824-5550-7002"}
    )

    assert second.answer.outcome is Outcome.ALREADY_REGISTERED
    assert second.answer.reference == first.answer.reference
    assert registrar.get(first.answer.reference).worker.phone == "+6282455507001"
    assert outcomes(registrar) == ["already_registered", "created"]


def test_a_repeat_sent_again_gets_its_own_first_answer(registrar: Registrar) -> None:
    submit(registrar)
    second = submit(registrar, capture_id=a_capture_id(2))
    assert submit(registrar, capture_id=a_capture_id(2)) == Submitted(second.answer, replayed=True)


def test_a_refused_capture_is_counted_and_may_be_mended(registrar: Registrar) -> None:
    for _ in range(2):
        with pytest.raises(RulesBroken):
            submit(registrar, worker={"nik": "1"})
    assert outcomes(registrar) == ["refused"]

    assert submit(registrar).answer.outcome is Outcome.CREATED
    assert outcomes(registrar) == ["created"]


def test_a_capture_outside_the_campaigns_days_is_counted_on_none(registrar: Registrar) -> None:
    with pytest.raises(RulesBroken):
        submit(registrar, captured_at="2024-10-08T12:00:00+07:00")
    assert (
        outcomes(registrar) == outcomes(registrar, CampaignDay("tanah-abang-2024", date(2024, 10, 8))) == []
    )


def test_a_capture_for_a_campaign_of_others_is_refused_before_it_is_looked_up(registrar: Registrar) -> None:
    with pytest.raises(CampaignNotYours):
        submit(registrar, campaign_id="no-such-campaign")


def test_a_capture_for_no_campaign_is_refused(registrar: Registrar) -> None:
    everywhere = a_caller(campaigns=frozenset({"*"}))
    with pytest.raises(CampaignUnknown):
        registrar.submit(a_submission(campaign_id="no-such-campaign"), by=everywhere, correlation_id="c-1")


def test_a_registration_is_found_however_its_reference_is_typed(
    registrar: Registrar, casework: Casework
) -> None:
    reference = submit(registrar).answer.reference
    typed = reference.lower().replace("-", " ")
    assert casework.look_up(typed, by=a_caller()).reference == reference


def test_a_registration_of_another_campaign_is_as_unknown_as_none(
    registrar: Registrar, casework: Casework
) -> None:
    reference = submit(registrar).answer.reference
    elsewhere = a_caller(campaigns=frozenset({"senen-2024"}))
    for typed in (reference, REFERENCE, "not a reference"):
        with pytest.raises(RegistrationUnknown):
            casework.look_up(typed, by=elsewhere)


class ScriptedStore:
    """Answers each write with the next exception of its script; None, or nothing left, is a success."""

    def __init__(self, *script: Exception | None, endless: Exception | None = None) -> None:
        self._script = iter(script)
        self._endless = endless
        self.writes: list[str] = []
        self.followed: list[Reference | None] = []
        self.before = Known()

    def known(self, worker_key: str, *, phone_key: str, day: date) -> Known:
        self.writes.append("known")
        return self.before

    def add_unseen(
        self, registration: Registration, capture: Capture, phone: PhoneCount, standing: Standing | None
    ) -> None:
        self._write("add_unseen" if standing is None else f"add_unseen {standing.reference}")

    def find_capture(self, capture_id: str) -> Capture | None:
        raise NotImplementedError

    def add(self, registration: Registration, capture: Capture, phone: PhoneCount) -> None:
        self.followed.append(registration.follows)
        self._write(f"add {registration.reference}")

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        assert capture.answer is not None
        self._write(f"add_repeat {capture.answer.reference}")

    def add_refusal(self, capture: Capture, *, on_campaign_day: bool) -> None:
        self._write("add_refusal")

    def get(self, reference: Reference) -> Registration:
        raise NotImplementedError

    def replace(self, registration: Registration, *, was: Registration) -> None:
        raise NotImplementedError

    def facts_of(self, of: CampaignDay, *, after: Position | None = None) -> Iterator[DayFact]:
        raise NotImplementedError

    def captures_of(self, of: CampaignDay) -> Iterator[DayFact]:
        raise NotImplementedError

    def registered_on(self, of: CampaignDay, *, after: Position | None, size: int) -> Page[Registration]:
        raise NotImplementedError

    def in_status(self, status: Status, *, after: Position | None, size: int) -> Page[Registration]:
        raise NotImplementedError

    def due(self, day: date) -> Iterator[Reference]:
        raise NotImplementedError

    def sequences_of(self, client_id: str) -> Iterator[int]:
        raise NotImplementedError

    def _write(self, what: str) -> None:
        self.writes.append(what)
        outcome = next(self._script, self._endless)
        if outcome is not None:
            raise outcome


KNOWN = WorkerKnown(Standing(REFERENCE, Status.RECEIVED, has_ended=False))
HAS_ENDED = WorkerKnown(Standing(REFERENCE, Status.EXPIRED, has_ended=True))


def test_a_reference_already_in_use_is_replaced_by_another(clock: FixedClock) -> None:
    store = ScriptedStore(Contended())
    answer = submit(a_registrar(store, clock)).answer
    assert store.writes[-1] == f"add {answer.reference}"
    assert len(set(store.writes)) == 2


def test_a_worker_registered_a_moment_ago_by_another_van_is_known(clock: FixedClock) -> None:
    store = ScriptedStore(Contended(), KNOWN)
    answer = submit(a_registrar(store, clock)).answer
    assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, REFERENCE)


def test_a_worker_whose_registration_ended_in_between_is_registered_anew(clock: FixedClock) -> None:
    store = ScriptedStore(KNOWN, Contended(), HAS_ENDED, None)
    answer = submit(a_registrar(store, clock)).answer
    assert answer.outcome is Outcome.REACTIVATED
    assert [write.split()[0] for write in store.writes] == ["add", "add_repeat", "add", "add"]
    assert (store.followed[-1], store.writes[-1]) == (REFERENCE, f"add {answer.reference}")
    assert answer.reference != REFERENCE


@pytest.mark.parametrize(
    "first",
    [Contended(), KNOWN, HAS_ENDED],
    ids=["contended", "known, then contended", "ended, then contended"],
)
def test_a_race_that_does_not_end_is_given_up_with_nothing_stored(
    clock: FixedClock, first: Exception
) -> None:
    store = ScriptedStore(*[first, Contended()] * 4, endless=Contended())
    with pytest.raises(TryAgain):
        submit(a_registrar(store, clock))
    assert len(store.writes) <= 8


def test_a_failure_that_is_no_race_rises_untouched(clock: FixedClock) -> None:
    store = ScriptedStore(ConnectionError())
    with pytest.raises(ConnectionError):
        submit(a_registrar(store, clock))
    assert len(store.writes) == 1


BOT = a_caller(Role.BOT, client_id="whatsapp")


def submit_as_bot(store: ScriptedStore, clock: FixedClock, **capture: object) -> Submitted:
    return a_registrar(store, clock).submit(a_submission(**capture), by=BOT, correlation_id="c-1")


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (Known(), "add_unseen"),
        (Known(worker=HAS_ENDED.standing), "add_unseen"),
        (Known(worker=KNOWN.standing), f"add_unseen {REFERENCE}"),
        (Known(worker=KNOWN.standing, counted=50), f"add_unseen {REFERENCE}"),
        (Known(counted=5), "add_unseen"),
    ],
)
def test_for_a_bot_one_look_and_one_write_do_whoever_the_worker_is(
    clock: FixedClock, before: Known, then: str
) -> None:
    store = ScriptedStore()
    store.before = before
    submit_as_bot(store, clock)
    assert store.writes == ["known", then]


def test_for_a_bot_what_was_seen_before_is_looked_at_again_when_another_writer_came_first(
    clock: FixedClock,
) -> None:
    store = ScriptedStore(Contended(), KNOWN, PhoneBusy(5))
    assert submit_as_bot(store, clock).answer.outcome is Outcome.ALREADY_REGISTERED
    assert store.writes == [
        *("known", "add_unseen"),
        *("known", "add_unseen", f"add_unseen {REFERENCE}", f"add_unseen {REFERENCE}"),
    ]
