"""Intake: on the declared table for what is stored, on a scripted store for what other writers do."""

from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.callers import Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.conflicts import WriteConflict
from chalicelib.refusals import CampaignNotAllowed, RulesBroken, TryAgain
from chalicelib.registrations.captures import Capture, Outcome
from chalicelib.registrations.errors import CaptureReused, RegistrationUnknown
from chalicelib.registrations.intake import IntakeService
from chalicelib.registrations.limits import PhoneCountExceeded, PhoneCountIncrement
from chalicelib.registrations.model import LifecycleState, Registration, Status
from chalicelib.registrations.prior_state import (
    PriorState,
    WorkerExists,
    WorkerRecord,
)
from chalicelib.registrations.quotas import CampaignSponsor, QuotaState
from chalicelib.registrations.references import Reference
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.submission import SubmissionResult
from chalicelib.registrations.takeovers import Takeover
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import NOW, make_caller, make_limits, make_submission
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.payloads import make_capture_id, make_nik
from tests.support.registration_builders import FIRST_DAY, REFERENCE, collect_capture_facts, get_worker


@pytest.fixture
def intake_service(harness: RegistrationHarness) -> IntakeService:
    return harness.make_intake_service(harness.stores.intake, accepts_until="2024-10-31")


def submit(intake_service: IntakeService, **capture: Any) -> SubmissionResult:
    return intake_service.submit(make_submission(**capture), caller=make_caller(), correlation_id="c-1")


def list_outcomes(harness: RegistrationHarness, campaign_day: CampaignDay = FIRST_DAY) -> list[str]:
    return sorted(facts.outcome for facts in collect_capture_facts(harness.stores.reading, campaign_day))


def test_a_new_worker_is_registered(harness: RegistrationHarness, intake_service: IntakeService) -> None:
    submitted = submit(intake_service)

    assert (submitted.answer.outcome, submitted.answer.status) == (Outcome.CREATED, Status.RECEIVED)
    assert (submitted.answer.received_at, submitted.is_replay) == ("2024-10-09T05:00:00.000Z", False)
    registration = harness.stores.reading.get(submitted.answer.reference)
    assert (get_worker(registration).nik, registration.capture_metadata.client_id) == (make_nik(), "van-1")
    assert registration.lifecycle == LifecycleState.begin(occurred_at=NOW, client_id="van-1")
    assert (registration.follows, registration.expires_on) == (None, date(2024, 11, 8))


def test_the_quote_in_the_answer_is_the_quote_that_is_stored(
    harness: RegistrationHarness, intake_service: IntakeService
) -> None:
    answer = submit(intake_service).answer

    assert [(month.month, month.amount) for month in answer.quote.months] == [
        ("2024-10", 32_800),
        ("2024-11", 32_800),
        ("2024-12", 32_800),
    ]
    assert harness.stores.reading.get(answer.reference).quote == answer.quote


def test_the_stack_sets_the_youngest_age_and_the_payment_period(
    harness: RegistrationHarness,
) -> None:
    ages = AgeLimits(minimum_age=39)
    limits = make_limits(
        InMemoryDayCounts(), harness.clock, age_limits=ages, payment_period=timedelta(days=2)
    )
    intake_service = harness.make_intake_service(harness.stores.intake, limits=limits)
    with pytest.raises(RulesBroken, match="age_too_young"):
        submit(intake_service, worker={"birth_date": "1985-10-10"})

    answer = submit(intake_service, worker={"birth_date": "1985-10-09"}).answer
    assert harness.stores.reading.get(answer.reference).expires_on == date(2024, 10, 11)


def test_the_same_capture_sent_again_gets_its_first_answer(
    harness: RegistrationHarness, intake_service: IntakeService
) -> None:
    first = submit(intake_service)
    harness.clock.advance(timedelta(days=3))

    again = submit(intake_service)

    assert (again.answer, again.is_replay) == (first.answer, True)
    assert list_outcomes(harness) == ["created"]


def test_a_capture_sent_again_after_the_campaign_closed_gets_its_first_answer(
    harness: RegistrationHarness, intake_service: IntakeService
) -> None:
    first = submit(intake_service)
    harness.clock.advance(timedelta(days=100))

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


