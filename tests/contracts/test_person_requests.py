"""What any record of requests promises: each begins once and is done once, and is found by its person."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.privacy.dynamodb import DynamoRequests
from chalicelib.privacy.model import Act, PersonRequest
from tests.builders import NOW
from tests.contracts.conftest import Engine

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def requests(engine: Engine) -> DynamoRequests:
    return DynamoRequests(engine.client, engine.table("RequestsTable"))


def a_request(request_id: str = "r-1", **changes: Any) -> PersonRequest:
    usual = PersonRequest(
        request_id=request_id,
        act=Act.ERASURE,
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


def test_a_request_begins_once_and_the_first_one_stands(requests: DynamoRequests) -> None:
    assert requests.begin(a_request()) == a_request()

    assert requests.begin(a_request(asked_at=LATER, registrations=0, fingerprint="other")) == a_request()


def test_a_request_is_done_when_it_was_first_done(requests: DynamoRequests) -> None:
    requests.begin(a_request())

    assert requests.finish(a_request(), at=LATER) == a_request(done_at=LATER)
    assert requests.finish(a_request(), at=LATER + timedelta(days=1)) == a_request(done_at=LATER)
    assert requests.begin(a_request()) == a_request(done_at=LATER)


def test_requests_are_found_by_the_person_they_are_about(requests: DynamoRequests) -> None:
    for request in (
        a_request("r-1"),
        a_request("r-2", act=Act.DISCLOSURE),
        a_request("r-3", subject="other"),
    ):
        requests.begin(request)
    requests.finish(a_request("r-2", act=Act.DISCLOSURE), at=LATER)

    found = {each.request_id: each for each in requests.about("subject")}

    assert found == {
        "r-1": a_request("r-1"),
        "r-2": a_request("r-2", act=Act.DISCLOSURE, done_at=LATER),
    }
