"""The fakes answer as the tables do: every step of a random story is told to both."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib import wiring
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.store import DynamoDayCounts
from chalicelib.messaging.attempts import IllegalTransition
from chalicelib.messaging.opt_outs import OptOutStore
from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped, SendRateLimiter
from chalicelib.messaging.store import DynamoSendRateLimiter
from chalicelib.notifications.errors import LimitExceeded, StaleRevision
from chalicelib.notifications.model import SendLimits, SendUpdate, Sms, SmsState
from chalicelib.notifications.service import SmsLedger
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
from chalicelib.notifications.templates import SmsKind
from chalicelib.rollups.outbox import Consumer
from chalicelib.rollups.service import DirtyDay, Summaries, VersionExists
from chalicelib.rollups.store import DynamoOutbox, DynamoSummaries
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.fakes import (
    InMemoryDayCounts,
    InMemoryOptOutStore,
    InMemorySendRateLimiter,
    InMemorySmsLedger,
    InMemorySummaries,
)
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_sms, make_summary

SLOT = timedelta(milliseconds=700)
DAYS = st.sampled_from([FIRST_DAY, SECOND_DAY])

ATable = Callable[[str], tuple[Any, str]]


@pytest.fixture(scope="module")
def create_table() -> Iterator[ATable]:
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="eu-north-1")
        client = session.client("dynamodb")
        yield lambda declared: (client, Engine(client).create_table(declared))


@given(steps=st.lists(st.tuples(st.sampled_from(["van-1", "van-2"]), DAYS, st.integers(-2, 2)), max_size=8))
@settings(max_examples=20, deadline=None)
def test_the_day_counts_in_memory_answer_as_those_of_the_table(create_table: ATable, steps: Any) -> None:
    table, memory = DynamoDayCounts(*create_table("ClientsTable")), InMemoryDayCounts()
    for client_id, of, number in steps:
        assert table.add(client_id, of.day, number) == memory.add(client_id, of.day, number)


def claim(ledger: SmsLedger, text: Sms, brakes: SendLimits) -> str:
    try:
        ledger.claim(
            text.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day), previous=text, limits=brakes
        )
    except (LimitExceeded, StaleRevision, IllegalTransition) as refusal:
        return type(refusal).__name__
    return "claimed"


def move(ledger: SmsLedger, text: Sms, change: str) -> bool | str:
    changes: dict[str, Callable[[Sms], Sms]] = {
        "start": lambda text: text.start_attempt(NOW),
        "accept": lambda text: text.record_acceptance("aws", "g-1"),
        "settle": lambda text: text.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, price=331)),
        "put off": lambda text: text.defer(NOW, "stopped"),
        "give up": lambda text: text.abandon("expired"),
    }
    try:
        changed = changes[change](text)
    except IllegalTransition:
        return "illegal"
    return ledger.update(changed, previous=text)


def tell_ledger(
    ledger: DynamoSmsLedger | InMemorySmsLedger, opt_outs: OptOutStore, step: str, number: int, *, stale: bool
) -> object:
    """One step of a story, and what came of it."""
    text = ledger.get(make_sms(number).sms_id)
    if step == "begin" or text is None:
        return ledger.get_or_create(make_sms(number))
    if stale:
        text = replace(text, revision=text.revision - 1)
    match step:
        case "claim":
            return claim(ledger, text, SendLimits(sms_per_day=2, budget=900))
        case "opt out":
            opt_outs.record(text.phone_hash, occurred_at=NOW + timedelta(minutes=number), source="aws")
            return opt_outs.find(text.phone_hash)
        case "lift":
            return opt_outs.lift(
                text.phone_hash, occurred_at=NOW + timedelta(minutes=number), lifted_by="salemba"
            )
        case "look":
            due = set(ledger.iter_due(SmsKind.CONFIRMATION, NOW + timedelta(days=1)))
            return text, due, set(ledger.iter_held()), sorted(ledger.iter_day_facts(FIRST_DAY), key=str)
        case _:
            return move(ledger, text, step)


LEDGER_STEPS = st.sampled_from(
    ["begin", "claim", "claim", "start", "accept", "settle", "put off", "give up", "opt out", "lift", "look"]
)


@given(
    steps=st.lists(
        st.tuples(LEDGER_STEPS, st.integers(1, 4), st.integers(0, 9).map(lambda each: each == 0)),
        max_size=24,
    )
)
@settings(max_examples=50, deadline=None)
def test_the_ledger_in_memory_answers_as_the_ledger_of_the_table(create_table: ATable, steps: Any) -> None:
    client, texts = create_table("SmsLedgerTable")
    _, sending = create_table("SendingTable")
    on_table = DynamoSmsLedger(
        client, sms_table=texts, sending_table=sending, new_write_id=wiring.generate_write_id
    )
    opt_outs_in_memory = InMemoryOptOutStore()
    stores: list[tuple[DynamoSmsLedger | InMemorySmsLedger, OptOutStore]] = [
        (InMemorySmsLedger(opt_outs=opt_outs_in_memory), opt_outs_in_memory),
        (on_table, DynamoOptOutStore(client, sending)),
    ]
    for step, number, stale in steps:
        answers = [tell_ledger(ledger, opt_outs, step, number, stale=stale) for ledger, opt_outs in stores]
        assert answers[0] == answers[1], step


LINE_STEPS = st.tuples(
    st.sampled_from(["confirmation", "reminder", "stop", "stop by hand", "resume", "look"]),
    st.integers(0, 3),
)


def tell_line(line: SendRateLimiter, step: str, seconds: int) -> object:
    """One step at a line, and what came of it."""
    at = NOW + timedelta(seconds=seconds)
    acts: dict[str, Callable[[], object]] = {
        "confirmation": lambda: line.reserve(SLOT, now=at, max_wait=timedelta(seconds=2)),
        "reminder": lambda: line.reserve(SLOT, now=at, max_wait=timedelta(0)),
        "stop": lambda: line.stop(SendingStop("spend_limit", at + timedelta(seconds=1))),
        "stop by hand": lambda: line.stop(SendingStop("by hand", None)),
        "resume": lambda: line.resume(at),
        "look": lambda: (line.find_stop(at), line.resumed_at),
    }
    try:
        return acts[step]()
    except RateLimited:
        return "busy"
    except SendingStopped as stopped:
        return "stopped", stopped.reason, stopped.ends_at


@given(steps=st.lists(LINE_STEPS, max_size=16))
@settings(max_examples=50, deadline=None)
def test_the_line_in_memory_answers_as_the_line_of_the_table(create_table: ATable, steps: Any) -> None:
    lines = InMemorySendRateLimiter(), DynamoSendRateLimiter(*create_table("SendingTable"))
    for step, seconds in steps:
        answers = [tell_line(line, step, seconds) for line in lines]
        assert answers[0] == answers[1], step


def mark(summaries: Summaries, of: CampaignDay, minutes: int) -> None:
    summaries.mark_dirty(of, occurred_at=NOW + timedelta(minutes=minutes))


def unmark(summaries: Summaries, of: CampaignDay, marks: int) -> None:
    summaries.clear_dirty(DirtyDay(of, marks, NOW))


def add(summaries: Summaries, of: CampaignDay, version: int) -> str:
    try:
        summaries.add(make_summary(of, version))
    except VersionExists:
        return "written already"
    return "written"


@given(steps=st.lists(st.tuples(st.sampled_from([mark, unmark, add]), DAYS, st.integers(1, 3)), max_size=10))
@settings(max_examples=50, deadline=None)
def test_summaries_in_memory_answer_as_those_of_the_table(create_table: ATable, steps: Any) -> None:
    table = create_table("SummariesTable")
    in_memory_summaries = InMemorySummaries()
    stores = in_memory_summaries, DynamoSummaries(*table)
    for act, of, number in steps:
        in_memory, on_table = (act(summaries, of, number) for summaries in stores)
        assert in_memory == on_table
    in_memory, on_table = (
        (
            list(summaries.iter_dirty_days()),
            [summaries.find_latest(of) for of in (FIRST_DAY, SECOND_DAY)],
            [summaries.find_version(FIRST_DAY, version) for version in (1, 2, 3)],
            list(summaries.iter_headlines(FIRST_DAY.campaign_id)),
        )
        for summaries in stores
    )
    assert in_memory == on_table
    outboxes = in_memory_summaries.outbox, DynamoOutbox(*table)
    for reader in Consumer:
        waiting, on_table = (list(outbox.iter_entries(reader)) for outbox in outboxes)
        assert waiting == on_table
