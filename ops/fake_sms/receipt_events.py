"""Events and callbacks that report what became of an SMS, as AWS and Twilio send them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import httpx
from botocore.config import Config

from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.receipt_settings import ReceiptSettings, ReceiptState
from ops.fake_sms.twilio_account import ACCOUNT_SID, sign_form

_CALLBACK_TIMEOUT_SECONDS = 15.0


def make_sender(
    sms: ReceivedSms, state: ReceiptState, receipt_target: str, settings: ReceiptSettings
) -> Callable[[], None]:
    """Return a function that reports a state of an SMS to `receipt_target` in the SMS's own protocol."""
    if sms.protocol == "twilio":
        return lambda: _post_callback(sms, state, receipt_target, settings)
    return lambda: _publish_event(sms, state, settings)


@cache
def _make_sns_client(endpoint_url: str, region: str) -> Any:
    session: Any = boto3.Session("test", "test", region_name=region)
    return session.client("sns", endpoint_url=endpoint_url or None, config=Config(proxies={}))


def _publish_event(sms: ReceivedSms, state: ReceiptState, settings: ReceiptSettings) -> None:
    sns = _make_sns_client(settings.endpoint_url, settings.topic_arn.split(":")[3])
    sns.publish(TopicArn=settings.topic_arn, Message=json.dumps(make_aws_event(sms, state)))


def make_aws_event(sms: ReceivedSms, state: ReceiptState) -> dict[str, Any]:
    """Return an event as AWS End User Messaging SMS publishes it."""
    kind, description = {
        "sent": ("SENT", "Message has been sent to the carrier"),
        "delivered": ("DELIVERED", "Message has been accepted by phone"),
        "failed": ("UNREACHABLE", "Phone is currently unreachable/unavailable"),
    }[state]
    return {
        "eventType": f"TEXT_{kind}",
        "eventVersion": "1.0",
        "eventTimestamp": _to_milliseconds(datetime.now(UTC)),
        "isFinal": state != "sent",
        "originationPhoneNumber": sms.sender,
        "destinationPhoneNumber": sms.to,
        "isoCountryCode": "ID",
        "messageId": sms.message_id,
        "messageRequestTimestamp": _to_milliseconds(datetime.fromisoformat(sms.received_at)),
        "messageEncoding": sms.encoding,
        "messageType": "TRANSACTIONAL",
        "messageStatus": kind,
        "messageStatusDescription": description,
        "context": sms.context,
        "totalMessageParts": sms.parts,
        "totalMessagePrice": sms.price_microusd / 1_000_000,
        "totalCarrierFee": 0.0,
    }


def _to_milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _post_callback(sms: ReceivedSms, state: ReceiptState, url: str, settings: ReceiptSettings) -> None:
    form = make_twilio_form(sms, state)
    headers = {"X-Twilio-Signature": sign_form(url, form), "User-Agent": "TwilioProxy/1.1"}
    target = url
    if settings.public_url and url.startswith(settings.public_url):
        target = settings.api_url + url.removeprefix(settings.public_url)
    httpx.post(
        target, data=form, headers=headers, timeout=_CALLBACK_TIMEOUT_SECONDS, trust_env=False
    ).raise_for_status()


def make_twilio_form(sms: ReceivedSms, state: ReceiptState) -> dict[str, str]:
    """Return the parameters of a status callback as Twilio sends them."""
    status = "undelivered" if state == "failed" else state
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": sms.sender,
        "MessageSid": sms.message_id,
        "MessageStatus": status,
        "SmsSid": sms.message_id,
        "SmsStatus": status,
        "To": sms.to,
    }
    return {**form, "ErrorCode": "30003"} if state == "failed" else form
