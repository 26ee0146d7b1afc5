"""Requests that a lenient parser would take for something that their sender did not mean."""

import json
from typing import Any

import pytest

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import (
    encode_payload,
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
)

MARK = "Melati-Tidak-Boleh-Tampak"

LAX_CAPTURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a birth date of 0": ({"worker": {"birth_date": "0"}}, "worker.birth_date", "value_malformed"),
    "a birth date of +0": ({"worker": {"birth_date": "+0"}}, "worker.birth_date", "value_malformed"),
    "a birth date in seconds": ({"worker": {"birth_date": -86400}}, "worker.birth_date", "value_wrong_type"),
    "seconds in a text": ({"worker": {"birth_date": "482112000"}}, "worker.birth_date", "value_malformed"),
    "months that are a truth": ({"coverage": {"months": True}}, "coverage.months", "value_not_allowed"),
    "months with a fraction": ({"coverage": {"months": 3.0}}, "coverage.months", "value_not_allowed"),
    "a time in seconds": ({"captured_at": "1728447120"}, "captured_at", "value_malformed"),
    "a time without seconds": ({"captured_at": "2024-10-09T11:12+07:00"}, "captured_at", "value_malformed"),
    "a time with a space": ({"captured_at": "2024-10-09 11:12:00+07:00"}, "captured_at", "value_malformed"),
    "an offset of four digits": (
        {"captured_at": "2024-10-09T11:12:00+0700"},
        "captured_at",
        "value_malformed",
    ),
    "an id without hyphens": (
        {"capture_id": make_capture_id(1).replace("-", "")},
        "capture_id",
        "value_malformed",
    ),
    "an id as a URN": ({"capture_id": f"urn:uuid:{make_capture_id(1)}"}, "capture_id", "value_malformed"),
    "an id in braces": ({"capture_id": f"{{{make_capture_id(1)}}}"}, "capture_id", "value_malformed"),
    "consent in seconds": ({"consent": {"given_at": "1728447120"}}, "consent.given_at", "value_malformed"),
}


def insert_twice(text: str, old: str, new: str) -> bytes:
    assert old in text
    return text.replace(old, new, 1).encode()


def make_capture_with_two_officers() -> str:
    text = json.dumps(make_capture_payload())
    return insert_twice(text, '"officer": "ofc-12"', '"officer": "ofc-11", "officer": "ofc-13"').decode()


@pytest.mark.parametrize("what", LAX_CAPTURES)
def test_a_capture_with_a_value_in_another_form_is_refused_alone_and_in_a_batch(
    edge: Edge, what: str
) -> None:
    changes, field, code = LAX_CAPTURES[what]
    before = dump_stored_state()
    capture = make_capture_payload(**changes)

    alone = assert_problem(edge.register(capture), 422, "body_invalid")
    batch = edge.send("POST", "/v1/registrations/batch", {"items": [capture]})

    assert [(each["field"], each["code"]) for each in alone["errors"]] == [(field, code)]
    assert batch.json_body["results"][0]["problem"] == alone
    assert dump_stored_state() == before


def test_a_key_sent_twice_is_refused_by_its_path(edge: Edge) -> None:
    before = dump_stored_state()

    problem = assert_problem(edge.register(make_capture_with_two_officers().encode()), 422, "body_invalid")

    assert [(each["field"], each["code"]) for each in problem["errors"]] == [("officer", "field_repeated")]
    assert dump_stored_state() == before


def test_a_key_sent_twice_inside_is_refused_and_its_name_is_not_repeated(
    edge: Edge, log_output: LogOutput
) -> None:
    text = json.dumps(make_capture_payload())
    body = insert_twice(text, '"nik":', f'"{MARK}": 1, "{MARK}": 2, "nik": "1", "nik":')

    response = edge.register(body)

    fields = {each["field"] for each in assert_problem(response, 422, "body_invalid")["errors"]}
    assert fields == {"worker.nik", "worker.?"}
    assert MARK not in response.body.decode() + log_output.text


