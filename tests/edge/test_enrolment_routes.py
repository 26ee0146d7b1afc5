"""Enrolment of devices over HTTP: codes, tokens for them, and renewal by the device."""

import hashlib
import json
import zlib
from base64 import b64decode, urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.clock import utc_now
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.collect_phone import CollectPhone
from tests.support.odk_edge import EdgeTransport
from tests.support.odk_instances import make_instance
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

CAMPAIGN = "tanah-abang-2024"
ENROLMENT_ID = "01926f3e-7c00-4000-8000-000000000001"


def make_code(
    edge: Edge, client_id: str = "van-1", caller: str = "manager here", **body: Any
) -> HTTPResponse:
    return edge.send("POST", f"/v1/clients/{client_id}/enrolment-codes", body, caller=caller)


def exchange(edge: Edge, code: str, **more: Any) -> HTTPResponse:
    """Exchange a code; keep the token as that of the caller `device`."""
    response = edge.send("POST", "/v1/enrolments", {"code": code, **more}, caller=None)
    if response.status_code == 201:
        edge.tokens["device"] = response.json_body["token"]
    return response


def renew(edge: Edge, caller: str = "device") -> HTTPResponse:
    return edge.send("POST", "/v1/device/token", caller=caller)


def enrol_soon_ending(edge: Edge, days: float) -> None:
    ends_at = datetime.now(UTC) + timedelta(days=days)
    edge.enrol("device", {"client_id": "van-7", "roles": ["kiosk"], "expires_at": ends_at})


