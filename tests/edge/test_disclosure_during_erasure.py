"""A disclosure and an erasure of one person at once: all that was held, or an answer that says why not."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.callers import Caller, Channel, Role
from chalicelib.data_requests.errors import ErasureUnderWay
from chalicelib.data_requests.schemas import SubmitDataRequest
from chalicelib.data_requests.service import DataRequestService
from chalicelib.data_requests.store import DynamoDataRequests
from chalicelib.notifications.store_history import DynamoSmsHistory
from chalicelib.refusals import TryAgain
from tests.edge.conftest import Edge, assert_problem
from tests.edge.test_data_request_routes import (
    NIK,
    PERSONAL_VALUES,
    REQUEST_ID,
    list_item_kinds,
    register_twice,
    send_request,
    send_sms,
)
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.dynamodb_faults import run_faulty_proxy

ADMIN = Caller("head-office", frozenset({Role.ADMIN}), Channel.OFFICE, frozenset())
DISCLOSURE_ID, ERASURE_ID = REQUEST_ID, f"{REQUEST_ID[:-1]}e"

# The reads of a disclosure, in their order.
READS = [
    ("worker_data", "iter_capture_links"),
    ("worker_data", "list_applications"),
    ("worker_data", "get_capture"),
    ("sms_history", "iter_by_reference"),
    ("reviews", "iter_by_reference"),
    ("requests", "iter_by_subject"),
    ("requests", "begin"),
]


def make_request(request_id: str) -> SubmitDataRequest:
    return SubmitDataRequest.model_validate_json(
        f'{{"request_id": "{request_id}", "nik": "{NIK}", "reason": "worker_request"}}'
    )


def build_service(
    edge: Edge, meanwhile: tuple[str, str] | None = None, act: Any = None
) -> DataRequestService:
    """Return the service of the stage, in which `act` happens right before one of its reads."""
    container = edge.container
    settings, dynamodb = container.settings, container.aws.dynamodb
    parts: dict[str, Any] = {
        "worker_data": container.erasure,
        "sms_history": DynamoSmsHistory(
            dynamodb,
            sms_table=settings.sms_ledger_table,
            sending_table=settings.sending_table,
            new_write_id=lambda: "write-1",
        ),
        "reviews": container.reviews,
        "requests": DynamoDataRequests(dynamodb, settings.requests_table),
    }
    if meanwhile is not None:
        part, method = meanwhile
        parts[part] = with_concurrent_writes(parts[part], method, act)
    return DataRequestService(
        **parts,
        opt_outs=container.opt_outs,
        trail=container.audit,
        hashing=container.hashing,
        clock=container.clock,
    )


@pytest.mark.parametrize("meanwhile", READS, ids=lambda each: str(each[1]))
def test_a_disclosure_in_which_an_erasure_happens_has_all_or_is_refused(
    edge: Edge, gateway: Any, meanwhile: tuple[str, str]
) -> None:
    send_sms(edge, register_twice(edge))

    def erase() -> None:
        build_service(edge).erase(make_request(ERASURE_ID), caller=ADMIN)

    service = build_service(edge, meanwhile, erase)
    try:
        report = service.disclose(make_request(DISCLOSURE_ID), caller=ADMIN)
        found = (len(report.registrations), len(report.captures), len(report.sms_list))
    except TryAgain:
        found = (1, 2, 1)

    assert found == (1, 2, 1)
    after = service.disclose(make_request(f"{REQUEST_ID[:-1]}f"), caller=ADMIN)
    assert (after.registrations, after.captures, after.sms_list) == ([], [], [])


def test_what_an_unfinished_erasure_left_is_not_disclosed(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_twice(edge)
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        proxy.add_fault("DeleteItem", "ThrottlingException", times=2)
        assert_problem(send_request(edge, "erasures", request_id=ERASURE_ID), 503, "try_again")

        refused = send_request(edge, "disclosures")

        assert_problem(refused, 409, "erasure_under_way")
        assert not [value for value in PERSONAL_VALUES if value in refused.body.decode()]
        assert send_request(edge, "erasures", request_id=ERASURE_ID).status_code == 200
        assert send_request(edge, "disclosures").json_body["request"]["outcome"] == "nothing_held"


def test_a_later_erasure_finishes_one_whose_id_was_lost(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    register_twice(edge)
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        proxy.add_fault("DeleteItem", "ThrottlingException", times=2)
        assert_problem(send_request(edge, "erasures", request_id=ERASURE_ID), 503, "try_again")
        send_request(edge, "erasures", request_id=f"{REQUEST_ID[:-1]}f")

        disclosure = send_request(edge, "disclosures").json_body

    assert disclosure["registrations"] == disclosure["captures"] == []
    assert [each["done_at"] is None for each in disclosure["requests"]] == [True, False]


def test_an_erasure_that_a_disclosure_meets_is_not_held_up(edge: Edge) -> None:
    register_twice(edge)
    service = build_service(edge)

    def disclose() -> None:
        with pytest.raises(ErasureUnderWay):
            service.disclose(make_request(DISCLOSURE_ID), caller=ADMIN)

    erasing = build_service(edge, ("worker_data", "erase"), disclose)
    request, is_replay = erasing.erase(make_request(ERASURE_ID), caller=ADMIN)

    assert (request.done_at is not None, is_replay) == (True, False)
    assert list_item_kinds() == {"CAPTURE"}


def test_erasures_at_once_are_all_answered_and_leave_nothing(edge: Edge) -> None:
    register_twice(edge)
    service = build_service(edge)

    def erase(number: int) -> bool:
        request, _ = service.erase(make_request(f"{REQUEST_ID[:-1]}{number}"), caller=ADMIN)
        return request.done_at is not None

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(erase, range(4)))

    assert list_item_kinds() == {"CAPTURE"}
