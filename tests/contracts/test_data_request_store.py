"""What any record of requests promises: each begins once and is done once, and is found by its person."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.data_requests.model import DataRequest, DataRequestType
from chalicelib.data_requests.store import DynamoDataRequests
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def requests(engine: Engine) -> DynamoDataRequests:
    return DynamoDataRequests(engine.client, engine.create_table("RequestsTable"))


def a_request(request_id: str = "r-1", **changes: Any) -> DataRequest:
    usual = DataRequest(
        request_id=request_id,
        act=DataRequestType.ERASURE,
        subject="subject",
        fingerprint="fingerprint",
        reason="worker_request",
        client_id="head-office",
        asked_at=NOW,
        registrations=1,
        captures=2,
        texts=3,
    )
    return replace(usual, **changes)


def test_a_request_begins_once_and_the_first_one_stands(requests: DynamoDataRequests) -> None:
    assert requests.begin(a_request()) == a_request()

    assert requests.begin(a_request(asked_at=LATER, registrations=0, fingerprint="other")) == a_request()


def test_a_request_is_done_when_it_was_first_done(requests: DynamoDataRequests) -> None:
    requests.begin(a_request())

    assert requests.finish(a_request(), occurred_at=LATER) == a_request(done_at=LATER)
    assert requests.finish(a_request(), occurred_at=LATER + timedelta(days=1)) == a_request(done_at=LATER)
    assert requests.begin(a_request()) == a_request(done_at=LATER)


def test_requests_are_found_by_the_person_they_are_about(requests: DynamoDataRequests) -> None:
    for request in (
        a_request("r-1"),
        a_request("r-2", act=DataRequestType.DISCLOSURE),
        a_request("r-3", subject="other"),
    ):
        requests.begin(request)
    requests.finish(a_request("r-2", act=DataRequestType.DISCLOSURE), occurred_at=LATER)

    found = {each.request_id: each for each in requests.iter_by_subject("subject")}

    assert found == {
        "r-1": a_request("r-1"),
        "r-2": a_request("r-2", act=DataRequestType.DISCLOSURE, done_at=LATER),
    }