def test_a_device_gets_its_token_for_a_code_and_registers_with_it(edge: Edge) -> None:
    made = make_code(edge)
    assert made.status_code == 201
    assert len(made.json_body["code"]) == 8
    assert made.json_body["app_url"].endswith("/app")
    left = datetime.fromisoformat(made.json_body["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)

    enrolled = exchange(edge, made.json_body["code"])

    assert enrolled.status_code == 201
    shown = enrolled.json_body
    assert (shown["client_id"], shown["channel"], shown["mode"]) == ("van-1", "van", "officer")
    assert [each["campaign_id"] for each in shown["campaigns"]] == [CAMPAIGN]
    assert shown["next_device_sequence"] == 1
    assert edge.register(make_capture_payload(device_sequence=7), caller="device").status_code == 201
    described = edge.send("GET", "/v1/device", caller="device").json_body
    assert described["next_device_sequence"] == 8
    ends_at, shown_end = (datetime.fromisoformat(each["expires_at"]) for each in (described, shown))
    assert abs(ends_at - shown_end) < timedelta(seconds=1)


def test_a_body_is_not_needed_to_make_a_code(edge: Edge) -> None:
    response = edge.send("POST", "/v1/clients/van-1/enrolment-codes", caller="admin")
    assert response.status_code == 201


def test_a_code_is_good_once(edge: Edge) -> None:
    code = make_code(edge).json_body["code"]
    assert exchange(edge, code.lower()).status_code == 201
    before = dump_tokens()

    assert_problem(exchange(edge, code), 404, "enrolment_code_unknown")

    assert dump_tokens() == before


def test_a_device_whose_answer_was_lost_repeats_the_exchange(edge: Edge) -> None:
    code = make_code(edge).json_body["code"]
    lost = exchange(edge, code, enrolment_id=ENROLMENT_ID).json_body["token"]

    repeated = exchange(edge, code, enrolment_id=ENROLMENT_ID)

    assert repeated.status_code == 201
    assert repeated.json_body["token"] != lost
    other = exchange(edge, code, enrolment_id=ENROLMENT_ID.replace("0001", "0002"))
    assert_problem(other, 404, "enrolment_code_unknown")


def test_five_wrong_guesses_end_a_code(edge: Edge) -> None:
    code = make_code(edge).json_body["code"]
    wrong = code[:4] + ("2222" if code[4:] != "2222" else "3333")
    for _ in range(5):
        assert_problem(exchange(edge, wrong), 404, "enrolment_code_unknown")

    assert_problem(exchange(edge, code), 404, "enrolment_code_unknown")


@pytest.mark.parametrize("code", ["22222222", "", "0000", "K7M2Q4X\u0130", "K7M2Q4XPK7M2Q4XP"])
def test_a_code_that_was_not_made_stores_nothing(edge: Edge, code: str) -> None:
    before = dump_stored_state()
    assert_problem(exchange(edge, code), 404, "enrolment_code_unknown")
    assert dump_stored_state() == before


def test_codes_and_tokens_are_stored_as_hashes_and_are_in_no_log(edge: Edge, log_output: LogOutput) -> None:
    made = make_code(edge, mode="kiosk").json_body
    token = exchange(edge, made["code"]).json_body["token"]
    stored = dump_stored_state()
    for secret in (made["code"], token, made["exit_code"]):
        assert secret not in stored
        assert secret.encode().hex() not in stored
        assert hashlib.sha256(secret.encode()).hexdigest() not in stored or secret == token
        assert f'"{secret}"' not in log_output.text


def test_a_kiosk_gets_the_hash_of_the_digits_that_end_its_mode(edge: Edge) -> None:
    made = make_code(edge, mode="kiosk").json_body
    enrolled = exchange(edge, made["code"]).json_body

    kept = {name: enrolled["exit_code"][name] for name in ("salt", "hash")}
    salt, digest = (urlsafe_b64decode(f"{kept[name]}==") for name in ("salt", "hash"))
    iterations = enrolled["exit_code"]["iterations"]
    assert digest == hashlib.pbkdf2_hmac("sha256", made["exit_code"].encode(), salt, iterations)
    assert (enrolled["mode"], edge.send("GET", "/v1/device", caller="device").json_body["mode"]) == (
        "kiosk",
        "kiosk",
    )


def test_the_token_that_a_device_had_stays_good_for_a_while(edge: Edge) -> None:
    exchange(edge, make_code(edge).json_body["code"])
    assert edge.register(make_capture_payload()).status_code == 201


def test_a_manager_makes_no_code_that_opens_other_campaigns(edge: Edge, subtests: pytest.Subtests) -> None:
    edge.enrol("both", {"client_id": "van-8", "roles": ["kiosk"], "campaigns": [CAMPAIGN, "senen-2024"]})
    for client_id in ("van-8", "senen-1", "van-9", "whatsapp", "van-manager", "unknown-1"):
        with subtests.test(client_id):
            assert_problem(make_code(edge, client_id), 404, "client_unknown")


@pytest.mark.parametrize("client_id", ["head-office", "membership", "branch-office", "whatsapp"])
def test_nobody_gets_the_token_of_a_person_or_a_system_for_a_code(edge: Edge, client_id: str) -> None:
    assert_problem(make_code(edge, client_id, caller="admin"), 409, "client_without_device")


def test_a_revoked_client_gets_no_code_and_no_token_for_one(edge: Edge) -> None:
    code = make_code(edge).json_body["code"]
    edge.send("DELETE", "/v1/clients/van-1", caller="admin")

    assert_problem(make_code(edge), 409, "client_revoked")
    assert_problem(exchange(edge, code), 404, "enrolment_code_unknown")


def test_a_device_renews_its_token_in_its_last_week(edge: Edge) -> None:
    enrol_soon_ending(edge, days=6)
    before = edge.send("GET", "/v1/device", caller="device").json_body["expires_at"]

    renewed = renew(edge)

    assert renewed.status_code == 201
    assert renewed.json_body["older_tokens_end_at"] == before
    edge.tokens["renewed"] = renewed.json_body["token"]
    assert edge.send("GET", "/v1/device", caller="renewed").json_body["expires_at"] > before
    assert edge.send("GET", "/v1/device", caller="device").json_body["expires_at"] == before


def test_a_renewal_whose_answer_was_lost_is_repeated_with_the_older_token(edge: Edge) -> None:
    enrol_soon_ending(edge, days=6)
    lost = renew(edge).json_body["token"]

    edge.tokens["renewed"] = renew(edge).json_body["token"]

    assert edge.tokens["renewed"] != lost
    capture = make_capture_payload(capture_id=make_capture_id(3), worker={"nik": make_nik(3)})
    assert edge.register(capture, caller="renewed").status_code == 201


def test_a_token_is_not_renewed_before_its_last_week(edge: Edge) -> None:
    enrol_soon_ending(edge, days=8)
    before = dump_stored_state()
    assert_problem(renew(edge), 409, "renewal_too_early")
    assert dump_stored_state() == before


def dump_tokens() -> list[str]:
    """Return the stored items of tokens."""
    return [item for item in dump_stored_state().split("pk") if "TOKEN#" in item]


def read_odk_code(made: HTTPResponse) -> tuple[str, str]:
    """Return the URL and the token that a QR code for ODK Collect holds."""
    settings = json.loads(zlib.decompress(b64decode(made.json_body["odk_qr"])))
    url: str = settings["general"]["server_url"]
    return url, url.rpartition("/")[2]


def list_forms(edge: Edge, token: str) -> int:
    return edge.send("GET", f"/odk/{token}/formList", caller=None).status_code


def test_a_phone_with_odk_collect_is_the_device_once_it_has_scanned_the_code(edge: Edge) -> None:
    url, token = read_odk_code(make_code(edge))
    phone = CollectPhone(url, EdgeTransport(edge))
    phone.refresh_forms()

    instance = phone.finalize(make_instance(phone.forms[CAMPAIGN].version))
    phone.send_all()
    assert instance.is_sent
    edge.tokens["odk"] = token
    assert edge.send("GET", "/v1/device", caller="odk").json_body["client_id"] == "van-1"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "formList", 200),
        ("HEAD", "formList", 200),
        ("HEAD", "submission", 204),
        ("POST", "submission", 403),
        ("GET", f"forms/{CAMPAIGN}/1/manifest", 403),
    ],
)
def test_only_what_collect_asks_first_makes_the_token_of_a_scanned_code(
    edge: Edge, method: str, path: str, status: int
) -> None:
    _, token = read_odk_code(make_code(edge))
    count = len(dump_tokens())
    assert edge.send(method, f"/odk/{token}/{path}", caller=None).status_code == status
    assert len(dump_tokens()) - count == (0 if status == 403 else 1)


