"""Disclosure and erasure of the data of one NIK, over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.notifications.messages import ReceiptReceived, SmsDue
from chalicelib.registrations.domain_events import KnownWorkerMet, RegistrationChanged, RegistrationReceived
from chalicelib.registrations.model import EventType
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.dynamodb_faults import run_faulty_proxy
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

REQUEST_ID = "0192f3a1-7c00-7000-8000-0000000000aa"
NIK = make_nik()
PERSONAL_VALUES = (NIK, "Melati", "Kusumawati", "82455507001", "Jalan Contoh", "melati@")
PAYMENT = {"payment_id": "p-1", "amount": 49_200, "months": 3, "paid_at": "2024-10-10T09:00:00+07:00"}


def send_request(edge: Edge, path: str, **changes: Any) -> HTTPResponse:
    """Send a request for `disclosures` or `erasures` about the worker."""
    body = {"request_id": REQUEST_ID, "nik": NIK, "reason": "worker_request", **changes}
    return edge.send("POST", f"/v1/{path}", body, caller="admin")


def register_twice(edge: Edge, number: int = 1, **changes: Any) -> str:
    """Register the worker by a kiosk and then by a bot. Return the reference."""
    capture = make_capture_payload(capture_id=make_capture_id(number), **changes)
    reference: str = edge.register(capture).json_body["reference"]
    edge.register({**capture, "capture_id": make_capture_id(number + 1)}, caller="bot")
    return reference


def send_sms(edge: Edge, reference: str) -> str:
    """Send the SMS of a new registration. Return its id."""
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    (item,) = list_stored_items("SmsLedgerTable")
    sms_id: str = item["sms_id"]["S"]
    return sms_id


def list_item_kinds() -> set[str]:
    """Return the kinds of items in the registrations table, without decoys, remnants and phone counts."""
    kinds = {item["pk"]["S"].partition("#")[0] for item in list_stored_items("RegistrationsTable")}
    return kinds - {"DECOY", "LEFT", "PAYMENT", "PHONE"}


def test_a_disclosure_has_all_data_of_the_worker_and_its_history(edge: Edge) -> None:
    reference = register_twice(edge)
    edge.send(
        "POST", f"/v1/registrations/{reference}/payments", PAYMENT | {"kpj": "21012345678"}, caller="core"
    )

    response = send_request(edge, "disclosures")

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    disclosure = response.json_body
    (registration,) = disclosure["registrations"]
    assert registration["worker"]["nik"] == NIK
    assert registration["worker"]["name"] == "Melati Kusumawati"
    assert registration["worker"]["phone"] == "+6282455507001"
    assert registration["worker"]["address"] == "Jalan Contoh 7"
    assert registration["work"] == {
        "occupations": ["porter"],
        "place": "Blok A",
        "employs_others": False,
        "monthly_income": 2_500_000,
    }
    assert registration["consent"]["text_version"] == "2024-10"
    assert registration["sex"] == "female"
    assert (registration["kpj"], registration["payments"][0]["payment_id"]) == ("21012345678", "p-1")
    assert [event["event"] for event in registration["history"]] == ["registered", "paid"]
    assert registration["history"][0]["officer"] == "ofc-12"
    assert [(each["client_id"], each["outcome"]) for each in disclosure["captures"]] == [
        ("van-1", "created"),
        ("whatsapp", "already_registered"),
    ]
    assert {each["reference"] for each in disclosure["captures"]} == {reference}
    assert disclosure["request"]["outcome"] == "disclosed"
    assert (disclosure["request"]["registrations"], disclosure["request"]["captures"]) == (1, 2)


def test_a_disclosure_has_every_registration_and_every_sms(edge: Edge, gateway: FakeSmsServer) -> None:
    first = register_twice(edge)
    send_sms(edge, first)
    edge.send("POST", f"/v1/registrations/{first}/cancellation", {"reason": "other"})
    second = edge.register(make_capture_payload(capture_id=make_capture_id(9))).json_body["reference"]

    disclosure = send_request(edge, "disclosures").json_body

    assert [each["reference"] for each in disclosure["registrations"]] == [second, first]
    assert [(each["registration"], each["state"]) for each in disclosure["texts"]] == [(first, "accepted")]


def test_a_disclosure_has_earlier_requests_even_after_an_erasure(edge: Edge) -> None:
    register_twice(edge)
    send_request(edge, "disclosures")
    send_request(edge, "erasures", request_id=REQUEST_ID[:-1] + "b", reason="consent_withdrawn")

    disclosure = send_request(edge, "disclosures", request_id=REQUEST_ID[:-1] + "c").json_body

    assert disclosure["registrations"] == disclosure["captures"] == disclosure["texts"] == []
    assert disclosure["request"]["outcome"] == "nothing_held"
    assert [(each["act"], each["reason"], each["client_id"]) for each in disclosure["requests"]] == [
        ("disclosure", "worker_request", "head-office"),
        ("erasure", "consent_withdrawn", "head-office"),
    ]
    assert all(each["done_at"] for each in disclosure["requests"])


def test_an_erasure_leaves_no_personal_data_in_tables_or_logs(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    reference = register_twice(edge)
    send_sms(edge, reference)
    assert reference in dump_stored_state()

    response = send_request(edge, "erasures")

    body = response.json_body
    assert response.headers["Cache-Control"] == "no-store"
    assert (body["outcome"], body["registrations"], body["captures"], body["texts"]) == (
        "erased",
        1,
        2,
        1,
    )
    assert not [value for value in (*PERSONAL_VALUES, reference) if value in dump_stored_state()]
    assert not [value for value in PERSONAL_VALUES if value in log_output.text]
    (remnant,) = list_stored_items("SmsLedgerTable")
    assert set(remnant) == {"sms_id", "day_shard", "facts"}, "countable facts only"
    assert list_item_kinds() == {"CAPTURE"}
    assert_problem(edge.send("GET", f"/v1/registrations/{reference}"), 404, "registration_unknown")


def test_a_repeated_erasure_gets_its_first_response_and_erases_nothing_more(edge: Edge) -> None:
    register_twice(edge)
    first = send_request(edge, "erasures")
    reference = register_twice(edge, 11)

    second = send_request(edge, "erasures")

    assert (second.body, second.headers["Idempotent-Replayed"]) == (first.body, "true")
    assert "Idempotent-Replayed" not in first.headers
    assert edge.send("GET", f"/v1/registrations/{reference}").status_code == 200


@pytest.mark.parametrize("changes", [{"nik": make_nik(7002)}, {"reason": "other"}])
def test_a_request_id_used_for_another_request_is_a_conflict(edge: Edge, changes: dict[str, Any]) -> None:
    register_twice(edge)
    send_request(edge, "disclosures")

    assert_problem(send_request(edge, "disclosures", **changes), 409, "request_reused")
    assert_problem(send_request(edge, "erasures"), 409, "request_reused")
    assert len(send_request(edge, "disclosures").json_body["registrations"]) == 1


@pytest.mark.parametrize("path", ["disclosures", "erasures"])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nik": "31"}, "rules_broken"),
        ({"nik": 31}, "body_invalid"),
        ({"request_id": "1"}, "body_invalid"),
        ({"reason": "because Melati said so"}, "body_invalid"),
        # Without its dot it would be the NIK of somebody else.
        ({"nik": f"{NIK[:-1]}.{NIK[-1]}"}, "rules_broken"),
        ({"note": "Melati"}, "body_invalid"),
    ],
)
def test_an_invalid_request_is_refused_and_not_recorded(
    edge: Edge, log_output: LogOutput, path: str, changes: dict[str, Any], code: str
) -> None:
    problem = assert_problem(send_request(edge, path, **changes), 422, code)

    assert "Melati" not in json.dumps(problem) + log_output.text
    assert list_stored_items("RequestsTable") == []


def test_the_record_of_a_request_has_no_personal_data(edge: Edge) -> None:
    reference = register_twice(edge)
    send_request(edge, "disclosures")
    send_request(edge, "erasures", request_id=REQUEST_ID[:-1] + "b")

    items = list_stored_items("RequestsTable")
    assert sorted(item["step"]["S"] for item in items) == ["asked", "asked", "done", "done", "logged"]
    assert not [value for value in (*PERSONAL_VALUES, reference) if value in json.dumps(items)]
    keys = {item["pk"]["S"].partition("#")[2] for item in list_stored_items("RegistrationsTable")}
    assert not [key for key in keys if key in json.dumps(items)]
    fingerprints = [item["fingerprint"]["S"] for item in items if "fingerprint" in item]
    assert len(set(fingerprints)) == 2


def test_an_erased_capture_sent_again_is_gone_for_a_kiosk_and_a_replay_for_a_bot(edge: Edge) -> None:
    register_twice(edge)
    by_kiosk, by_bot = (make_capture_payload(capture_id=make_capture_id(number)) for number in (1, 2))
    before = edge.register(by_bot, caller="bot")
    send_request(edge, "erasures")

    assert_problem(edge.register(by_kiosk), 410, "capture_forgotten")
    after = edge.register(by_bot, caller="bot")

    assert (after.status_code, after.body) == (before.status_code, before.body)
    assert after.headers["Idempotent-Replayed"] == before.headers["Idempotent-Replayed"]
    (result,) = edge.send("POST", "/v1/registrations/batch", {"items": [by_kiosk]}).json_body["results"]
    assert result["problem"]["code"] == "capture_forgotten"
    assert list_item_kinds() == {"CAPTURE"}


@pytest.mark.parametrize(
    "make_event",
    [
        RegistrationReceived,
        KnownWorkerMet,
        partial(RegistrationChanged, event_type=EventType.PAYMENT_CODE_ISSUED, event_version=2),
    ],
)
def test_an_event_of_an_erased_worker_sends_no_sms_and_fails_no_message(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput, make_event: Any
) -> None:
    reference = register_twice(edge)
    send_request(edge, "erasures")

    event = make_event(reference=reference, correlation_id="c-1").model_dump_json()
    assert edge.invoke("on_notifications", make_sqs_event(event)) == {"batchItemFailures": []}

    assert gateway.inbox.list_sms() == []
    assert list_stored_items("SmsLedgerTable") == []
    assert [line["level"] for line in log_output.lines if line["level"] != "INFO"] == []
    assert [line["reference"] for line in log_output.lines if line["message"] == "no recipient"]


def test_a_due_sms_and_a_receipt_of_an_erased_worker_fail_no_message(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    sms_id = send_sms(edge, register_twice(edge))
    send_request(edge, "erasures")
    remnants = list_stored_items("SmsLedgerTable")

    due = SmsDue(sms_id=sms_id).model_dump_json()
    assert edge.invoke("on_notifications", make_sqs_event(due)) == {"batchItemFailures": []}
    receipt = ReceiptReceived(
        sms_id=sms_id, gateway="aws", gateway_id="g-1", state="delivered", at=datetime.now(UTC)
    )
    assert edge.invoke("on_receipts", make_sqs_event(receipt.model_dump_json())) == {"batchItemFailures": []}

    assert len(gateway.inbox.list_sms()) == 1
    assert list_stored_items("SmsLedgerTable") == remnants
    assert [line["sms_id"] for line in log_output.lines if line["message"] == "no recipient"] == [sms_id]


def test_an_opt_out_remains_when_an_erased_worker_registers_again(edge: Edge, gateway: FakeSmsServer) -> None:
    sms_id = send_sms(edge, register_twice(edge))
    opted_out = ReceiptReceived(
        sms_id=sms_id,
        gateway="aws",
        gateway_id="g-1",
        state="failed",
        at=datetime.now(UTC),
        opted_out=True,
    )
    edge.invoke("on_receipts", make_sqs_event(opted_out.model_dump_json()))
    send_request(edge, "erasures")

    second = edge.register(make_capture_payload(capture_id=make_capture_id(9))).json_body["reference"]
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=second)))

    assert len(gateway.inbox.list_sms()) == 1
    disclosure = send_request(edge, "disclosures", request_id=REQUEST_ID[:-1] + "b").json_body
    (sms,) = disclosure["texts"]
    assert (sms["state"], sms["attempts"], sms["attempted_at"]) == ("failed", 0, None)


def test_a_disclosure_has_opt_outs_with_their_times_and_clients(edge: Edge, gateway: FakeSmsServer) -> None:
    send_sms(edge, register_twice(edge))
    assert send_request(edge, "disclosures").json_body["opt_outs"] == []
    (row,) = list_stored_items("SmsLedgerTable")
    phone_hash, opted_out_at = row["phone_hash"]["S"], datetime(2024, 10, 9, 2, 30, tzinfo=UTC)
    opt_outs = edge.container.opt_outs
    opt_outs.record(phone_hash, occurred_at=opted_out_at, source="aws")

    (opt_out,) = send_request(edge, "disclosures").json_body["opt_outs"]
    assert opt_out == {
        "phone": "+6282455507001",
        "in_force": True,
        "since": "2024-10-09T02:30:00.000Z",
        "source": "aws",
        "lifted_at": None,
        "lifted_by": None,
    }

    opt_outs.lift(phone_hash, occurred_at=opted_out_at + timedelta(days=1), lifted_by="salemba")
    (opt_out,) = send_request(edge, "disclosures").json_body["opt_outs"]
    assert (opt_out["in_force"], opt_out["lifted_at"], opt_out["lifted_by"]) == (
        False,
        "2024-10-10T02:30:00.000Z",
        "salemba",
    )


def test_a_recount_after_an_erasure_gives_the_same_summary(edge: Edge, gateway: FakeSmsServer) -> None:
    send_sms(edge, register_twice(edge))
    day = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"
    before = edge.send("POST", day, caller="manager").json_body
    send_request(edge, "erasures")

    assert before["texts"]["by_state"] == {"accepted": 1}
    assert edge.send("POST", day, caller="manager").json_body == before


def test_an_interrupted_erasure_is_answered_try_again_and_finished_by_the_next_request(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = register_twice(edge)
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        proxy.add_fault("DeleteItem", "ThrottlingException", times=2)
        assert_problem(send_request(edge, "erasures"), 503, "try_again")

        response = send_request(edge, "erasures")

        assert response.status_code == 200
        assert (response.json_body["registrations"], response.json_body["captures"]) == (1, 2)
        assert list_item_kinds() == {"CAPTURE"}
        assert reference not in dump_stored_state()
