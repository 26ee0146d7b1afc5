"""Disclosing and erasing what is held on one NIK, over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest

from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.notifications.messages import ReceiptReceived, SmsDue
from chalicelib.registrations.messages import KnownWorkerMet, RegistrationChanged
from chalicelib.registrations.model import EventType
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.dynamodb_faults import run_faulty_proxy
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

REQUEST = "0192f3a1-7c00-7000-8000-0000000000aa"
NIK = make_nik()
PERSONAL = (NIK, "Melati", "Kusumawati", "82455507001", "Jalan Contoh", "melati@")
PAYMENT = {"payment_id": "p-1", "amount": 49_200, "months": 3, "paid_at": "2024-10-10T09:00:00+07:00"}


def asks(edge: Edge, act: str, by: str = "admin", **changes: Any) -> Any:
    body = {"request_id": REQUEST, "nik": NIK, "reason": "worker_request", **changes}
    return edge.send("POST", f"/v1/{act}", body, caller=by)


def registered(edge: Edge, number: int = 1, **changes: Any) -> str:
    """The reference of the worker, registered and then sent once more by a bot."""
    capture = make_capture_payload(capture_id=make_capture_id(number), **changes)
    reference: str = edge.register(capture).json_body["reference"]
    edge.register({**capture, "capture_id": make_capture_id(number + 1)}, caller="bot")
    return reference


def rows(table: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return items


def kinds() -> set[str]:
    """What the registrations table holds, beside what expires by itself and what is counted of somebody who
    was forgotten: it says nothing of anybody.
    """
    kept = {item["pk"]["S"].partition("#")[0] for item in rows("RegistrationsTable")}
    return kept - {"DECOY", "LEFT", "PHONE"}


def test_a_person_is_told_everything_that_is_held_and_what_was_done_with_it(edge: Edge) -> None:
    reference = registered(edge)
    edge.send(
        "POST", f"/v1/registrations/{reference}/payments", PAYMENT | {"kpj": "21012345678"}, caller="core"
    )

    answer = asks(edge, "disclosures")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json_body
    (registration,) = told["registrations"]
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
    assert [(each["client_id"], each["outcome"]) for each in told["captures"]] == [
        ("van-1", "created"),
        ("whatsapp", "already_registered"),
    ]
    assert {each["reference"] for each in told["captures"]} == {reference}
    assert told["request"]["outcome"] == "disclosed"
    assert (told["request"]["registrations"], told["request"]["captures"]) == (1, 2)


def test_a_person_is_told_of_each_application_and_each_text(edge: Edge, gateway: FakeSmsServer) -> None:
    first = registered(edge)
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=first)))
    edge.send("POST", f"/v1/registrations/{first}/cancellation", {"reason": "other"})
    second = edge.register(make_capture_payload(capture_id=make_capture_id(9))).json_body["reference"]

    told = asks(edge, "disclosures").json_body

    assert [each["reference"] for each in told["registrations"]] == [second, first]
    assert [(each["registration"], each["state"]) for each in told["texts"]] == [(first, "accepted")]


def test_a_person_is_told_of_earlier_requests_also_after_an_erasure(edge: Edge) -> None:
    registered(edge)
    asks(edge, "disclosures")
    asks(edge, "erasures", request_id=REQUEST[:-1] + "b", reason="consent_withdrawn")

    told = asks(edge, "disclosures", request_id=REQUEST[:-1] + "c").json_body

    assert told["registrations"] == told["captures"] == told["texts"] == []
    assert told["request"]["outcome"] == "nothing_held"
    assert [(each["act"], each["reason"], each["client_id"]) for each in told["requests"]] == [
        ("disclosure", "worker_request", "head-office"),
        ("erasure", "consent_withdrawn", "head-office"),
    ]
    assert all(each["done_at"] for each in told["requests"])


def test_an_erased_person_is_in_no_table_and_no_line(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    reference = registered(edge)
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    others = dump_stored_state()

    answer = asks(edge, "erasures")

    erased = answer.json_body
    assert answer.headers["Cache-Control"] == "no-store"
    assert (erased["outcome"], erased["registrations"], erased["captures"], erased["texts"]) == (
        "erased",
        1,
        2,
        1,
    )
    assert reference in others
    kept = dump_stored_state() + log_output.text
    assert not [value for value in (*PERSONAL, reference) if value in dump_stored_state()]
    assert not [value for value in PERSONAL if value in kept]
    (left,) = rows("SmsLedgerTable")
    assert set(left) == {"sms_id", "day_shard", "facts"}, "what is counted, and nothing else"
    assert kinds() == {"CAPTURE"}
    assert_problem(edge.send("GET", f"/v1/registrations/{reference}"), 404, "registration_unknown")


def test_an_erasure_sent_again_is_answered_as_before_and_erases_nobody_anew(edge: Edge) -> None:
    registered(edge)
    first = asks(edge, "erasures")
    reference = registered(edge, 11)

    again = asks(edge, "erasures")

    assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")
    assert "Idempotent-Replayed" not in first.headers
    assert edge.send("GET", f"/v1/registrations/{reference}").status_code == 200


@pytest.mark.parametrize("changes", [{"nik": make_nik(7002)}, {"reason": "other"}])
def test_a_request_id_is_good_for_one_request(edge: Edge, changes: dict[str, Any]) -> None:
    registered(edge)
    asks(edge, "disclosures")

    assert_problem(asks(edge, "disclosures", **changes), 409, "request_reused")
    assert_problem(asks(edge, "erasures"), 409, "request_reused")
    assert len(asks(edge, "disclosures").json_body["registrations"]) == 1


@pytest.mark.parametrize("act", ["disclosures", "erasures"])
@pytest.mark.parametrize("by", ["kiosk", "bot", "manager", "core"])
def test_only_an_admin_asks_about_a_person(edge: Edge, act: str, by: str) -> None:
    registered(edge)
    before = dump_stored_state()

    assert_problem(asks(edge, act, by=by), 403, "role_not_allowed")

    assert dump_stored_state() == before


@pytest.mark.parametrize("act", ["disclosures", "erasures"])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nik": "31"}, "rules_broken"),
        # Without its dot it would be the NIK of somebody else.
        ({"nik": f"{NIK[:-1]}.{NIK[-1]}"}, "rules_broken"),
        ({"nik": 31}, "body_invalid"),
        ({"request_id": "1"}, "body_invalid"),
        ({"reason": "because Melati said so"}, "body_invalid"),
        ({"note": "Melati"}, "body_invalid"),
    ],
)
def test_a_request_that_says_something_else_is_not_put_on_record(
    edge: Edge, log_output: LogOutput, act: str, changes: dict[str, Any], code: str
) -> None:
    problem = assert_problem(asks(edge, act, **changes), 422, code)

    assert "Melati" not in json.dumps(problem) + log_output.text
    assert rows("RequestsTable") == []


def test_what_is_on_record_of_a_request_is_not_the_person(edge: Edge) -> None:
    reference = registered(edge)
    asks(edge, "disclosures")
    asks(edge, "erasures", request_id=REQUEST[:-1] + "b")

    kept = json.dumps(rows("RequestsTable"))
    assert len(rows("RequestsTable")) == 4
    assert not [value for value in (*PERSONAL, reference) if value in kept]
    keys = {item["pk"]["S"].partition("#")[2] for item in rows("RegistrationsTable")}
    assert not [key for key in keys if key in kept]
    fingerprints = [item["fingerprint"]["S"] for item in rows("RequestsTable") if "fingerprint" in item]
    assert len(set(fingerprints)) == 2


def test_an_erased_capture_sent_again_is_gone_for_a_kiosk_and_no_news_to_a_bot(edge: Edge) -> None:
    registered(edge)
    by_kiosk, by_bot = (make_capture_payload(capture_id=make_capture_id(number)) for number in (1, 2))
    before = edge.register(by_bot, caller="bot")
    asks(edge, "erasures")

    assert_problem(edge.register(by_kiosk), 410, "capture_forgotten")
    after = edge.register(by_bot, caller="bot")

    assert (after.status_code, after.body) == (before.status_code, before.body)
    assert after.headers["Idempotent-Replayed"] == before.headers["Idempotent-Replayed"]
    batch = edge.send("POST", "/v1/registrations/batch", {"items": [by_kiosk]}).json_body["results"]
    assert batch[0]["problem"]["code"] == "capture_forgotten"
    assert kinds() == {"CAPTURE"}


def test_a_text_still_queued_for_an_erased_worker_is_not_sent_and_no_error(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    news = make_domain_event(reference=registered(edge))
    asks(edge, "erasures")

    assert edge.invoke("on_notifications", make_sqs_event(news)) == {"batchItemFailures": []}

    assert gateway.inbox.list_sms() == []
    assert rows("SmsLedgerTable") == []
    assert [line["level"] for line in log_output.lines if line["level"] != "INFO"] == []
    assert [line["reference"] for line in log_output.lines if line["message"] == "no recipient"]


@pytest.mark.parametrize(
    "news",
    [
        KnownWorkerMet,
        partial(RegistrationChanged, event_type=EventType.PAYMENT_CODE_ISSUED, event_version=2),
    ],
)
def test_no_news_of_an_erased_worker_is_an_error(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput, news: Any
) -> None:
    reference = registered(edge)
    asks(edge, "erasures")

    event = make_sqs_event(news(reference=reference, correlation_id="c-1").model_dump_json())
    assert edge.invoke("on_notifications", event) == {"batchItemFailures": []}

    assert gateway.inbox.list_sms() == []
    assert [line["reference"] for line in log_output.lines if line["message"] == "no recipient"]


def test_a_due_text_and_a_receipt_of_an_erased_worker_are_no_errors(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    reference = registered(edge)
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    (sms_id,) = {row["sms_id"]["S"] for row in rows("SmsLedgerTable")}
    asks(edge, "erasures")
    left = rows("SmsLedgerTable")

    due = SmsDue(sms_id=sms_id).model_dump_json()
    assert edge.invoke("on_notifications", make_sqs_event(due)) == {"batchItemFailures": []}
    receipt = ReceiptReceived(
        sms_id=sms_id, gateway="aws", gateway_id="g-1", state="delivered", at=datetime.now(UTC)
    )
    assert edge.invoke("on_receipts", make_sqs_event(receipt.model_dump_json())) == {"batchItemFailures": []}

    assert len(gateway.inbox.list_sms()) == 1
    assert rows("SmsLedgerTable") == left
    assert [line["sms_id"] for line in log_output.lines if line["message"] == "no recipient"] == [sms_id]


def test_an_opt_out_is_honoured_when_the_erased_worker_comes_back(edge: Edge, gateway: FakeSmsServer) -> None:
    reference = registered(edge)
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    (sms_id,) = {row["sms_id"]["S"] for row in rows("SmsLedgerTable")}
    opted_out = ReceiptReceived(
        sms_id=sms_id,
        gateway="aws",
        gateway_id="g-1",
        state="failed",
        at=datetime.now(UTC),
        opted_out=True,
    )
    edge.invoke("on_receipts", make_sqs_event(opted_out.model_dump_json()))
    asks(edge, "erasures")

    again = edge.register(make_capture_payload(capture_id=make_capture_id(9))).json_body["reference"]
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=again)))

    assert len(gateway.inbox.list_sms()) == 1
    (told,) = asks(edge, "disclosures", request_id=REQUEST[:-1] + "b").json_body["texts"]
    assert (told["state"], told["attempts"], told["attempted_at"]) == ("failed", 0, None)


def test_a_person_is_told_which_number_wants_no_texts_since_when_and_who_lifted_that(
    edge: Edge, gateway: FakeSmsServer
) -> None:
    reference = registered(edge)
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    assert asks(edge, "disclosures").json_body["opt_outs"] == []
    (text,) = rows("SmsLedgerTable")
    phone_hash, said_at = text["phone_hash"]["S"], datetime(2024, 10, 9, 2, 30, tzinfo=UTC)
    opt_outs = edge.container.opt_outs
    opt_outs.record(phone_hash, occurred_at=said_at, source="aws")

    (told,) = asks(edge, "disclosures").json_body["opt_outs"]
    assert told == {
        "phone": "+6282455507001",
        "in_force": True,
        "since": "2024-10-09T02:30:00.000Z",
        "source": "aws",
        "lifted_at": None,
        "lifted_by": None,
    }

    opt_outs.lift(phone_hash, occurred_at=said_at + timedelta(days=1), lifted_by="salemba")
    (told,) = asks(edge, "disclosures").json_body["opt_outs"]
    assert (told["in_force"], told["lifted_at"], told["lifted_by"]) == (
        False,
        "2024-10-10T02:30:00.000Z",
        "salemba",
    )


def committed() -> list[int]:
    """The money of each campaign and day."""
    return [int(row["committed"]["N"]) for row in rows("SendingTable") if "committed" in row]


def test_money_put_aside_for_a_waiting_text_is_free_again_when_its_worker_is_erased(
    edge: Edge, gateway: FakeSmsServer
) -> None:
    edge.container.send_rate_limiter.stop(SendingStop("by hand", None))
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=registered(edge))))
    assert committed() == [350]

    for _ in range(2):
        asks(edge, "erasures")

    assert committed() == [0]
    assert gateway.inbox.list_sms() == []


def test_a_recount_after_an_erasure_says_the_same(edge: Edge, gateway: FakeSmsServer) -> None:
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=registered(edge))))
    day = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"
    before = edge.send("POST", day, caller="manager").json_body
    asks(edge, "erasures")

    assert before["texts"]["by_state"] == {"accepted": 1}
    assert edge.send("POST", day, caller="manager").json_body == before


@pytest.mark.parametrize("fault", ["ThrottlingException", "drop", "lose the answer"])
def test_an_erasure_that_was_cut_off_is_finished_by_sending_it_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    reference = registered(edge)
    with run_faulty_proxy() as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", between.url)
        edge.restart()
        between.add_fault("DeleteItem", fault, times=2)
        assert_problem(asks(edge, "erasures"), 503, "try_again")

        erased = asks(edge, "erasures")

        assert erased.status_code == 200
        assert (erased.json_body["registrations"], erased.json_body["captures"]) == (1, 2)
        assert kinds() == {"CAPTURE"}
        assert reference not in dump_stored_state()
