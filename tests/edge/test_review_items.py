"""Review items over HTTP: what the stream and the counts find, for the managers of the campaign alone."""

import json
from typing import Any

import pytest

from tests.edge.conftest import Edge, LogOutput, assert_problem
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

CAMPAIGN = "/v1/campaigns/tanah-abang-2024"
ITEMS = f"{CAMPAIGN}/review-items"
NOTE = "Sudah ditelepon: adik kakak, Sdri. Melati."


@pytest.fixture
def stream(edge: Edge) -> StreamReplay:
    return StreamReplay(edge)


def register(edge: Edge, number: int, *, caller: str = "kiosk", **worker: Any) -> str:
    """Register one more worker. Return the reference."""
    capture = make_capture_payload(
        capture_id=make_capture_id(number),
        worker={"nik": make_nik(7000 + number), "phone": make_phone(7000 + number), **worker},
    )
    response = edge.register(capture, caller=caller)
    assert response.status_code in {200, 201}, response.body
    reference: str = response.json_body["reference"]
    return reference


def list_items(
    edge: Edge, query: str = "", *, path: str = ITEMS, caller: str = "manager"
) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = edge.send("GET", f"{path}{query}", caller=caller).json_body["items"]
    return items


def get_kinds(edge: Edge) -> list[str]:
    return sorted(each["kind"] for each in list_items(edge))


def test_two_niks_of_one_name_birth_date_and_phone_are_one_item(edge: Edge, stream: StreamReplay) -> None:
    person = {"name": "Melati Kusumawati", "phone": make_phone(1)}
    first = register(edge, 1, **person)
    second = register(edge, 2, **{**person, "name": "MELATI  KUSUMAWATI"})
    register(edge, 3, name="Melati Kusumawati", phone=make_phone(3))
    register(edge, 4, name="Cempaka Kusumawati", phone=make_phone(1))

    stream.publish(times=2)

    (item,) = list_items(edge)
    assert (item["kind"], item["state"], item["day"]) == ("second_nik", "open", "2024-10-09")
    assert item["references"] == sorted([first, second])
    assert item["figures"] == {"workers": 2}


def test_a_worker_who_registers_again_is_no_second_person(edge: Edge, stream: StreamReplay) -> None:
    reference = register(edge, 1)
    stream.publish()
    edge.send("POST", f"/v1/registrations/{reference}/cancellation", {"reason": "worker_request"})
    again = make_capture_payload(
        capture_id=make_capture_id(2), worker={"nik": make_nik(7001), "phone": make_phone(7001)}
    )
    assert edge.register(again).json_body["outcome"] == "reactivated"

    stream.publish()

    assert get_kinds(edge) == []


def test_a_cancelled_typing_mistake_and_the_right_nik_are_no_second_person(
    edge: Edge, stream: StreamReplay
) -> None:
    mistake = register(edge, 1, phone=make_phone(1))
    stream.publish()
    edge.send("POST", f"/v1/registrations/{mistake}/cancellation", {"reason": "captured_by_mistake"})
    stream.publish()
    register(edge, 2, phone=make_phone(1))

    stream.publish()

    assert get_kinds(edge) == []


@pytest.mark.usefixtures("low_phone_cap")
def test_an_overused_phone_is_one_item_that_grows_and_opens_again(edge: Edge) -> None:
    stream = StreamReplay(edge)
    names = iter(["Melati", "Cempaka", "Kenanga", "Mawar"])
    shared = {"phone": make_phone(1)}
    references = [register(edge, number, name=next(names), **shared) for number in (1, 2)]
    stream.publish()
    (item,) = list_items(edge)
    assert (item["kind"], item["references"]) == ("phone_overused", references[1:])
    edge.send("PATCH", f"{ITEMS}/{item['item_id']}", {"state": "acted_on"}, caller="manager")

    references.append(register(edge, 3, name=next(names), **shared))
    stream.publish(times=2)

    (item,) = list_items(edge)
    assert item["references"] == sorted(references[1:])


def test_a_repeat_that_differs_and_an_unusual_payment_are_items_of_the_registration(
    edge: Edge, stream: StreamReplay
) -> None:
    reference = register(edge, 1)
    stream.publish()
    capture = make_capture_payload(
        capture_id=make_capture_id(2), worker={"nik": make_nik(7001), "name": "Orang Lain"}
    )
    edge.register(capture)
    payment = {"payment_id": "p-1", "amount": 9, "months": 3, "paid_at": "2024-10-10T09:00:00+07:00"}
    edge.send("POST", f"/v1/registrations/{reference}/payments", payment, caller="core")

    stream.publish(times=2)

    assert get_kinds(edge) == ["payment_differs", "repeat_differs"]
    assert {tuple(each["references"]) for each in list_items(edge)} == {(reference,)}


def test_an_anomaly_of_a_day_is_an_item_when_the_day_is_counted(edge: Edge) -> None:
    for number in range(1, 6):
        register(edge, number)

    for _ in range(2):
        edge.send("POST", f"{CAMPAIGN}/summaries/2024-10-09", caller="manager")

    (item,) = list_items(edge)
    assert (item["kind"], item["client_id"], item["day"]) == ("neighbouring_serials", "van-1", "2024-10-09")
    assert item["figures"] == {"workers": 5}


def test_a_device_over_its_cap_is_one_item_a_day(edge: Edge) -> None:
    edge.enrol("small", {"client_id": "van-2", "roles": ["kiosk"], "daily_flag": 1, "daily_cap": 9})
    stream = StreamReplay(edge)
    for number in (1, 3, 5):
        register(edge, 10 * number, caller="small")

    stream.publish()

    (item,) = list_items(edge)
    assert (item["kind"], item["client_id"]) == ("client_over_cap", "van-2")


