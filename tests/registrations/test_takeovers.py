"""An application that the public made gives way to an officer of another campaign, unless somebody paid."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.callers import Caller
from chalicelib.campaigns.model import CampaignDay
from chalicelib.refusals import Refusal
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import RegistrationUnknown, TransitionNotAllowed
from chalicelib.registrations.model import EventType, Flag, Registration, Status
from chalicelib.registrations.reported_events import Cancellation, Payment, PaymentCode, VerificationResult
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Anomaly, Tally
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import NOW
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.damaged_items import SEALED_DAMAGES, damage_item
from tests.support.day_tally import count_facts
from tests.support.takeovers import BOT, BOT_ELSEWHERE, ELSEWHERE, HERE, VAN, VAN_ELSEWHERE, TwoCampaigns

Step = Callable[[TwoCampaigns, Registration], object]


@pytest.fixture
def two(harness: RegistrationHarness) -> TwoCampaigns:
    return TwoCampaigns(harness)


def count(two: TwoCampaigns, campaign_id: str) -> Tally:
    facts = two.harness.stores.reading.iter_day_facts(CampaignDay(campaign_id, date(2024, 10, 9)))
    return count_facts(facts, AnomalyThresholds())


def issue_code(two: TwoCampaigns, registration: Registration) -> object:
    code = PaymentCode(code="EPS-4711", amount=50_400, expires_on=date(2024, 10, 31))
    return two.harness.lifecycle_service.issue_payment_code(registration.reference, code, caller=CORE_CALLER)


def mismatch(two: TwoCampaigns, registration: Registration) -> object:
    return two.harness.lifecycle_service.record_verification(
        registration.reference, VerificationResult(result="mismatch"), caller=CORE_CALLER
    )


def pay(two: TwoCampaigns, registration: Registration) -> object:
    payment = Payment(
        payment_id=f"p-{registration.reference}", amount=50_400, months=3, paid_at=two.harness.clock()
    )
    return two.harness.lifecycle_service.record_payment(registration.reference, payment, caller=CORE_CALLER)


def cancel(two: TwoCampaigns, registration: Registration) -> object:
    return two.harness.lifecycle_service.cancel(
        registration.reference, Cancellation(reason="other"), caller=CORE_CALLER
    )


@pytest.mark.parametrize("step", [lambda *_: None, issue_code, mismatch], ids=["new", "code", "mismatch"])
def test_an_officer_gets_a_new_registration_and_the_public_one_ends(two: TwoCampaigns, step: Step) -> None:
    squatted = two.register(BOT_ELSEWHERE, worker={"phone": "0824-5550-9999"})
    step(two, squatted)

    answer = two.submit(VAN)

    assert (answer.outcome, answer.status, answer.differs) == (Outcome.REACTIVATED, Status.RECEIVED, ())
    own = two.harness.reading_service.look_up(answer.reference, caller=VAN)
    assert (own.follows, own.flags) == (squatted.reference, (Flag.TOOK_OVER,))
    ended = two.reload(squatted)
    event = ended.lifecycle.history[-1]
    assert (ended.lifecycle.status, event.event_type) == (Status.CANCELLED, EventType.TAKEN_OVER)
    assert (event.client_id, event.detail, ended.flags) == ("van-1", {}, (Flag.TAKEN_OVER,))
    assert ended.worker == squatted.worker
    with pytest.raises(RegistrationUnknown):
        two.harness.reading_service.look_up(squatted.reference, caller=VAN, includes_met=True)
    again = two.submit(VAN)
    assert (again.outcome, again.reference) == (Outcome.ALREADY_REGISTERED, own.reference)
    cancel(two, own)
    assert two.submit(VAN).outcome is Outcome.REACTIVATED


def test_both_days_have_the_right_figures_and_say_why(two: TwoCampaigns) -> None:
    two.submit(BOT_ELSEWHERE)
    two.submit(BOT_ELSEWHERE, worker_number=2)
    before = count(two, ELSEWHERE).counts

    two.submit(VAN)

    left, gained = count(two, ELSEWHERE), count(two, HERE)
    assert (before.created, before.registered) == (2, 2)
    assert (left.counts.created, left.counts.registered, left.funnel.cancelled) == (2, 1, 1)
    assert left.by_client == {"telegram": 1}
    assert Anomaly(pattern="taken_over", workers=1) in left.oddities
    assert (gained.counts.created, gained.counts.reactivated, gained.counts.registered) == (0, 1, 1)
    assert Anomaly(pattern="took_over", workers=1) in gained.oddities


def nothing(two: TwoCampaigns, registration: Registration) -> None:
    """Leave the registration as it is."""


KEPT: dict[str, tuple[Caller, Step, Caller]] = {
    "of the same campaign": (BOT, nothing, VAN),
    "made by an officer": (VAN_ELSEWHERE, nothing, VAN),
    "met by the public": (BOT_ELSEWHERE, nothing, BOT),
    "paid": (BOT_ELSEWHERE, pay, VAN),
    "paid with a code": (BOT_ELSEWHERE, lambda *at: (issue_code(*at), pay(*at)), VAN),
}


@pytest.mark.parametrize(("first", "step", "then"), KEPT.values(), ids=KEPT)
def test_any_other_application_is_kept(two: TwoCampaigns, first: Caller, step: Step, then: Caller) -> None:
    registration = two.register(first)
    step(two, registration)
    before = two.reload(registration)

    answer = two.submit(then)

    assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, registration.reference)
    assert two.reload(registration) == before


def test_the_public_gets_its_first_answer_again_and_learns_nothing(two: TwoCampaigns) -> None:
    first = two.submit(BOT_ELSEWHERE)
    own = two.submit(VAN)

    two.number = 0
    assert two.submit(BOT_ELSEWHERE) == first
    two.number = 10
    assert two.submit(BOT_ELSEWHERE).outcome is Outcome.ALREADY_REGISTERED
    assert two.harness.stores.reading.get(own.reference).lifecycle.status is Status.RECEIVED


def test_the_place_of_the_first_campaigns_sponsor_is_given_back(two: TwoCampaigns) -> None:
    coverage = {"payer": "sponsor", "sponsor_id": "coop"}
    two.submit(BOT_ELSEWHERE, coverage=coverage)

    two.submit(VAN, coverage=coverage)

    items = two.harness.scan_items()
    taken = {
        each["pk"]["S"]: int(each["taken"]["N"]) for each in items if "taken" in each and "N" in each["taken"]
    }
    assert sorted(taken.values()) == [0, 1]
    assert [name for name, number in taken.items() if number and HERE in name]


def test_no_capture_of_the_worker_is_lost_from_the_count(two: TwoCampaigns) -> None:
    two.submit(BOT_ELSEWHERE)
    store = with_concurrent_writes(
        two.harness.stores.intake, "add", lambda: None, lambda: two.submit(VAN_ELSEWHERE)
    )

    assert two.submit(VAN, store=store).outcome is Outcome.REACTIVATED

    (worker,) = (
        each
        for each in two.harness.scan_items()
        if each["pk"]["S"].startswith("WORKER#") and "captures" in each
    )
    assert worker["captures"]["N"] == "3"


def test_a_payment_that_comes_first_keeps_the_application(two: TwoCampaigns) -> None:
    squatted = two.register(BOT_ELSEWHERE)
    store = with_concurrent_writes(two.harness.stores.intake, "add", lambda: None, lambda: pay(two, squatted))

    answer = two.submit(VAN, store=store)

    assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, squatted.reference)
    assert two.reload(squatted).lifecycle.status is Status.ACTIVE
    assert count(two, HERE).counts.registered == 0


def test_a_payment_that_comes_second_is_refused_as_after_a_cancellation(two: TwoCampaigns) -> None:
    squatted = two.register(BOT_ELSEWHERE)
    lifecycle = two.harness.make_lifecycle_service(
        with_concurrent_writes(two.harness.stores.lifecycle, "replace", lambda: two.submit(VAN))
    )
    payment = Payment(payment_id="p-1", amount=50_400, months=3, paid_at=NOW)

    with pytest.raises(TransitionNotAllowed):
        lifecycle.record_payment(squatted.reference, payment, caller=CORE_CALLER)

    assert two.reload(squatted).lifecycle.payments == ()


def test_of_two_officers_the_second_finds_the_application_of_the_first(two: TwoCampaigns) -> None:
    two.submit(BOT_ELSEWHERE)
    first: list[Any] = []
    store = with_concurrent_writes(
        two.harness.stores.intake, "add", lambda: None, lambda: first.append(two.submit(VAN))
    )

    second = two.submit(VAN, store=store)

    assert (second.outcome, second.reference) == (Outcome.ALREADY_REGISTERED, first[0].reference)


def test_an_application_that_cannot_be_read_is_a_known_one(two: TwoCampaigns) -> None:
    squatted = two.register(BOT_ELSEWHERE)
    pk = f"REGISTRATION#{squatted.reference}"
    change = SEALED_DAMAGES["flipped byte"]
    damage_item(two.harness.dynamodb, "RegistrationsTable", pk, "sealed.nik", change)

    assert two.submit(VAN).outcome is Outcome.ALREADY_REGISTERED


CALLERS = {"bot": BOT, "bot elsewhere": BOT_ELSEWHERE, "van": VAN, "van elsewhere": VAN_ELSEWHERE}
STEPS: dict[str, Step] = {"pay": pay, "code": issue_code, "mismatch": mismatch, "cancel": cancel}


class History:
    """What is known, without counting, of two workers whom bots and vans of two campaigns register."""

    def __init__(self, two: TwoCampaigns) -> None:
        self.two = two
        self.made: dict[int, list[Registration]] = {1: [], 2: []}
        self.paid: list[Registration] = []

    def happen(self, event: str, worker: int) -> None:
        """Let one thing happen to a worker, through the services."""
        made = self.made[worker]
        if event in CALLERS:
            answer = self.two.submit(CALLERS[event], worker_number=worker, worker={"phone": None})
            if answer.outcome in {Outcome.CREATED, Outcome.REACTIVATED}:
                made.append(self.two.harness.stores.reading.get(answer.reference))
        elif made:
            with suppress(Refusal):
                STEPS[event](self.two, made[-1])
                self.paid += made[-1:] if event == "pay" else []

    def list_applications(self, worker: int) -> list[Registration]:
        return [self.two.reload(each) for each in self.made[worker]]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(st.tuples(st.sampled_from([*CALLERS, *CALLERS, *STEPS]), st.integers(1, 2)), max_size=12)
)
def test_whatever_happens_one_application_is_open_no_payment_is_lost_and_figures_add_up(
    harness: RegistrationHarness, events: list[tuple[str, int]]
) -> None:
    for item in harness.scan_items():
        harness.dynamodb.delete_item(TableName="RegistrationsTable", Key={n: item[n] for n in ("pk", "sk")})
    history = History(TwoCampaigns(harness))
    for event, worker in events:
        history.happen(event, worker)

    applications = [each for worker in (1, 2) for each in history.list_applications(worker)]
    for worker in (1, 2):
        own = history.list_applications(worker)
        assert [each.lifecycle.has_ended for each in own[:-1]] == [True] * len(own[:-1])
        assert not own or harness.stores.reading.find_latest(own[0].worker_key) == own[-1].reference
    assert {history.two.reload(each).lifecycle.status for each in history.paid} <= {Status.ACTIVE}
    for campaign_id in (HERE, ELSEWHERE):
        own = [each for each in applications if each.capture_metadata.campaign_id == campaign_id]
        counts = count(history.two, campaign_id).counts
        assert counts.created + counts.reactivated == len(own)
        assert counts.registered == sum(each.lifecycle.status is not Status.CANCELLED for each in own)
    assert {each.reference for each in applications if Flag.TAKEN_OVER in each.flags} == {
        each.follows for each in applications if Flag.TOOK_OVER in each.flags
    }
