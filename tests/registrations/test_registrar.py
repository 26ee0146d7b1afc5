"""Registering: on the declared table for what is remembered, on a script for what others do in between."""

from collections.abc import Iterator
from datetime import date, timedelta
from secrets import randbelow

import boto3
import pytest

from chalicelib.callers import Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.campaigns.service import CampaignService
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.http.pagination import Page, Position
from chalicelib.refusals import CampaignNotAllowed, RulesBroken, TryAgain
from chalicelib.registrations.errors import CaptureReused, RegistrationUnknown
from chalicelib.registrations.intake import (
    Capture,
    IntakeLimits,
    IntakeService,
    PhoneCountExceeded,
    PhoneCountIncrement,
    PriorState,
    Registrations,
    SubmissionResult,
    WorkerExists,
    WorkerRecord,
    WriteConflict,
)
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.model import DayFact, Outcome, Registration
from chalicelib.registrations.references import Reference
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.states import LifecycleState, Status
from chalicelib.registrations.store import DynamoRegistrations
from tests.support.builders import NOW, make_caller, make_capture_id, make_limits, make_nik, make_submission
from tests.support.fakes import FixedClock, InMemoryCampaigns, InMemoryDayCounts
from tests.support.registration_builders import FIRST_DAY, REFERENCE, collect_capture_facts, make_campaign


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def a_registrar(
    registrations: Registrations, clock: FixedClock, limits: IntakeLimits | None = None
) -> IntakeService:
    return IntakeService(
        registrations=registrations,
        campaigns=CampaignService(
            campaigns=InMemoryCampaigns(make_campaign(accepts_until="2024-10-31")), clock=clock
        ),
        quote_service=QuoteService(rules=load_rules(), clock=clock),
        limits=limits or make_limits(InMemoryDayCounts(), clock),
        hashing=KeyedHash(lambda: HashKey(bytes(32))),
        clock=clock,
        random_index=randbelow,
    )


@pytest.fixture
def table_name(moto_stage: None) -> DynamoRegistrations:
    cipher = FieldCipher(lambda: FieldKeys(current_key_id="k", by_id={"k": bytes(32)}))
    return DynamoRegistrations(boto3.client("dynamodb"), "RegistrationsTable", cipher)


@pytest.fixture
def intake_service(table_name: DynamoRegistrations, clock: FixedClock) -> IntakeService:
    return a_registrar(table_name, clock)


@pytest.fixture
def lifecycle_service(table_name: DynamoRegistrations, clock: FixedClock) -> LifecycleService:
    return LifecycleService(registrations=table_name, clock=clock)


def submit(intake_service: IntakeService, **capture: object) -> SubmissionResult:
    return intake_service.submit(make_submission(**capture), caller=make_caller(), correlation_id="c-1")


def outcomes(intake_service: IntakeService, of: CampaignDay = FIRST_DAY) -> list[str]:
    return sorted(facts.outcome for facts in collect_capture_facts(intake_service, of))


def test_a_new_worker_is_registered(intake_service: IntakeService) -> None:
    submitted = submit(intake_service)

    assert (submitted.answer.outcome, submitted.answer.status) == (Outcome.CREATED, Status.RECEIVED)
    assert (submitted.answer.received_at, submitted.is_replay) == ("2024-10-09T05:00:00.000Z", False)
    registration = intake_service.get(submitted.answer.reference)
    assert (registration.worker.nik, registration.capture_metadata.client_id) == (make_nik(), "van-1")
    assert registration.lifecycle == LifecycleState.begin(occurred_at=NOW, client_id="van-1")
    assert (registration.follows, registration.expires_on) == (None, date(2024, 11, 8))


def test_the_price_that_is_told_is_the_price_that_is_kept(intake_service: IntakeService) -> None:
    answer = submit(intake_service).answer

    assert [(month.month, month.amount) for month in answer.quote.months] == [
        ("2024-10", 32_800),
        ("2024-11", 32_800),
        ("2024-12", 32_800),
    ]
    assert intake_service.get(answer.reference).quote == answer.quote


def test_the_stage_sets_who_may_register_and_how_long_nobody_need_pay(
    table_name: DynamoRegistrations, clock: FixedClock
) -> None:
    ages = AgeLimits(minimum_age=39)
    limits = make_limits(InMemoryDayCounts(), clock, age_limits=ages, payment_period=timedelta(days=2))
    intake_service = a_registrar(table_name, clock, limits)
    with pytest.raises(RulesBroken, match="age_too_young"):
        submit(intake_service, worker={"birth_date": "1985-10-10"})

    answer = submit(intake_service, worker={"birth_date": "1985-10-09"}).answer
    assert intake_service.get(answer.reference).expires_on == date(2024, 10, 11)