def test_a_code_that_no_phone_scans_leaves_the_devices_token_as_it_was(edge: Edge) -> None:
    before = edge.send("GET", "/v1/device", caller="kiosk").json_body
    for _ in range(12):
        assert make_code(edge).status_code == 201
    after = edge.send("GET", "/v1/device", caller="kiosk").json_body
    assert {**after, "server_time": ""} == {**before, "server_time": ""}


def test_a_scanned_code_ends_the_older_token_after_the_overlap(edge: Edge) -> None:
    _, token = read_odk_code(make_code(edge))
    assert list_forms(edge, token) == 200
    ends_at = datetime.fromisoformat(edge.send("GET", "/v1/device", caller="kiosk").json_body["expires_at"])
    assert ends_at - datetime.now(UTC) <= timedelta(hours=24)


def test_a_code_for_odk_collect_is_good_for_15_minutes(edge: Edge) -> None:
    _, token = read_odk_code(make_code(edge))
    edge.restart()
    edge.container.clock = lambda: utc_now() + timedelta(minutes=16)
    assert list_forms(edge, token) == 403


def test_a_revoked_clients_code_opens_nothing(edge: Edge) -> None:
    _, token = read_odk_code(make_code(edge))
    edge.container.clients.revoke("van-1")
    assert list_forms(edge, token) == 403


def test_a_token_that_no_code_showed_opens_nothing(edge: Edge) -> None:
    before = dump_stored_state()
    assert list_forms(edge, f"daftar_{'x' * 43}") == 403
    assert dump_stored_state() == before


def test_only_officers_devices_get_a_code_for_odk_collect(edge: Edge) -> None:
    edge.enrol("web", {"client_id": "web-1", "roles": ["bot"], "channel": "web"})
    assert make_code(edge, "web-1").json_body["odk_qr"] is None


def test_no_log_line_has_the_code_or_the_token_in_it(edge: Edge, log_output: LogOutput) -> None:
    made = make_code(edge)
    _, token = read_odk_code(made)
    list_forms(edge, token)
    assert token not in log_output.text
    assert made.json_body["odk_qr"] not in log_output.text
