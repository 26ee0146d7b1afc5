"""A worker's own phone: a link or a poster, one registration, the public's answer, and the state in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import HTTPResponse

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import make_capture_id, make_capture_payload, make_expiry_day, make_nik

CODES = "/v1/clients/web-tanah-abang/enrolment-codes"
PHONE_ID = "01926f3e-7c00-4000-8000-00000000000"


@pytest.fixture(autouse=True)
def _web_client(edge: Edge) -> None:
    edge.enrol("web", {"client_id": "web-tanah-abang", "roles": ["bot"], "channel": "web"})


def make_link(edge: Edge, **body: Any) -> str:
    response = edge.send("POST", CODES, body, caller="manager here")
    assert response.status_code == 201, response.body
    code: str = response.json_body["code"]
    assert response.json_body["url"].endswith(f"/app#self={code}")
    return code


def open_link(edge: Edge, code: str, phone: int = 1) -> HTTPResponse:
    """Open a link on a phone; keep the token as that of the caller `phone <number>`."""
    body = {"code": code, "enrolment_id": f"{PHONE_ID}{phone}"}
    response = edge.send("POST", "/v1/enrolments", body, caller=None)
    if response.status_code == 201:
        edge.tokens[f"phone {phone}"] = response.json_body["token"]
    return response


def make_capture(number: int, **worker: Any) -> dict[str, Any]:
    own = {"nik": make_nik(number), "phone": f"0824-5551-{number:04}", **worker}
    return make_capture_payload(capture_id=make_capture_id(number), officer=None, worker=own)


def test_a_phone_registers_its_worker_and_gets_the_answer_of_the_public(edge: Edge) -> None:
    opened = open_link(edge, make_link(edge))
    assert (opened.json_body["mode"], opened.json_body["channel"]) == ("self", "web")
    ends_at = datetime.fromisoformat(opened.json_body["expires_at"])
    assert timedelta(hours=23) < ends_at - datetime.now(UTC) <= timedelta(days=1)
    bundle = edge.send("GET", "/v1/campaigns/tanah-abang-2024/bundle", caller="phone 1")
    assert bundle.status_code == 200

    registered = edge.register(make_capture(1), caller="phone 1")

    assert registered.status_code == 202
    assert set(registered.json_body) == {"capture_id", "outcome", "quote"}
    shown = edge.send("GET", f"/v1/captures/{make_capture_id(1)}", caller="manager").json_body
    assert shown["registration"]["channel"] == "web"
    assert shown["registration"]["history"][0]["client_id"] == "web-tanah-abang"


def test_a_phone_registers_one_worker_by_a_link(edge: Edge) -> None:
    open_link(edge, make_link(edge))
    first = edge.register(make_capture(1), caller="phone 1")
    before = dump_stored_state()

    assert_problem(edge.register(make_capture(2), caller="phone 1"), 409, "link_used")

    assert dump_stored_state() == before
    again = edge.register(make_capture(1), caller="phone 1")
    assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")


def test_a_known_worker_takes_up_a_link_like_a_new_one(edge: Edge) -> None:
    edge.register(make_capture(1))
    open_link(edge, make_link(edge))
    known = make_capture_payload(
        capture_id=make_capture_id(9), officer=None, worker=make_capture(1)["worker"]
    )
    assert edge.register(known, caller="phone 1").status_code == 202
    assert_problem(edge.register(make_capture(2), caller="phone 1"), 409, "link_used")


def test_a_refused_capture_may_be_mended_or_begun_anew(edge: Edge) -> None:
    open_link(edge, make_link(edge))
    assert edge.register(make_capture(1, nik="1"), caller="phone 1").status_code == 422
    assert edge.register(make_capture(2, nik="1"), caller="phone 1").status_code == 422
    assert edge.register(make_capture(2), caller="phone 1").status_code == 202


def test_a_link_is_for_one_phone_and_a_poster_for_many(edge: Edge) -> None:
    link, poster = make_link(edge), make_link(edge, reusable=True)
    assert open_link(edge, link, phone=1).status_code == 201
    assert open_link(edge, link, phone=1).status_code == 201
    assert_problem(open_link(edge, link, phone=2), 404, "enrolment_code_unknown")
    for phone in (3, 4):
        assert open_link(edge, poster, phone).status_code == 201
        assert edge.register(make_capture(phone), caller=f"phone {phone}").status_code == 202
        assert_problem(edge.register(make_capture(10 + phone), caller=f"phone {phone}"), 409, "link_used")


def test_opening_a_poster_again_on_a_phone_gives_no_second_registration(edge: Edge) -> None:
    poster = make_link(edge, reusable=True)
    open_link(edge, poster)
    edge.register(make_capture(1), caller="phone 1")
    open_link(edge, poster)
    assert_problem(edge.register(make_capture(2), caller="phone 1"), 409, "link_used")


def test_a_phone_may_not_send_batches_or_renew_its_token(edge: Edge) -> None:
    open_link(edge, make_link(edge))
    batch = edge.send("POST", "/v1/registrations/batch", {"items": [make_capture(1)]}, caller="phone 1")
    assert_problem(batch, 403, "role_not_allowed")
    assert_problem(edge.send("POST", "/v1/device/token", caller="phone 1"), 409, "renewals_ended")


def test_the_tokens_of_phones_end_with_their_client(edge: Edge) -> None:
    poster = make_link(edge, reusable=True)
    open_link(edge, poster)
    edge.send("DELETE", "/v1/clients/web-tanah-abang", caller="admin")
    assert_problem(edge.register(make_capture(1), caller="phone 1"), 401, "token_revoked")
    assert_problem(open_link(edge, poster, phone=2), 404, "enrolment_code_unknown")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"expires_at": "2024-01-01T00:00:00Z"}, "expires_in_past"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "expires_too_late"),
        ({"mode": "kiosk"}, "value_not_allowed"),
    ],
)
def test_a_link_has_bounds(edge: Edge, body: dict[str, str], code: str) -> None:
    response = edge.send("POST", CODES, body, caller="admin")
    assert [each["code"] for each in response.json_body["errors"]] == [code]


@pytest.mark.parametrize("body", [{"reusable": True}, {"expires_at": "2999-01-01T00:00:00Z"}])
def test_the_code_of_a_device_is_no_link(edge: Edge, body: dict[str, Any]) -> None:
    response = edge.send("POST", "/v1/clients/van-1/enrolment-codes", body, caller="admin")
    assert_problem(response, 422, "rules_broken")


def test_the_code_of_a_link_is_stored_as_a_hash_and_is_in_no_log(edge: Edge, log_output: LogOutput) -> None:
    code = make_link(edge)
    open_link(edge, code)
    assert code not in dump_stored_state()
    assert code not in log_output.text


def ask_for_status(edge: Edge, reference: str, phone: str, **headers: str) -> HTTPResponse:
    return edge.send("POST", "/v1/statuses", {"reference": reference, "phone": phone}, caller=None, **headers)


def test_a_worker_is_told_the_state_in_words(edge: Edge) -> None:
    reference = edge.register(make_capture(1)).json_body["reference"]

    received = ask_for_status(edge, reference.lower(), "+62 824 5551 0001").json_body
    assert (received["state"], received["active_until"]) == ("received", None)
    assert "belum terlindungi" in received["text"]
    assert (
        "not protected"
        in ask_for_status(edge, reference, "082455510001", Accept_Language="en").json_body["text"]
    )
    payment_code = {"code": "EPS-1234", "amount": 98_400, "expires_on": make_expiry_day()}
    edge.send("PUT", f"/v1/registrations/{reference}/payment-code", payment_code, caller="core")
    assert ask_for_status(edge, reference, "082455510001").json_body["state"] == "awaiting_payment"


def test_whatever_does_not_match_gets_the_same_bytes(edge: Edge) -> None:
    reference = edge.register(make_capture(1)).json_body["reference"]
    questions = [(reference, "0824-5551-0002"), (reference, ""), ("7K4-M2Q-X9F", "0824-5551-0001"), ("", "")]
    assert {ask_for_status(edge, *question).body for question in questions} == {
        ask_for_status(edge, "x", "y").body
    }
    assert ask_for_status(edge, "x", "y").json_body["state"] == "not_found"


def test_a_kiosk_is_shown_the_payment_code_of_its_own_workers_alone(edge: Edge) -> None:
    reference = edge.register(make_capture(1)).json_body["reference"]
    payment_code = {"code": "EPS-1234", "amount": 98_400, "expires_on": make_expiry_day()}
    edge.send("PUT", f"/v1/registrations/{reference}/payment-code", payment_code, caller="core")

    path = f"/v1/registrations/{reference}"
    assert edge.send("GET", path, caller="kiosk").json_body["payment_code"] == payment_code
    for caller in ("kiosk anywhere", "manager"):
        assert "payment_code" not in edge.send("GET", path, caller=caller).json_body
