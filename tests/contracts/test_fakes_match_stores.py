"""The fakes behave as the stores do: both get every step of a random sequence."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.caps import AttemptCounts
from chalicelib.clients.store import DynamoDayCounts
from chalicelib.messaging.attempts import IllegalTransition
from chalicelib.messaging.opt_outs import OptOutStore
from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped, SendRateLimiter
from chalicelib.messaging.store import DynamoSendRateLimiter
from chalicelib.notifications.errors import LimitExceeded, StaleRevision
from chalicelib.notifications.model import SendLimits, SendUpdate, Sms, SmsState
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.notifications.stores import SmsLedger
from chalicelib.notifications.templates import SmsKind
from chalicelib.rollups.outbox import Consumer
from chalicelib.rollups.service import CountingState, DirtyDay, SummaryWriter, VersionExists
from chalicelib.rollups.store_counting import DynamoCountingState
from chalicelib.rollups.store_outbox import DynamoOutbox
from chalicelib.rollups.store_summaries import DynamoSummaries
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.fakes.sms import InMemoryOptOutStore, InMemorySendRateLimiter, InMemorySmsLedger
from tests.support.fakes.summaries import InMemoryCountingState, InMemorySummaries
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_sms, make_summary
from tests.support.sms_stores import SmsStores

SLOT = timedelta(milliseconds=700)
DAYS = st.sampled_from([FIRST_DAY, SECOND_DAY])

CreateTable = Callable[[str], tuple[Any, str]]


@pytest.fixture(scope="module")
def create_table() -> Iterator[CreateTable]:
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="eu-north-1")
        client = session.client("dynamodb")
        yield lambda logical_id: (client, Engine(client).create_table(logical_id))


ATTEMPT_COUNTS = st.builds(AttemptCounts, *[st.integers(-2, 2)] * 4)


@given(steps=st.lists(st.tuples(st.sampled_from(["van-1", "van-2"]), DAYS, ATTEMPT_COUNTS), max_size=8))
@settings(max_examples=20, deadline=None)
def test_day_counts_match_the_store(
    create_table: CreateTable, steps: list[tuple[str, CampaignDay, AttemptCounts]]
) -> None:
    table, memory = DynamoDayCounts(*create_table("ClientsTable")), InMemoryDayCounts()
    for client_id, campaign_day, counts in steps:
        added = (client_id, campaign_day.day, counts)
        assert table.add(*added) == memory.add(*added)


def claim(ledger: SmsLedger, sms: Sms, limits: SendLimits) -> str:
    try:
        ledger.claim(
            sms.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day), previous=sms, limits=limits
        )
    except (LimitExceeded, StaleRevision, IllegalTransition) as refusal:
        return type(refusal).__name__
    return "claimed"


def move(ledger: SmsLedger, sms: Sms, change: str) -> bool | str:
    changes: dict[str, Callable[[Sms], Sms]] = {
        "start": lambda sms: sms.start_attempt(NOW),
        "accept": lambda sms: sms.record_acceptance("aws", "g-1"),
        "settle": lambda sms: sms.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, price=331)),
        "defer": lambda sms: sms.defer(NOW, "stopped"),
        "abandon": lambda sms: sms.abandon("expired"),
    }
    try:
        changed = changes[change](sms)
    except IllegalTransition:
        return "illegal"
    return ledger.update(changed, previous=sms)


def apply_to_ledger(
    ledger: DynamoSmsLedger | InMemorySmsLedger, opt_outs: OptOutStore, step: str, number: int, *, stale: bool
) -> object:
    """Apply one step to a ledger. Return its result."""
    sms = ledger.get(make_sms(number).sms_id)
    if step == "create" or sms is None:
        return ledger.get_or_create(make_sms(number))
    if stale:
        sms = replace(sms, revision=sms.revision - 1)
    match step:
        case "claim":
            return claim(ledger, sms, SendLimits(sms_per_day=2, budget=900))
        case "opt out":
            opt_outs.record(sms.phone_hash, occurred_at=NOW + timedelta(minutes=number), source="aws")
            return opt_outs.find(sms.phone_hash)
        case "lift":
            return opt_outs.lift(
                sms.phone_hash, occurred_at=NOW + timedelta(minutes=number), lifted_by="salemba"
            )
        case "read":
            due = set(ledger.iter_due(SmsKind.CONFIRMATION, NOW + timedelta(days=1)))
            return sms, due, set(ledger.iter_held()), sorted(ledger.iter_day_facts(FIRST_DAY), key=str)
        case _:
            return move(ledger, sms, step)


LEDGER_STEPS = st.sampled_from(
    ["create", "claim", "claim", "start", "accept", "settle", "defer", "abandon", "opt out", "lift", "read"]
)


@given(
    steps=st.lists(
        st.tuples(LEDGER_STEPS, st.integers(1, 4), st.integers(0, 9).map(lambda each: each == 0)),
        max_size=24,
    )
)
@settings(max_examples=50, deadline=None)
def test_the_sms_ledger_matches_the_store(
    create_table: CreateTable, steps: list[tuple[str, int, bool]]
) -> None:
    client, sms_table = create_table("SmsLedgerTable")
    _, sending = create_table("SendingTable")
    on_table = SmsStores(client, sms_table=sms_table, sending_table=sending)
    opt_outs_in_memory = InMemoryOptOutStore()
    stores: list[tuple[DynamoSmsLedger | InMemorySmsLedger, OptOutStore]] = [
        (InMemorySmsLedger(opt_outs=opt_outs_in_memory), opt_outs_in_memory),
        (on_table.ledger, on_table.opt_outs),
    ]
    for step, number, stale in steps:
        answers = [
            apply_to_ledger(ledger, opt_outs, step, number, stale=stale) for ledger, opt_outs in stores
        ]
        assert answers[0] == answers[1], step


LIMITER_STEPS = st.tuples(
    st.sampled_from(["confirmation", "reminder", "stop", "stop by hand", "resume", "read"]),
    st.integers(0, 3),
)


def apply_to_limiter(limiter: SendRateLimiter, step: str, seconds: int) -> object:
    """Apply one step to a limiter. Return its result."""
    now = NOW + timedelta(seconds=seconds)
    actions: dict[str, Callable[[], object]] = {
        "confirmation": lambda: limiter.reserve(SLOT, now=now, max_wait=timedelta(seconds=2)),
        "reminder": lambda: limiter.reserve(SLOT, now=now, max_wait=timedelta(0)),
        "stop": lambda: limiter.stop(SendingStop("spend_limit", now + timedelta(seconds=1))),
        "stop by hand": lambda: limiter.stop(SendingStop("by hand", None)),
        "resume": lambda: limiter.resume(now),
        "read": lambda: (limiter.find_stop(now), limiter.resumed_at),
    }
    try:
        return actions[step]()
    except RateLimited:
        return "rate limited"
    except SendingStopped as stopped:
        return "stopped", stopped.reason, stopped.ends_at


@given(steps=st.lists(LIMITER_STEPS, max_size=16))
@settings(max_examples=50, deadline=None)
def test_the_send_rate_limiter_matches_the_store(
    create_table: CreateTable, steps: list[tuple[str, int]]
) -> None:
    limiters = InMemorySendRateLimiter(), DynamoSendRateLimiter(*create_table("SendingTable"))
    for step, seconds in steps:
        answers = [apply_to_limiter(limiter, step, seconds) for limiter in limiters]
        assert answers[0] == answers[1], step


def mark_dirty(counting_state: CountingState, campaign_day: CampaignDay, minutes: int) -> None:
    counting_state.mark_dirty(campaign_day, occurred_at=NOW + timedelta(minutes=minutes))


def clear_dirty(counting_state: CountingState, campaign_day: CampaignDay, generation: int) -> None:
    counting_state.clear_dirty(DirtyDay(campaign_day, generation, NOW))


def add_version(summaries: SummaryWriter, campaign_day: CampaignDay, version: int) -> str:
    try:
        summaries.add(make_summary(campaign_day, version))
    except VersionExists:
        return "exists"
    return "added"


@given(
    steps=st.lists(
        st.tuples(st.sampled_from([mark_dirty, clear_dirty]), DAYS, st.integers(1, 3)), max_size=10
    )
)
@settings(max_examples=50, deadline=None)
def test_dirty_days_match_the_store(
    create_table: CreateTable, steps: list[tuple[Any, CampaignDay, int]]
) -> None:
    in_memory, on_table = InMemoryCountingState(), DynamoCountingState(*create_table("SummariesTable"))
    for change, campaign_day, number in steps:
        change(in_memory, campaign_day, number)
        change(on_table, campaign_day, number)
    assert list(in_memory.iter_dirty_days()) == list(on_table.iter_dirty_days())


@given(steps=st.lists(st.tuples(DAYS, st.integers(1, 3)), max_size=10))
@settings(max_examples=50, deadline=None)
def test_summaries_and_the_outbox_match_the_store(
    create_table: CreateTable, steps: list[tuple[CampaignDay, int]]
) -> None:
    table = create_table("SummariesTable")
    in_memory_summaries = InMemorySummaries()
    stores = in_memory_summaries, DynamoSummaries(*table)
    for campaign_day, version in steps:
        added_in_memory, added_on_table = (add_version(each, campaign_day, version) for each in stores)
        assert added_in_memory == added_on_table
    in_memory, on_table = (
        (
            [summaries.find_latest(campaign_day) for campaign_day in (FIRST_DAY, SECOND_DAY)],
            [summaries.find_version(FIRST_DAY, version) for version in (1, 2, 3)],
            list(summaries.iter_headlines(FIRST_DAY.campaign_id)),
        )
        for summaries in stores
    )
    assert in_memory == on_table
    outboxes = in_memory_summaries.outbox, DynamoOutbox(*table)
    for consumer in Consumer:
        entries_in_memory, entries_on_table = (list(outbox.iter_entries(consumer)) for outbox in outboxes)
        assert entries_in_memory == entries_on_table