def test_an_item_goes_from_state_to_state_with_a_note_and_a_record(
    edge: Edge, stream: StreamReplay, log_output: LogOutput
) -> None:
    item_id = make_item(edge, stream)

    looked_at = edge.send(
        "PATCH", f"{ITEMS}/{item_id}", {"state": "looked_at", "note": NOTE}, caller="manager"
    )
    again = edge.send(
        "PATCH", f"{ITEMS}/{item_id}", {"state": "looked_at", "note": NOTE}, caller="manager here"
    )
    acted_on = edge.send("PATCH", f"{ITEMS}/{item_id}", {"state": "acted_on"}, caller="manager here")

    assert looked_at.json_body == again.json_body
    assert looked_at.json_body["changed_by"] == "branch-office"
    assert (acted_on.json_body["note"], acted_on.json_body["changed_by"]) == (NOTE, "van-manager")
    assert list_items(edge) == list_items(edge, "?state=looked_at") == []
    assert list_items(edge, "?state=acted_on") == [acted_on.json_body]
    records = list_records(edge, f"subject=review_item:{item_id}")
    assert [(each["client_id"], each["fields"]) for each in records] == [
        ("branch-office", ["note", "state"]),
        ("van-manager", ["state"]),
    ]
    assert "Melati" not in json.dumps([*list_stored_items("ReviewsTable"), *records], default=repr)
    assert "Melati" not in log_output.text


def test_the_manager_of_another_campaign_finds_no_item(edge: Edge, stream: StreamReplay) -> None:
    item_id = make_item(edge, stream)
    edge.enrol("stranger", {"client_id": "senen-manager", "roles": ["manager"], "campaigns": ["senen-2024"]})
    edge.send("POST", "/v1/campaigns", make_campaign_payload(campaign_id="senen-2024"), caller="manager")
    change = {"state": "looked_at"}

    for path in (ITEMS, f"{ITEMS}?state=acted_on"):
        assert_problem(edge.send("GET", path, caller="stranger"), 403, "campaign_not_yours")
    refused = edge.send("PATCH", f"{ITEMS}/{item_id}", change, caller="stranger")
    assert_problem(refused, 403, "campaign_not_yours")
    by_guess = edge.send(
        "PATCH", f"/v1/campaigns/senen-2024/review-items/{item_id}", change, caller="stranger"
    )
    assert_problem(by_guess, 404, "review_item_unknown")
    assert list_items(edge, path="/v1/campaigns/senen-2024/review-items", caller="stranger") == []


@pytest.mark.parametrize(
    ("note", "code"),
    [("dua\nbaris", "text_characters"), (" \u200b ", "text_blank")],
)
def test_a_note_is_one_line_of_text(edge: Edge, stream: StreamReplay, note: str, code: str) -> None:
    item_id = make_item(edge, stream)
    body = {"state": "looked_at", "note": note}

    problem = edge.send("PATCH", f"{ITEMS}/{item_id}", body, caller="manager").json_body

    assert problem["errors"][0]["code"] == code


def test_an_erasure_takes_the_items_of_the_person_and_leaves_those_of_others(
    edge: Edge, stream: StreamReplay
) -> None:
    person = {"phone": make_phone(1)}
    mine, other = register(edge, 1, **person), register(edge, 2, **person)
    stream.publish()
    (item,) = list_items(edge)
    edge.send("PATCH", f"{ITEMS}/{item['item_id']}", {"state": "looked_at", "note": NOTE}, caller="manager")
    request = {"request_id": make_capture_id(90), "nik": make_nik(7001)}
    disclosed = edge.send("POST", "/v1/disclosures", request, caller="admin").json_body

    erasure = {**request, "request_id": make_capture_id(91)}
    edge.send("POST", "/v1/erasures", erasure, caller="admin")

    (shown,) = disclosed["review_items"]
    assert (shown["kind"], shown["note"], shown["references"]) == ("second_nik", NOTE, [mine])
    (left,) = list_items(edge, "?state=looked_at")
    assert (left["references"], "note" in left) == ([other], False)
    stream.publish()
    assert mine not in json.dumps(list_stored_items("ReviewsTable"), default=repr)


def test_an_erasure_leaves_no_item_and_no_lookup_of_a_registration(edge: Edge, stream: StreamReplay) -> None:
    make_item(edge, stream)
    assert list_stored_items("ReviewsTable")

    edge.send(
        "POST", "/v1/erasures", {"request_id": make_capture_id(91), "nik": make_nik(7001)}, caller="admin"
    )
    assert list_items(edge) == []
    stream.publish()

    assert list_stored_items("ReviewsTable") == []


def test_what_a_manager_was_shown_is_in_the_trail_of_the_registration(
    edge: Edge, stream: StreamReplay
) -> None:
    make_item(edge, stream)
    list_items(edge, caller="manager here")
    request = {"request_id": make_capture_id(90), "nik": make_nik(7001)}

    trail = edge.send("POST", "/v1/disclosures", request, caller="admin").json_body["trail"]

    assert ("van-manager", "listed") in {(each["client_id"], each["action"]) for each in trail}


def make_item(edge: Edge, stream: StreamReplay) -> str:
    """Return the id of the item of a registration that was captured again with another name."""
    register(edge, 1)
    stream.publish()
    capture = make_capture_payload(
        capture_id=make_capture_id(2), worker={"nik": make_nik(7001), "name": "Orang Lain"}
    )
    edge.register(capture)
    stream.publish()
    (item,) = list_items(edge)
    item_id: str = item["item_id"]
    return item_id
