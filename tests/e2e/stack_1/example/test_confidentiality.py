"""Nobody at the example's market is named where operators look: in logs, in queues, in raw tables."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from phonenumbers import Leniency, PhoneNumberMatcher

from ops.local.seeding import DEVICE_CHANNELS
from ops.project import EXAMPLE_DIR
from tests.e2e.stack_1.example.conftest import MarketDay
from tests.support.isolated_campaign import open_market
from tests.support.queue_control import await_message_body, limit_receives, pause_notifications
from tests.support.running_stack import RunningStack
from tests.support.stack_contents import in_the_logs, in_the_queues, in_the_tables

_WORD = re.compile(r"\w+")

pytestmark = pytest.mark.e2e

# What machines make and is no number of anybody's: ids, hashes, moments, and the clock of a metric.
_MACHINES = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?<![0-9A-Za-z])[0-9a-f]{32,64}(?![0-9A-Za-z])"
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d[.,]\d{3}(?:Z|\+0000)?)?"
    r'|"Timestamp": ?\d{13}'
)
_LONG_NUMBER = re.compile(r"\d(?:[\W_]{0,3}\d){7,}")
# Another idea of an e-mail address than ours.
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")


def captures() -> Iterator[dict[str, Any]]:
    for device in DEVICE_CHANNELS:
        for line in (EXAMPLE_DIR / f"{device}.jsonl").read_text().splitlines():
            yield json.loads(line)


class People:
    """Everybody who comes to the example's market, to be recognised however they are written down."""

    def __init__(self) -> None:
        workers = [capture["worker"] for capture in captures()]
        # Of a phone only the last nine digits, which every way of writing it ends with.
        self._numbers = {digits(worker["nik"]) for worker in workers}
        self._numbers |= {digits(worker["phone"])[-9:] for worker in workers}
        self._lengths = {len(number) for number in self._numbers}
        spoken = {worker[field] for worker in workers for field in ("name", "address", "email")} - {None}
        self._spoken = {value: set(_WORD.findall(value)) for value in spoken}

    def are_in(self, text: str) -> bool:
        """Whether a text names any of them, or holds their NIK, phone, address or e-mail address."""
        runs = re.findall(r"\d{8,}", re.sub(r"(?<=\d)[ .()/-]+(?=\d)", "", text))
        if any(number in self._numbers for run in runs for number in self._parts(run)):
            return True
        words = set(_WORD.findall(text))
        return any(own <= words and value in text for value, own in self._spoken.items())

    def _parts(self, run: str) -> Iterator[str]:
        return (run[start : start + length] for start in range(len(run)) for length in self._lengths)


def digits(typed: str) -> str:
    return re.sub(r"\D", "", typed)


def phones_in(text: str) -> list[str]:
    """The phone numbers that somebody else's detector finds, once what machines make is left out."""
    left = _MACHINES.sub("-", text)
    if not _LONG_NUMBER.search(left):
        return []
    return [found.raw_string for found in PhoneNumberMatcher(left, "ID", leniency=Leniency.VALID)]


PLACES = {"logs": in_the_logs, "queues": in_the_queues, "tables": in_the_tables}


@pytest.fixture(scope="module")
def stack_after_market_day(stack: RunningStack, market_day: MarketDay) -> Iterator[RunningStack]:
    """The stack after the market day, with one message still in the queue."""
    assert market_day.sms
    market = open_market(stack)
    # Each look is a receive: looked at too often, the message would be given up.
    with limit_receives(stack, max_receives=1000, visibility_seconds=60):
        with pause_notifications(stack):
            reference = market.register(market.make_capture_payload()).json()["reference"]
            await_message_body(stack, reference)
            yield stack
        market.await_sms(reference)


@contextmanager
def planted(stack: RunningStack, value: str) -> Iterator[None]:
    """Meanwhile a value stands where it must not be, in each place."""
    outputs, logs = stack.description.outputs, stack.aws_client("logs")
    own_stream = {"logGroupName": "/aws/lambda/daftar-local-APIHandler", "logStreamName": "planted"}
    now = int(datetime.now(UTC).timestamp() * 1000)
    table = {"TableName": outputs["SmsLedgerTableName"]}
    key = {"sms_id": {"S": "planted"}}
    stack.aws_client("dynamodb").put_item(**table, Item={**key, "note": {"M": {"of": {"B": value.encode()}}}})
    stack.aws_client("sqs").send_message(
        QueueUrl=outputs["StreamFailuresUrl"], MessageBody=f"failed: {value}"
    )
    logs.create_log_stream(**own_stream)
    logs.put_log_events(**own_stream, logEvents=[{"timestamp": now, "message": f'{{"of": "{value}"}}'}])
    try:
        yield
    finally:
        stack.aws_client("dynamodb").delete_item(**table, Key=key)
        stack.aws_client("sqs").purge_queue(QueueUrl=outputs["StreamFailuresUrl"])
        logs.delete_log_stream(**own_stream)


@pytest.mark.parametrize("place", PLACES)
def test_no_worker_is_named(stack_after_market_day: RunningStack, place: Any) -> None:
    people = People()
    seen = list(PLACES[place](stack_after_market_day))

    assert seen, f"there was nothing to read in the {place}"
    assert not [text for text in seen if people.are_in(text)]
    # Detectors that are not ours, and know nothing of who was at the market.
    assert not [(text, found) for text in seen if (found := phones_in(text))]
    assert not [text for text in seen if place != "tables" and _ADDRESS.search(text)]


@pytest.mark.parametrize("field", ["nik", "phone", "name", "address", "email"])
def test_the_search_finds_a_planted_name(stack_after_market_day: RunningStack, field: str) -> None:
    people = People()
    somebody = next(each["worker"] for each in captures() if each["worker"][field])

    with planted(stack_after_market_day, somebody[field]):
        found = {
            place for place, read in PLACES.items() if any(map(people.are_in, read(stack_after_market_day)))
        }

    assert found == PLACES.keys()


def test_the_other_detectors_find_unknown_people(stack_after_market_day: RunningStack) -> None:
    with planted(stack_after_market_day, "0812-3456-7890 or stranger@pasar.example"):
        phoned = {
            place for place, read in PLACES.items() if any(map(phones_in, read(stack_after_market_day)))
        }
        mailed = {
            place for place, read in PLACES.items() if any(map(_ADDRESS.search, read(stack_after_market_day)))
        }

    assert phoned == mailed == PLACES.keys()


@pytest.mark.parametrize(
    "written",
    ["081234567890", "+62 812-3456-7890", "62812 3456 7890", "(0812) 3456 7890", '{"to":"+6281234567890"}'],
)
def test_the_other_detector_knows_phones_however_they_are_written(written: str) -> None:
    assert phones_in(f"2026-11-22 09:54:50,123+0000 {written} 123e4567-e89b-12d3-a456-426614174000")


def test_the_search_knows_every_worker_in_every_spelling() -> None:
    people = People()

    for worker in (capture["worker"] for capture in captures()):
        assert people.are_in(f'{{"nik": "{worker["nik"]}"}}')
        assert people.are_in(f"+62{digits(worker['phone'])[-11:]} was told")
        assert people.are_in(f"phone={worker['phone']}")
        assert people.are_in(f"the data of {worker['name']}, thank you")