def test_a_known_worker_gets_the_reference_of_the_open_registration(
    harness: RegistrationHarness, intake_service: IntakeService
) -> None:
    first = submit(intake_service)

    second = submit(
        intake_service, capture_id=make_capture_id(2), worker={"name": "MELATI K.", "phone": "0824-5550-7002"}
    )

    assert second.answer.outcome is Outcome.ALREADY_REGISTERED
    assert second.answer.reference == first.answer.reference
    assert harness.stores.reading.get(first.answer.reference).worker.phone == "+6282455507001"
    assert list_outcomes(harness) == ["already_registered", "created"]


def test_a_repeat_sent_again_gets_its_own_first_answer(intake_service: IntakeService) -> None:
    submit(intake_service)
    second = submit(intake_service, capture_id=make_capture_id(2))
    assert submit(intake_service, capture_id=make_capture_id(2)) == SubmissionResult(
        second.answer, is_replay=True
    )


def test_a_refused_capture_is_counted_and_may_be_corrected(
    harness: RegistrationHarness, intake_service: IntakeService
) -> None:
    for _ in range(2):
        with pytest.raises(RulesBroken):
            submit(intake_service, worker={"nik": "1"})
    assert list_outcomes(harness) == ["refused"]

    assert submit(intake_service).answer.outcome is Outcome.CREATED
    assert list_outcomes(harness) == ["created"]


def test_a_capture_outside_the_campaigns_days_is_counted_on_none(
    harness: RegistrationHarness, intake_service: IntakeService
) -> None:
    with pytest.raises(RulesBroken):
        submit(intake_service, captured_at="2024-10-08T12:00:00+07:00")
    assert (
        list_outcomes(harness)
        == list_outcomes(harness, CampaignDay("tanah-abang-2024", date(2024, 10, 8)))
        == []
    )


def test_a_capture_for_a_campaign_of_others_is_refused_before_the_campaign_is_read(
    intake_service: IntakeService,
) -> None:
    with pytest.raises(CampaignNotAllowed):
        submit(intake_service, campaign_id="no-such-campaign")


def test_a_capture_for_an_unknown_campaign_is_refused(intake_service: IntakeService) -> None:
    everywhere = make_caller(campaigns=frozenset({"*"}))
    with pytest.raises(CampaignUnknown):
        intake_service.submit(
            make_submission(campaign_id="no-such-campaign"), caller=everywhere, correlation_id="c-1"
        )


def test_a_registration_is_found_however_its_reference_is_typed(
    harness: RegistrationHarness, intake_service: IntakeService
) -> None:
    reference = submit(intake_service).answer.reference
    typed = reference.lower().replace("-", " ")
    assert harness.reading_service.look_up(typed, caller=make_caller()).reference == reference


def test_a_registration_of_another_campaign_is_unknown(
    harness: RegistrationHarness, intake_service: IntakeService
) -> None:
    reference = submit(intake_service).answer.reference
    elsewhere = make_caller(campaigns=frozenset({"senen-2024"}))
    for typed in (reference, REFERENCE, "not a reference"):
        with pytest.raises(RegistrationUnknown):
            harness.reading_service.look_up(typed, caller=elsewhere)


class ScriptedStore:
    """Satisfies `intake.IntakeStore`: raises the next exception of its script at each write, or succeeds."""

    def __init__(self, *script: Exception | None, endless: Exception | None = None) -> None:
        self._script = iter(script)
        self._endless = endless
        self.writes: list[str] = []
        self.followed: list[str | None] = []
        self.before = PriorState()

    def read_prior_state(
        self, worker_key: str, *, phone_key: str | None, day: date, sponsor: CampaignSponsor | None = None
    ) -> PriorState:
        self.writes.append("read_prior_state")
        return self.before

    def add_public(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement | None,
        worker_record: WorkerRecord | None,
        quota_state: QuotaState | None = None,
        *,
        captures: int = 1,
    ) -> None:
        self._write("add_public" if worker_record is None else f"add_public {worker_record.reference}")

    def find_capture(self, capture_id: str) -> Capture | None:
        raise NotImplementedError

    def add(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement | None,
        quota_state: QuotaState | None = None,
        *,
        captures: int = 1,
        takeover: Takeover | None = None,
    ) -> None:
        self.followed.append(registration.follows)
        self._write(f"add {registration.reference}")

    def find_registration(self, reference: Reference) -> Registration | None:
        return None

    def add_repeat(
        self,
        capture: Capture,
        *,
        worker_key: str,
        phone_increment: PhoneCountIncrement | None = None,
        changed: Registration | None = None,
    ) -> None:
        assert capture.answer is not None
        self._write(f"add_repeat {capture.answer.reference}")

    def add_refusal(self, capture: Capture, *, is_on_campaign_day: bool, expires_on: date) -> None:
        self._write("add_refusal")

    def _write(self, write: str) -> None:
        self.writes.append(write)
        outcome = next(self._script, self._endless)
        if outcome is not None:
            raise outcome