def test_an_item_of_a_batch_with_a_key_twice_fails_alone(edge: Edge) -> None:
    good = json.dumps(make_capture_payload())
    body = f'{{"items": [{make_capture_with_two_officers()}, {good}]}}'.encode()

    bad, taken = edge.send("POST", "/v1/registrations/batch", body).json_body["results"]

    assert bad["problem"]["errors"][0]["field"] == "officer"
    assert bad["problem"]["errors"][0]["code"] == "field_repeated"
    assert taken["outcome"] == "created"


def test_a_batch_that_has_its_items_twice_is_refused(edge: Edge) -> None:
    body = f'{{"items": [], "items": [{json.dumps(make_capture_payload())}]}}'.encode()

    problem = assert_problem(edge.send("POST", "/v1/registrations/batch", body), 422, "body_invalid")

    assert problem["errors"][0]["field"] == "items"


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("campaign_id=tanah-abang-2024&day=0", "day", "value_malformed"),
        ("campaign_id=tanah-abang-2024&day=20241009", "day", "value_malformed"),
        ("campaign_id=tanah-abang-2024&day=2024-10-09&size=+5", "size", "value_malformed"),
        ("campaign_id=tanah-abang-2024&day=2024-10-09&size=5.0", "size", "value_malformed"),
        ("campaign_id=tanah-abang-2024&day=2024-10-09&size=05", "size", "value_malformed"),
        ("campaign_id=tanah-abang-2024&day=2024-10-09&day=2024-10-10", "day", "field_repeated"),
        ("campaign_id=tanah-abang-2024&day=2024-10-09&day=2024-10-09", "day", "field_repeated"),
    ],
)
def test_a_query_in_another_form_or_with_a_parameter_twice_is_refused(
    edge: Edge, query: str, field: str, code: str
) -> None:
    path = "/v1/registrations?" + query.replace("+", "%2B")

    problem = assert_problem(edge.send("GET", path, caller="manager"), 422, "body_invalid")

    assert [(each["field"], each["code"]) for each in problem["errors"]] == [(field, code)]


def test_an_occupation_twice_is_refused_by_its_position(edge: Edge) -> None:
    answer = edge.register(make_capture_payload(work={"occupations": ["porter", "porter"]}))

    problem = assert_problem(answer, 422, "rules_broken")
    assert [(each["field"], each["code"]) for each in problem["errors"]] == [
        ("work.occupations.1", "value_repeated")
    ]


@pytest.mark.parametrize("field", ["roles", "campaigns"])
def test_a_client_with_a_role_or_a_campaign_twice_is_refused(edge: Edge, field: str) -> None:
    body = {"client_id": "van-77", "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"]}
    body[field] = [*body[field], *body[field]]

    problem = assert_problem(edge.send("POST", "/v1/clients", body, caller="admin"), 422, "body_invalid")

    assert [(each["field"], each["code"]) for each in problem["errors"]] == [(field, "value_repeated")]


def test_a_manager_who_is_in_the_list_twice_is_refused_however_he_is_written(edge: Edge) -> None:
    managers = [
        {"name": "Kepala Cabang", "email": "kepala@cabang.example"},
        {"name": "Lain", "email": "kepala@cabang.example"},
        {"name": " Kepala Cabang\u200b", "email": "kepala@cabang.example", "phone": None},
    ]
    body = make_campaign_payload(campaign_id="senen-2024", managers=managers)
    created = edge.send("POST", "/v1/campaigns", body, caller="manager")
    changed = edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", {"managers": managers}, caller="manager")

    for answer in (created, changed):
        problem = assert_problem(answer, 422, "rules_broken")
        assert [(each["field"], each["code"]) for each in problem["errors"]] == [
            ("managers.2", "value_repeated")
        ]


def test_an_id_in_capitals_is_the_same_id(edge: Edge) -> None:
    first = edge.register(make_capture_payload())
    again = edge.register(make_capture_payload(capture_id=make_capture_payload()["capture_id"].upper()))

    assert (again.status_code, again.body) == (first.status_code, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_campaign_whose_day_is_a_number_in_a_text_is_refused(edge: Edge) -> None:
    body = encode_payload(make_campaign_payload(campaign_id="senen-2024", first_day="1728432000"))

    problem = assert_problem(edge.send("POST", "/v1/campaigns", body, caller="manager"), 422, "body_invalid")

    assert [(each["field"], each["code"]) for each in problem["errors"]] == [("first_day", "value_malformed")]