def test_the_same_capture_sent_again_gets_its_first_answer(
    intake_service: IntakeService, clock: FixedClock
) -> None:
    first = submit(intake_service)
    clock.advance(timedelta(days=3))

    again = submit(intake_service)

    assert (again.answer, again.is_replay) == (first.answer, True)
    assert outcomes(intake_service) == ["created"]


def test_a_capture_sent_again_after_the_campaign_closed_gets_its_first_answer(
    intake_service: IntakeService, clock: FixedClock
) -> None:
    first = submit(intake_service)
    clock.advance(timedelta(days=100))

    assert submit(intake_service) == SubmissionResult(first.answer, is_replay=True)
    with pytest.raises(RulesBroken):
        submit(intake_service, capture_id=make_capture_id(2), worker={"nik": make_nik(7002)})


def test_a_capture_id_used_for_other_content_is_refused(intake_service: IntakeService) -> None:
    submit(intake_service)
    with pytest.raises(CaptureReused):
        submit(intake_service, worker={"name": "Kenanga Larasati"})


def test_a_capture_id_used_for_content_that_breaks_rules_is_refused_as_reused(
    intake_service: IntakeService,
) -> None:
    submit(intake_service)
    with pytest.raises(CaptureReused):
        submit(intake_service, worker={"phone": "021-5551234"})


def test_a_known_worker_is_told_the_open_registration(intake_service: IntakeService) -> None:
    first = submit(intake_service)

    second = submit(
        intake_service, capture_id=make_capture_id(2), worker={"name": "MELATI K.", "phone": "0824-5550-7002"}
    )

    assert second.answer.outcome is Outcome.ALREADY_REGISTERED
    assert second.answer.reference == first.answer.reference
    assert intake_service.get(first.answer.reference).worker.phone == "+6282455507001"
    assert outcomes(intake_service) == ["already_registered", "created"]


def test_a_repeat_sent_again_gets_its_own_first_answer(intake_service: IntakeService) -> None:
    submit(intake_service)
    second = submit(intake_service, capture_id=make_capture_id(2))
    assert submit(intake_service, capture_id=make_capture_id(2)) == SubmissionResult(
        second.answer, is_replay=True
    )


def test_a_refused_capture_is_counted_and_may_be_mended(intake_service: IntakeService) -> None:
    for _ in range(2):
        with pytest.raises(RulesBroken):
            submit(intake_service, worker={"nik": "1"})
    assert outcomes(intake_service) == ["refused"]

    assert submit(intake_service).answer.outcome is Outcome.CREATED
    assert outcomes(intake_service) == ["created"]


def test_a_capture_outside_the_campaigns_days_is_counted_on_none(intake_service: IntakeService) -> None:
    with pytest.raises(RulesBroken):
        submit(intake_service, captured_at="2024-10-08T12:00:00+07:00")
    assert (
        outcomes(intake_service)
        == outcomes(intake_service, CampaignDay("tanah-abang-2024", date(2024, 10, 8)))
        == []
    )


def test_a_capture_for_a_campaign_of_others_is_refused_before_it_is_looked_up(
    intake_service: IntakeService,
) -> None:
    with pytest.raises(CampaignNotAllowed):
        submit(intake_service, campaign_id="no-such-campaign")


def test_a_capture_for_no_campaign_is_refused(intake_service: IntakeService) -> None:
    everywhere = make_caller(campaigns=frozenset({"*"}))
    with pytest.raises(CampaignUnknown):
        intake_service.submit(
            make_submission(campaign_id="no-such-campaign"), caller=everywhere, correlation_id="c-1"
        )


def test_a_registration_is_found_however_its_reference_is_typed(
    intake_service: IntakeService, lifecycle_service: LifecycleService
) -> None:
    reference = submit(intake_service).answer.reference
    typed = reference.lower().replace("-", " ")
    assert lifecycle_service.look_up(typed, caller=make_caller()).reference == reference


def test_a_registration_of_another_campaign_is_as_unknown_as_none(
    intake_service: IntakeService, lifecycle_service: LifecycleService
) -> None:
    reference = submit(intake_service).answer.reference
    elsewhere = make_caller(campaigns=frozenset({"senen-2024"}))
    for typed in (reference, REFERENCE, "not a reference"):
        with pytest.raises(RegistrationUnknown):
            lifecycle_service.look_up(typed, caller=elsewhere)


