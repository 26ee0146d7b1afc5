"""The search over HTTP: by receipt for managers, by NIK and phone for the core system and admins alone."""

import json
from typing import Any

import pytest

from chalicelib.searches.receipt_codes import make_receipt_code
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.edge.test_audit_trail import list_records
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import (
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)
from tests.support.stream_replay import StreamReplay

SEARCHES = "/v1/searches"
NIK, PHONE = make_nik(7001), make_phone(1)
ODK_ID = "0b8a3c1e-54f2-4d53-9a77-1c5d02ab93ef"
EVERY_KEY = ("reference", make_capture_id(1), make_receipt_code(make_capture_id(1)), NIK, PHONE)


@pytest.fixture
def reference(edge: Edge) -> str:
    """The reference of a worker who is registered and published."""
    stream = StreamReplay(edge)
    reference = register(edge, make_capture_id(1))
    stream.publish()
    return reference


def register(edge: Edge, capture_id: str, *, number: int = 7001, **worker: Any) -> str:
    capture = make_capture_payload(
        capture_id=capture_id, worker={"nik": make_nik(number), "phone": PHONE, **worker}
    )
    response = edge.register(capture)
    reference: str = response.json_body["reference"]
    return reference


def search(edge: Edge, text: str, *, caller: str = "manager here") -> dict[str, Any]:
    response = edge.send("POST", SEARCHES, {"text": text}, caller=caller)
    assert response.status_code == 200, response.body
    found: dict[str, Any] = response.json_body
    return found


def find(edge: Edge, text: str, *, caller: str = "manager here") -> list[str]:
    return [each["reference"] for each in search(edge, text, caller=caller)["registrations"]]


def test_a_manager_finds_a_registration_by_reference_capture_and_receipt(edge: Edge, reference: str) -> None:
    for text, key in (
        (reference.lower().replace("-", ""), "reference"),
        (make_capture_id(1), "capture_id"),
        (make_receipt_code(make_capture_id(1)), "receipt_code"),
    ):
        found = search(edge, text)
        assert found["found_by"] == key
        (shown,) = found["registrations"]
        assert (shown["reference"], shown["worker"]["name"]) == (reference, "M***** K*********")
        assert not found["has_more"]


def test_a_receipt_of_odk_collect_finds_its_registration(edge: Edge) -> None:
    stream = StreamReplay(edge)
    reference = register(edge, ODK_ID)
    stream.publish()

    assert find(edge, "02ab-93ef") == [reference]


def test_a_repeat_has_a_receipt_of_its_own_that_finds_the_registration(edge: Edge, reference: str) -> None:
    stream = StreamReplay(edge)
    register(edge, make_capture_id(2))
    stream.publish()

    assert find(edge, make_receipt_code(make_capture_id(2))) == [reference]


@pytest.mark.parametrize("text", [NIK, PHONE])
def test_a_manager_may_not_try_numbers(edge: Edge, reference: str, text: str) -> None:
    refused = edge.send("POST", SEARCHES, {"text": text}, caller="manager here")
    unknown = {NIK: make_nik(9999), PHONE: make_phone(9999)}[text]

    assert_problem(refused, 403, "search_not_allowed")
    assert refused.body == edge.send("POST", SEARCHES, {"text": unknown}, caller="manager here").body


@pytest.mark.parametrize(("caller", "name"), [("core", "Melati Kusumawati"), ("admin", "M***** K*********")])
@pytest.mark.parametrize("text", [NIK, PHONE])
def test_core_and_admin_find_by_nik_and_phone(
    edge: Edge, reference: str, caller: str, name: str, text: str
) -> None:
    (shown,) = search(edge, text, caller=caller)["registrations"]

    assert (shown["reference"], shown["worker"]["name"]) == (reference, name)


def test_a_nik_finds_every_application_of_the_worker_and_a_phone_every_worker(edge: Edge) -> None:
    stream = StreamReplay(edge)
    first = register(edge, make_capture_id(1))
    edge.send("POST", f"/v1/registrations/{first}/cancellation", {"reason": "worker_request"})
    second, other = register(edge, make_capture_id(2)), register(edge, make_capture_id(3), number=7100)
    stream.publish()

    assert find(edge, NIK, caller="core") == [second, first]
    assert sorted(find(edge, PHONE, caller="core")) == sorted([first, second, other])


def test_a_manager_of_another_campaign_finds_nothing(edge: Edge, reference: str) -> None:
    edge.send("POST", "/v1/campaigns", make_campaign_payload(campaign_id="senen-2024"), caller="manager")
    edge.enrol("stranger", {"client_id": "senen-manager", "roles": ["manager"], "campaigns": ["senen-2024"]})
    edge.enrol("core there", {"client_id": "core-2", "roles": ["core"], "campaigns": ["senen-2024"]})

    for key in EVERY_KEY[:3]:
        text = reference if key == "reference" else key
        assert find(edge, text, caller="stranger") == []
    for text in (NIK, PHONE, reference):
        assert find(edge, text, caller="core there") == []


def test_what_is_not_there_is_an_empty_list_and_an_unclear_text_is_refused(edge: Edge) -> None:
    for text in ("7K4-M2Q-X9F", make_capture_id(9), "K7M2-Q9XP", NIK, PHONE):
        assert search(edge, text, caller="core")["registrations"] == []
    assert_problem(edge.send("POST", SEARCHES, {"text": "Melati"}, caller="core"), 422, "search_unclear")


def test_a_search_changes_nothing_and_leaves_no_number_anywhere(
    edge: Edge, reference: str, log_output: LogOutput
) -> None:
    before = dump_stored_state(without="AuditTable")

    for key in EVERY_KEY:
        search(edge, reference if key == "reference" else key, caller="core")

    assert dump_stored_state(without="AuditTable") == before
    everything = log_output.text + json.dumps(
        [list_stored_items("AuditTable"), list_stored_items("ReviewsTable")], default=repr
    )
    assert not [each for each in (NIK, "82455500001", PHONE, "Melati") if each in everything]


def test_whoever_is_shown_a_registration_is_in_the_trail(edge: Edge, reference: str) -> None:
    find(edge, PHONE, caller="core")

    (record,) = list_records(edge, "subject=campaign_day:tanah-abang-2024/2024-10-09")

    assert (record["client_id"], record["action"], record["references"]) == (
        "membership",
        "listed",
        [reference],
    )


def test_nobody_is_found_after_an_erasure(edge: Edge, reference: str) -> None:
    stream = StreamReplay(edge)
    edge.send("POST", "/v1/erasures", {"request_id": make_capture_id(91), "nik": NIK}, caller="admin")

    for key in EVERY_KEY:
        assert find(edge, reference if key == "reference" else key, caller="core") == []
    stream.publish()
    assert list_stored_items("ReviewsTable") == []
