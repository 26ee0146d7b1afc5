"""The fakes answer as the tables do: every step of a random story is told to both."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib import wiring
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.dynamodb import DynamoDayCounts
from chalicelib.notifications.dynamodb import DynamoLedger
from chalicelib.notifications.model import TextState
from chalicelib.rollups.dynamodb import DynamoSummaries
from chalicelib.rollups.service import AlreadyWritten, Mark, Summaries
from tests.builders import NOW
from tests.contracts.conftest import Engine
from tests.contracts.stored import FIRST_DAY, SECOND_DAY, a_summary, a_text
from tests.fakes import InMemoryDayCounts, InMemoryLedger, InMemorySummaries

TEXTS = st.builds(a_text, st.integers(1, 2), state=st.sampled_from(TextState), attempts=st.integers(1, 2))
DAYS = st.sampled_from([FIRST_DAY, SECOND_DAY])

ATable = Callable[[str], tuple[Any, str]]


@pytest.fixture(scope="module")
def a_table() -> Iterator[ATable]:
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="eu-north-1")
        client = session.client("dynamodb")
        yield lambda declared: (client, Engine(client).table(declared))


@given(steps=st.lists(st.tuples(st.sampled_from(["van-1", "van-2"]), DAYS, st.integers(-2, 2)), max_size=8))
@settings(max_examples=20, deadline=None)
def test_the_day_counts_in_memory_answer_as_those_of_the_table(a_table, steps):
    table, memory = DynamoDayCounts(*a_table("ClientsTable")), InMemoryDayCounts()
    for client_id, of, number in steps:
        assert table.add(client_id, of.day, number) == memory.add(client_id, of.day, number)


@given(steps=st.lists(st.tuples(st.booleans(), TEXTS, TEXTS), max_size=8))
@settings(max_examples=50, deadline=None)
def test_the_ledger_in_memory_answers_as_the_ledger_of_the_table(a_table, steps):
    ledgers = InMemoryLedger(), DynamoLedger(*a_table("TextsTable"), wiring.new_write_id)
    for number in (1, 2):
        assert [ledger.begin(a_text(number)) for ledger in ledgers] == [None, None]
    for begins, text, was in steps:
        in_memory, on_table = (
            ledger.begin(text) if begins else ledger.move(text, was=was) for ledger in ledgers
        )
        assert in_memory == on_table


def mark(summaries: Summaries, of: CampaignDay, minutes: int) -> None:
    summaries.mark(of, at=NOW + timedelta(minutes=minutes))


def unmark(summaries: Summaries, of: CampaignDay, marks: int) -> None:
    summaries.unmark(Mark(of, marks, NOW))


def add(summaries: Summaries, of: CampaignDay, version: int) -> str:
    try:
        summaries.add(a_summary(of, version))
    except AlreadyWritten:
        return "written already"
    return "written"


@given(steps=st.lists(st.tuples(st.sampled_from([mark, unmark, add]), DAYS, st.integers(1, 3)), max_size=10))
@settings(max_examples=50, deadline=None)
def test_summaries_in_memory_answer_as_those_of_the_table(a_table, steps):
    stores = InMemorySummaries(), DynamoSummaries(*a_table("SummariesTable"))
    for act, of, number in steps:
        in_memory, on_table = (act(summaries, of, number) for summaries in stores)
        assert in_memory == on_table
    in_memory, on_table = (
        (list(summaries.marks()), [summaries.latest(of) for of in (FIRST_DAY, SECOND_DAY)])
        for summaries in stores
    )
    assert in_memory == on_table
