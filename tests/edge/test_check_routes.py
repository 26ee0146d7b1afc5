"""Checks of single fields over HTTP."""

from typing import Any

import pytest
from chalice.test import HTTPResponse

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import make_capture_payload, make_nik

PATH = "/v1/checks"


def check(edge: Edge, fields: Any, **options: Any) -> HTTPResponse:
    return edge.send("POST", PATH, fields, **options)


@pytest.mark.parametrize("caller", ["kiosk", "bot", "manager", "core", "admin"])
def test_every_role_gets_the_errors_and_warnings_of_fields(edge: Edge, caller: str) -> None:
    fields = {"nik": make_nik(), "birth_date": "1985-04-21", "phone": "021-555-0101"}

    response = check(edge, fields, caller=caller, Accept_Language="en")

    assert response.status_code == 200
    assert response.json_body == {
        "errors": [
            {"field": "phone", "code": "phone_not_mobile", "message": "This is not a mobile number."},
        ],
        "warnings": [
            {
                "field": "birth_date",
                "code": "birth_date_differs_from_nik",
                "message": "The birth date is not the one in the NIK. Look at the identity card again.",
            }
        ],
    }


def test_the_errors_of_a_whole_registration_are_those_of_intake(edge: Edge) -> None:
    capture = make_capture_payload(worker={"nik": "1", "name": "7"}, work={"occupations": ["astronaut"]})

    errors = check(edge, capture).json_body["errors"]

    assert errors == assert_problem(edge.register(capture), 422, "rules_broken")["errors"]


@pytest.mark.parametrize("caller", ["kiosk", "bot"])
def test_a_known_worker_gets_the_answer_of_a_new_one(edge: Edge, caller: str) -> None:
    capture = make_capture_payload()
    before = check(edge, capture, caller=caller)
    edge.register(capture)

    after = check(edge, capture, caller=caller)

    assert after.body == before.body == b'{"errors":[],"warnings":[]}'


def test_nothing_is_stored_or_logged(edge: Edge, log_output: LogOutput) -> None:
    before = dump_stored_state()

    check(edge, make_capture_payload(worker={"name": "7"}))

    assert dump_stored_state() == before
    (line,) = log_output.lines
    assert (line["message"], line["route"], line["status"]) == ("request answered", PATH, 200)
    assert "fields" not in line
    assert make_nik() not in log_output.text


def test_the_days_of_another_campaign_are_not_checked(edge: Edge) -> None:
    for campaign_id in ("senen-2024", "never-opened"):
        response = check(edge, {"campaign_id": campaign_id})
        assert_problem(response, 403, "campaign_not_yours")
    assert_problem(check(edge, {"campaign_id": "never-opened"}, caller="manager"), 404, "campaign_unknown")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "json_malformed"),
        (b'{"name": "\\ud83d"}', 400, "json_malformed"),
        (b'{"nik": ' + b"[" * 999 + b"]" * 999 + b"}", 400, "json_malformed"),
        (b"[]", 422, "body_invalid"),
        (b"null", 422, "body_invalid"),
    ],
    ids=["not JSON", "half an emoji", "deep", "a list", "null"],
)
def test_a_body_that_is_no_object_is_refused(edge: Edge, body: bytes, status: int, code: str) -> None:
    assert_problem(check(edge, body), status, code)


def test_a_deep_value_is_never_passed(edge: Edge) -> None:
    for depth in range(190, 210):
        response = check(edge, b'{"nik": ' + b"[" * depth + b"]" * depth + b"}")
        assert response.status_code == 400 or response.json_body["errors"], depth


def test_an_unknown_name_is_an_error_and_is_not_repeated(edge: Edge) -> None:
    response = check(edge, {"Siti Aminah": 1})
    assert [each["code"] for each in response.json_body["errors"]] == ["field_unknown"]
    assert b"Siti" not in response.body
