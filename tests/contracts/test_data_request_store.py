"""The store of data requests, on each engine."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.items import from_item
from chalicelib.data_requests.model import DataRequest, DataRequestType, LoggedErasure
from chalicelib.data_requests.store import DynamoDataRequests, is_erasure_request, parse_logged_erasure
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def requests(engine: Engine) -> DynamoDataRequests:
    return DynamoDataRequests(engine.client, engine.create_table("RequestsTable"))


def make_request(request_id: str = "r-1", **changes: Any) -> DataRequest:
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
        chats=4,
    )
    return replace(usual, **changes)


def test_the_first_request_under_an_id_is_kept(requests: DynamoDataRequests) -> None:
    assert requests.begin(make_request()) == make_request()

    assert (
        requests.begin(make_request(asked_at=LATER, registrations=0, fingerprint="other")) == make_request()
    )


def test_the_time_of_the_first_completion_is_kept(requests: DynamoDataRequests) -> None:
    requests.begin(make_request())

    assert requests.finish(make_request(), occurred_at=LATER) == make_request(done_at=LATER)
    assert requests.finish(make_request(), occurred_at=LATER + timedelta(days=1)) == make_request(
        done_at=LATER
    )
    assert requests.begin(make_request()) == make_request(done_at=LATER)


def test_requests_are_found_by_their_subject(requests: DynamoDataRequests) -> None:
    for request in (
        make_request("r-1"),
        make_request("r-2", act=DataRequestType.DISCLOSURE),
        make_request("r-3", subject="other"),
    ):
        requests.begin(request)
    requests.finish(make_request("r-2", act=DataRequestType.DISCLOSURE), occurred_at=LATER)

    found = {each.request_id: each for each in requests.iter_by_subject("subject")}

    assert found == {
        "r-1": make_request("r-1"),
        "r-2": make_request("r-2", act=DataRequestType.DISCLOSURE, done_at=LATER),
    }


def test_an_erasure_is_logged_once_for_as_long_as_a_backup_may_hold_the_person(
    requests: DynamoDataRequests, engine: Engine
) -> None:
    requests.begin(make_request())
    erasure = LoggedErasure("r-1", "worker-key", NOW)
    requests.log_erasure(erasure)
    requests.log_erasure(LoggedErasure("r-1", "worker-key", LATER))
    requests.finish(make_request(), occurred_at=LATER)

    items = [from_item(item) for item in engine.scan_items()]
    assert [found for each in items if (found := parse_logged_erasure(each))] == [erasure]
    assert [each["step"] for each in items if is_erasure_request(each)] == ["asked"]
    [expires_at] = [each["expires_at"] for each in items if "expires_at" in each]
    assert int(expires_at) == int((NOW + timedelta(days=40)).timestamp())
    # The steps of the request itself are kept.
    assert requests.begin(make_request()) == make_request(done_at=LATER)
    assert [each.request_id for each in requests.iter_by_subject("subject")] == ["r-1"]
