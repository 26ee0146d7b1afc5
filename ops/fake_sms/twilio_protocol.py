"""Twilio's Messages resource: basic authentication, a form as request, JSON as response."""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from ops.fake_sms.acceptor import SmsAcceptor
from ops.fake_sms.faults import FaultMode
from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.pricing import measure_sms
from ops.fake_sms.twilio_account import ACCOUNT_SID, AUTH_TOKEN

MESSAGES_PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
_PHONE_PATTERN = re.compile(r"\+[1-9][0-9]{6,14}")
_MAX_BODY_CHARACTERS = 1600
_MAX_VALIDITY_SECONDS = 36_000


@dataclass(frozen=True)
class TwilioResponse:
    """A response."""

    status: int
    body: dict[str, Any]


def _make_error(code: int, message: str, status: int = 400) -> TwilioResponse:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return TwilioResponse(status, {"code": code, "message": message, "more_info": more, "status": status})


_FAULT_RESPONSES = {
    FaultMode.THROTTLE: _make_error(20429, "Too Many Requests", 429),
    FaultMode.SERVER_ERROR: _make_error(20500, "Internal Server Error", 500),
    FaultMode.REJECT: _make_error(
        21612, "Message cannot be sent with the current combination of 'To' and 'From'"
    ),
    FaultMode.OPTED_OUT: _make_error(21610, "Attempt to send to unsubscribed recipient"),
    # Twilio has no spending limit: an account without money is suspended.
    FaultMode.SPEND_LIMIT: _make_error(20005, "Account not active", 403),
}


class TwilioMessages:
    """Accepts messages. Other resources of Twilio are not faked."""

    def __init__(self, acceptor: SmsAcceptor) -> None:
        self._acceptor = acceptor

    def handle(self, path: str, authorization: str, body: bytes) -> TwilioResponse:
        """Accept a message, or return an error of Twilio. Raise ConnectionDropped."""
        if not _is_authorized(authorization):
            return _make_error(20003, "Authenticate", 401)
        if path != MESSAGES_PATH:
            return _make_error(20404, f"The requested resource {path} was not found", 404)
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        fault = _validate_form(form)
        if fault:
            return fault
        sms = _parse_sms(form)
        armed = self._acceptor.accept(sms, receipt_target=form.get("StatusCallback", ""))
        return _FAULT_RESPONSES[armed] if armed else TwilioResponse(201, _describe_message(sms))


def _is_authorized(authorization: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    try:
        credentials = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(
        credentials, f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()
    )


def _validate_form(form: dict[str, str]) -> TwilioResponse | None:
    validity = form.get("ValidityPeriod", str(_MAX_VALIDITY_SECONDS))
    # In the order of Twilio's own checks.
    checks = [
        ("To" in form, 21604, "A 'To' phone number is required."),
        (_PHONE_PATTERN.fullmatch(form.get("To", "")), 21211, "Invalid 'To' Phone Number"),
        (form.get("From") or form.get("MessagingServiceSid"), 21603, "A 'From' phone number is required."),
        (form.get("Body", "").strip(), 21602, "Message body is required."),
        (
            len(form.get("Body", "")) <= _MAX_BODY_CHARACTERS,
            21617,
            "The message body exceeds the character limit",
        ),
        (_is_url(form.get("StatusCallback")), 21609, "Invalid 'StatusCallback' URL"),
        (
            validity.isdecimal() and 1 <= int(validity) <= _MAX_VALIDITY_SECONDS,
            20001,
            "ValidityPeriod is out of range",
        ),
    ]
    for is_met, code, message in checks:
        if not is_met:
            return _make_error(code, message)
    return None


def _is_url(url: str | None) -> bool:
    return url is None or bool(urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc)


def _parse_sms(form: dict[str, str]) -> ReceivedSms:
    size = measure_sms(form["Body"])
    return ReceivedSms(
        to=form["To"],
        text=form["Body"],
        # Twilio returns no values of the sender but the URL of its callback.
        context=dict(parse_qsl(urlsplit(form.get("StatusCallback", "")).query)),
        message_id=f"SM{uuid4().hex}",
        protocol="twilio",
        sender=form.get("From") or form["MessagingServiceSid"],
        parts=size.parts,
        encoding=size.encoding,
        price_microusd=size.price_microusd,
    )


def _describe_message(sms: ReceivedSms) -> dict[str, Any]:
    now = format_datetime(datetime.now(UTC))
    uri = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{sms.message_id}"
    return {
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": sms.text,
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": sms.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(sms.parts),
        "price": None,
        "price_unit": "USD",
        "sid": sms.message_id,
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": sms.to,
        "uri": f"{uri}.json",
    }
