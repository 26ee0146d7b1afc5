"""Twilio's status callbacks over HTTP: signed by Twilio, or refused."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from chalice.test import HTTPResponse

from chalicelib.messaging.twilio_callbacks import PATH, build_callback_url, compute_signature
from tests.edge.conftest import Edge, LogOutput, assert_problem

PUBLIC_URL = "https://api.daftar.example/api"
MESSAGE = "0123456789abcdef0123456789abcdef"
TOKEN = "the-token-of-the-account"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+6282455507001", "ErrorCode": ""}

Report = Callable[..., HTTPResponse]


@pytest.fixture
def receipts(moto_stage: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """What the queue of receipts holds, on a stage that has an account with the gateway."""
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="receipts")["QueueUrl"]
    account = json.dumps({"account_sid": "AC1", "auth_token": TOKEN})
    secret = boto3.client("secretsmanager").create_secret(Name="twilio", SecretString=account)["ARN"]
    monkeypatch.setenv("DAFTAR_RECEIPTS_QUEUE_URL", queue)
    monkeypatch.setenv("DAFTAR_TWILIO_SECRET", secret)
    monkeypatch.setenv("DAFTAR_PUBLIC_URL", PUBLIC_URL)

    def held() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    return held


@pytest.fixture
def post_callback(edge: Edge, receipts: object) -> Report:
    """A callback, as Twilio makes it unless told otherwise."""
    edge.restart()

    def call(
        body: bytes | None = None, *, signed: str | None = None, query: str = f"sms_id={MESSAGE}"
    ) -> HTTPResponse:
        form = {name: [value] for name, value in FORM.items()}
        proof = (
            compute_signature(build_callback_url(PUBLIC_URL, MESSAGE), form, TOKEN)
            if signed is None
            else signed
        )
        return edge.send(
            "POST",
            f"{PATH}?{query}",
            urlencode(FORM).encode() if body is None else body,
            caller=None,
            Content_Type="application/x-www-form-urlencoded",
            X_Twilio_Signature=proof,
        )

    return call


def test_signed_report_is_kept_for_the_ledger_and_answered_at_once(
    post_callback: Report, receipts: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = post_callback()
    assert (answer.status_code, answer.body) == (204, b"")
    [kept] = receipts()
    assert kept.pop("at")
    assert kept == {
        "type": "ReceiptReceived",
        "version": 1,
        "sms_id": MESSAGE,
        "gateway": "twilio",
        "gateway_id": "SM1",
        "state": "delivered",
        "reason": None,
        "opted_out": False,
    }


@pytest.mark.parametrize("signed", ["", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
def test_report_by_anybody_else_is_refused_and_kept_nowhere(
    signed: str, post_callback: Report, receipts: Callable[[], list[dict[str, Any]]]
) -> None:
    assert_problem(post_callback(signed=signed), 403, "signature_invalid")
    assert receipts() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"body": b"MessageSid=SM1&MessageStatus=failed&To=%2B6282455507001&ErrorCode="},
        {"body": b"MessageSid=SM1&MessageStatus=delivered&To=%2B6282455507001"},
        {"body": b"\xff\xfe"},
        {"body": b""},
        {"query": ""},
        {"query": "sms_id=fedcba9876543210fedcba9876543210"},
        {"query": f"sms_id={MESSAGE}&more=1"},
    ],
    ids=["a value", "a blank left out", "no text", "nothing", "no id", "another id", "another parameter"],
)
def test_signature_holds_for_what_was_signed_and_nothing_else(
    changed: dict[str, Any], post_callback: Report, receipts: Callable[[], list[dict[str, Any]]]
) -> None:
    assert_problem(post_callback(**changed), 403, "signature_invalid")
    assert receipts() == []


def test_report_that_says_nothing_new_is_thanked_for_and_forgotten(
    post_callback: Report, receipts: Callable[[], list[dict[str, Any]]]
) -> None:
    form = {"MessageSid": ["SM1"], "MessageStatus": ["queued"]}
    proof = compute_signature(build_callback_url(PUBLIC_URL, MESSAGE), form, TOKEN)
    assert post_callback(b"MessageSid=SM1&MessageStatus=queued", signed=proof).status_code == 204
    assert receipts() == []


def test_report_as_large_as_no_callback_is_refused_before_it_is_read(post_callback: Report) -> None:
    assert_problem(post_callback(b"x" * 65_537), 413, "body_too_large")


def test_stage_without_an_account_believes_nobody(
    edge: Edge, post_callback: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_TWILIO_SECRET", "")
    edge.restart()
    assert_problem(post_callback(), 403, "signature_invalid")


def test_nothing_of_the_worker_is_logged(post_callback: Report, log_output: LogOutput) -> None:
    post_callback()
    assert "request answered" in log_output.text
    assert "82455507001" not in log_output.text
    assert TOKEN not in log_output.text