KNOWN = WorkerExists(WorkerRecord(REFERENCE, Status.RECEIVED, has_ended=False))
HAS_ENDED = WorkerExists(WorkerRecord(REFERENCE, Status.EXPIRED, has_ended=True))


def test_a_reference_already_in_use_is_replaced_by_another(harness: RegistrationHarness) -> None:
    store = ScriptedStore(WriteConflict())
    answer = submit(harness.make_intake_service(store)).answer
    assert store.writes[-1] == f"add {answer.reference}"
    assert len(set(store.writes)) == 2


def test_a_worker_whom_another_van_registered_a_moment_ago_is_known(harness: RegistrationHarness) -> None:
    store = ScriptedStore(WriteConflict(), KNOWN)
    answer = submit(harness.make_intake_service(store)).answer
    assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, REFERENCE)


def test_a_worker_whose_registration_ended_in_between_is_registered_again(
    harness: RegistrationHarness,
) -> None:
    store = ScriptedStore(KNOWN, WriteConflict(), HAS_ENDED, None)
    answer = submit(harness.make_intake_service(store)).answer
    assert answer.outcome is Outcome.REACTIVATED
    assert [write.split()[0] for write in store.writes] == ["add", "add_repeat", "add", "add"]
    assert (store.followed[-1], store.writes[-1]) == (REFERENCE, f"add {answer.reference}")
    assert answer.reference != REFERENCE


@pytest.mark.parametrize(
    "first",
    [WriteConflict(), KNOWN, HAS_ENDED],
    ids=["conflict", "worker known, then conflict", "worker ended, then conflict"],
)
def test_a_race_that_does_not_end_is_abandoned_with_nothing_stored(
    harness: RegistrationHarness, first: Exception
) -> None:
    store = ScriptedStore(*[first, WriteConflict()] * 4, endless=WriteConflict())
    with pytest.raises(TryAgain):
        submit(harness.make_intake_service(store))
    assert len(store.writes) <= 8


def test_another_failure_of_the_store_is_raised_unchanged(harness: RegistrationHarness) -> None:
    store = ScriptedStore(ConnectionError())
    with pytest.raises(ConnectionError):
        submit(harness.make_intake_service(store))
    assert len(store.writes) == 1


BOT = make_caller(Role.BOT, client_id="whatsapp")


def submit_as_bot(store: ScriptedStore, harness: RegistrationHarness) -> SubmissionResult:
    return harness.make_intake_service(store).submit(make_submission(), caller=BOT, correlation_id="c-1")


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (PriorState(), "add_public"),
        (PriorState(worker_record=HAS_ENDED.worker_record), "add_public"),
        (PriorState(worker_record=KNOWN.worker_record), f"add_public {REFERENCE}"),
        (PriorState(worker_record=KNOWN.worker_record, phone_count=50), f"add_public {REFERENCE}"),
        (PriorState(phone_count=5), "add_public"),
    ],
)
def test_a_capture_of_a_bot_takes_one_read_and_one_write_whether_the_worker_is_known_or_not(
    harness: RegistrationHarness, before: PriorState, then: str
) -> None:
    store = ScriptedStore()
    store.before = before
    submit_as_bot(store, harness)
    assert store.writes == ["read_prior_state", then]


def test_after_a_conflict_the_prior_state_is_read_again_for_a_bot(
    harness: RegistrationHarness,
) -> None:
    store = ScriptedStore(WriteConflict(), KNOWN, PhoneCountExceeded(5))
    assert submit_as_bot(store, harness).answer.outcome is Outcome.ALREADY_REGISTERED
    assert store.writes == [
        *("read_prior_state", "add_public"),
        *("read_prior_state", "add_public", f"add_public {REFERENCE}", f"add_public {REFERENCE}"),
    ]
