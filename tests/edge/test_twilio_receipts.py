"""Twilio's status callbacks over HTTP: accepted if Twilio signed them, refused otherwise."""

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
SMS_ID = "0123456789abcdef0123456789abcdef"
AUTH_TOKEN = "the-token-of-the-account"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+6282455507001", "ErrorCode": ""}

PostCallback = Callable[..., HTTPResponse]
ListReceipts = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def list_receipts(moto_stage: None, monkeypatch: pytest.MonkeyPatch) -> ListReceipts:
    """Configure an account at Twilio. Return a function that lists the queued receipts."""
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="receipts")["QueueUrl"]
    account = json.dumps({"account_sid": "AC1", "auth_token": AUTH_TOKEN})
    secret = boto3.client("secretsmanager").create_secret(Name="twilio", SecretString=account)["ARN"]
    monkeypatch.setenv("DAFTAR_RECEIPTS_QUEUE_URL", queue)
    monkeypatch.setenv("DAFTAR_TWILIO_SECRET", secret)
    monkeypatch.setenv("DAFTAR_PUBLIC_URL", PUBLIC_URL)

    def list_queued() -> list[dict[str, Any]]:
        response = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in response.get("Messages", [])]

    return list_queued


@pytest.fixture
def post_callback(edge: Edge, list_receipts: ListReceipts) -> PostCallback:
    """Return a function that posts a callback, by default with a valid signature."""
    edge.restart()

    def post(
        body: bytes | None = None, *, signature: str | None = None, query: str = f"sms_id={SMS_ID}"
    ) -> HTTPResponse:
        if signature is None:
            form = {name: [value] for name, value in FORM.items()}
            signature = compute_signature(build_callback_url(PUBLIC_URL, SMS_ID), form, AUTH_TOKEN)
        return edge.send(
            "POST",
            f"{PATH}?{query}",
            urlencode(FORM).encode() if body is None else body,
            caller=None,
            Content_Type="application/x-www-form-urlencoded",
            X_Twilio_Signature=signature,
        )

    return post


def test_a_signed_callback_is_queued_as_a_receipt_and_answered_with_204(
    post_callback: PostCallback, list_receipts: ListReceipts
) -> None:
    response = post_callback()
    assert (response.status_code, response.body) == (204, b"")
    (receipt,) = list_receipts()
    assert receipt.pop("at")
    assert receipt == {
        "type": "ReceiptReceived",
        "version": 1,
        "sms_id": SMS_ID,
        "gateway": "twilio",
        "gateway_id": "SM1",
        "state": "delivered",
        "reason": None,
        "opted_out": False,
    }


@pytest.mark.parametrize("signature", ["", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
def test_a_callback_with_another_signature_is_refused_and_not_queued(
    signature: str, post_callback: PostCallback, list_receipts: ListReceipts
) -> None:
    assert_problem(post_callback(signature=signature), 403, "signature_invalid")
    assert list_receipts() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"body": b"MessageSid=SM1&MessageStatus=failed&To=%2B6282455507001&ErrorCode="},
        {"body": b"MessageSid=SM1&MessageStatus=delivered&To=%2B6282455507001"},
        {"body": b"\xff\xfe"},
        {"body": b""},
        {"query": ""},
        {"query": "sms_id=fedcba9876543210fedcba9876543210"},
        {"query": f"sms_id={SMS_ID}&more=1"},
    ],
    ids=[
        "value",
        "empty value left out",
        "not UTF-8",
        "empty body",
        "no id",
        "another id",
        "more parameters",
    ],
)
def test_a_changed_body_or_query_does_not_match_the_signature(
    changes: dict[str, Any], post_callback: PostCallback, list_receipts: ListReceipts
) -> None:
    assert_problem(post_callback(**changes), 403, "signature_invalid")
    assert list_receipts() == []


def test_a_callback_without_a_new_state_is_answered_with_204_and_not_queued(
    post_callback: PostCallback, list_receipts: ListReceipts
) -> None:
    form = {"MessageSid": ["SM1"], "MessageStatus": ["queued"]}
    signature = compute_signature(build_callback_url(PUBLIC_URL, SMS_ID), form, AUTH_TOKEN)
    assert post_callback(b"MessageSid=SM1&MessageStatus=queued", signature=signature).status_code == 204
    assert list_receipts() == []


def test_a_callback_that_is_too_large_is_refused(post_callback: PostCallback) -> None:
    assert_problem(post_callback(b"x" * 65_537), 413, "body_too_large")


def test_every_callback_is_refused_without_an_account(
    edge: Edge, post_callback: PostCallback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_TWILIO_SECRET", "")
    edge.restart()
    assert_problem(post_callback(), 403, "signature_invalid")


def test_a_callback_is_logged_without_number_and_token(
    post_callback: PostCallback, log_output: LogOutput
) -> None:
    post_callback()

    assert "request answered" in log_output.text
    assert "82455507001" not in log_output.text
    assert AUTH_TOKEN not in log_output.text