class ScriptedStore:
    """Answers each write with the next exception of its script; None, or nothing left, is a success."""

    def __init__(self, *script: Exception | None, endless: Exception | None = None) -> None:
        self._script = iter(script)
        self._endless = endless
        self.writes: list[str] = []
        self.followed: list[Reference | None] = []
        self.before = PriorState()

    def read_prior_state(self, worker_key: str, *, phone_key: str, day: date) -> PriorState:
        self.writes.append("known")
        return self.before

    def add_public(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement,
        worker_record: WorkerRecord | None,
    ) -> None:
        self._write("add_unseen" if worker_record is None else f"add_unseen {worker_record.reference}")

    def find_capture(self, capture_id: str) -> Capture | None:
        raise NotImplementedError

    def add(self, registration: Registration, capture: Capture, phone_increment: PhoneCountIncrement) -> None:
        self.followed.append(registration.follows)
        self._write(f"add {registration.reference}")

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        assert capture.answer is not None
        self._write(f"add_repeat {capture.answer.reference}")

    def add_refusal(self, capture: Capture, *, on_campaign_day: bool) -> None:
        self._write("add_refusal")

    def get(self, reference: Reference) -> Registration:
        raise NotImplementedError

    def replace(self, registration: Registration, *, previous: Registration) -> None:
        raise NotImplementedError

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        raise NotImplementedError

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        raise NotImplementedError

    def list_by_campaign_day(
        self, campaign_day: CampaignDay, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        raise NotImplementedError

    def list_by_status(
        self, status: Status, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        raise NotImplementedError

    def iter_due(self, due_day: date) -> Iterator[Reference]:
        raise NotImplementedError

    def iter_device_sequences(self, client_id: str) -> Iterator[int]:
        raise NotImplementedError

    def _write(self, what: str) -> None:
        self.writes.append(what)
        outcome = next(self._script, self._endless)
        if outcome is not None:
            raise outcome


KNOWN = WorkerExists(WorkerRecord(REFERENCE, Status.RECEIVED, has_ended=False))
HAS_ENDED = WorkerExists(WorkerRecord(REFERENCE, Status.EXPIRED, has_ended=True))


def test_a_reference_already_in_use_is_replaced_by_another(clock: FixedClock) -> None:
    store = ScriptedStore(WriteConflict())
    answer = submit(a_registrar(store, clock)).answer
    assert store.writes[-1] == f"add {answer.reference}"
    assert len(set(store.writes)) == 2


def test_a_worker_registered_a_moment_ago_by_another_van_is_known(clock: FixedClock) -> None:
    store = ScriptedStore(WriteConflict(), KNOWN)
    answer = submit(a_registrar(store, clock)).answer
    assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, REFERENCE)


def test_a_worker_whose_registration_ended_in_between_is_registered_anew(clock: FixedClock) -> None:
    store = ScriptedStore(KNOWN, WriteConflict(), HAS_ENDED, None)
    answer = submit(a_registrar(store, clock)).answer
    assert answer.outcome is Outcome.REACTIVATED
    assert [write.split()[0] for write in store.writes] == ["add", "add_repeat", "add", "add"]
    assert (store.followed[-1], store.writes[-1]) == (REFERENCE, f"add {answer.reference}")
    assert answer.reference != REFERENCE


@pytest.mark.parametrize(
    "first",
    [WriteConflict(), KNOWN, HAS_ENDED],
    ids=["contended", "known, then contended", "ended, then contended"],
)
def test_a_race_that_does_not_end_is_given_up_with_nothing_stored(
    clock: FixedClock, first: Exception
) -> None:
    store = ScriptedStore(*[first, WriteConflict()] * 4, endless=WriteConflict())
    with pytest.raises(TryAgain):
        submit(a_registrar(store, clock))
    assert len(store.writes) <= 8


def test_a_failure_that_is_no_race_rises_untouched(clock: FixedClock) -> None:
    store = ScriptedStore(ConnectionError())
    with pytest.raises(ConnectionError):
        submit(a_registrar(store, clock))
    assert len(store.writes) == 1


BOT = make_caller(Role.BOT, client_id="whatsapp")


def submit_as_bot(store: ScriptedStore, clock: FixedClock, **capture: object) -> SubmissionResult:
    return a_registrar(store, clock).submit(make_submission(**capture), caller=BOT, correlation_id="c-1")


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (PriorState(), "add_unseen"),
        (PriorState(worker_record=HAS_ENDED.worker_record), "add_unseen"),
        (PriorState(worker_record=KNOWN.worker_record), f"add_unseen {REFERENCE}"),
        (PriorState(worker_record=KNOWN.worker_record, phone_count=50), f"add_unseen {REFERENCE}"),
        (PriorState(phone_count=5), "add_unseen"),
    ],
)
def test_for_a_bot_one_look_and_one_write_do_whoever_the_worker_is(
    clock: FixedClock, before: PriorState, then: str
) -> None:
    store = ScriptedStore()
    store.before = before
    submit_as_bot(store, clock)
    assert store.writes == ["known", then]


def test_for_a_bot_what_was_seen_before_is_looked_at_again_when_another_writer_came_first(
    clock: FixedClock,
) -> None:
    store = ScriptedStore(WriteConflict(), KNOWN, PhoneCountExceeded(5))
    assert submit_as_bot(store, clock).answer.outcome is Outcome.ALREADY_REGISTERED
    assert store.writes == [
        *("known", "add_unseen"),
        *("known", "add_unseen", f"add_unseen {REFERENCE}", f"add_unseen {REFERENCE}"),
    ]
