"""Both gateways, out and back: a text to the worker's phone, and what became of it in the ledger."""

import base64
from typing import Any

import httpx
import pytest

from chalicelib.messaging.twilio_callbacks import PATH
from tests.support.functions import override_environment
from tests.support.isolated_campaign import find_confirmation, open_market
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e


def delivered(stack: RunningStack, reference: str) -> dict[str, Any]:
    """The row of the text of a registration, once a gateway has reported it delivered."""

    def look() -> dict[str, Any]:
        row = find_confirmation(stack, reference)
        return row if row.get("state") == "delivered" else {}

    return wait_until(f"the text of {reference} to be delivered", look)


def test_sms_by_aws_is_delivered_and_its_receipt_comes_back_by_topic_and_queue(stack: RunningStack) -> None:
    market = open_market(stack)
    reference = market.register(market.make_capture_payload()).json()["reference"]
    text = market.await_sms(reference)
    row = delivered(stack, reference)
    assert (text["protocol"], row["gateway"]) == ("aws", "aws")
    assert list(row["sends"]) == [text["message_id"]]


def test_sms_by_twilio_is_delivered_and_its_receipt_comes_back_signed(stack: RunningStack) -> None:
    market = open_market(stack)
    sender = [stack.description.outputs["OnNotificationsName"]]
    with override_environment(stack.aws_client("lambda"), sender, DAFTAR_GATEWAY_WEIGHTS="twilio=100"):
        reference = market.register(market.make_capture_payload()).json()["reference"]
        text = market.await_sms(reference)
    row = delivered(stack, reference)
    assert (text["protocol"], row["gateway"]) == ("twilio", "twilio")
    assert list(row["sends"]) == [text["message_id"]]


def test_a_callback_that_twilio_did_not_sign_is_refused(stack: RunningStack) -> None:
    answer = httpx.post(
        f"{stack.description.api_url}{PATH}",
        params={"sms_id": "0" * 32},
        data={"MessageSid": "SM1", "MessageStatus": "delivered"},
        headers={"X-Twilio-Signature": base64.b64encode(b"0" * 20).decode()},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "signature_invalid")
    assert answer.headers["Content-Type"] == "application/problem+json"
