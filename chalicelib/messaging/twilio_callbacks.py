"""Twilio's status callbacks: their URL, their signature, and the receipt in them.

The signature covers the URL that Twilio was given. It is never read from the request, because a proxy may
change the host there.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from chalicelib.messaging.model import SmsId
from chalicelib.messaging.model import parse_sms_id as parse_id
from chalicelib.messaging.receipts import Receipt

PATH = "/v1/gateways/twilio/receipts"
_SMS_ID_PARAMETER = "sms_id"

# A callback of Twilio has about fifteen parameters.
_MAX_PARAMETERS = 100

_STATE_BY_STATUS: Mapping[str, Literal["sent", "delivered", "failed"]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
# https://www.twilio.com/docs/api/errors/21610: the recipient has unsubscribed.
OPTED_OUT_CODE = "21610"
_DEFAULT_PORTS = {"https": 443, "http": 80}

Form = Mapping[str, list[str]]


def build_callback_url(public_url: str, sms_id: str) -> str:
    """Return the URL for Twilio's callbacks about one SMS; it holds the SMS id."""
    return f"{public_url.rstrip('/')}{PATH}?{urlencode({_SMS_ID_PARAMETER: sms_id})}"


def parse_sms_id(query: Mapping[str, str]) -> SmsId | None:
    """Return the SMS id in a callback's query, or None if the query is not that of a callback URL."""
    return parse_id(query[_SMS_ID_PARAMETER]) if set(query) == {_SMS_ID_PARAMETER} else None


def parse_form(body: bytes) -> Form | None:
    """Return the parameters of a callback, empty ones too, or None if the body is not a form."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        return None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def compute_signature(url: str, form: Form, token: str) -> str:
    """Return the signature of the URL, followed by each name with each of its distinct values, both sorted.

    https://www.twilio.com/docs/usage/security#validating-requests
    """
    parameters = (name + value for name in sorted(form) for value in sorted(set(form[name])))
    # Twilio's choice of hash. Collisions of SHA-1 do not break an HMAC.
    signed = hmac.new(token.encode(), (url + "".join(parameters)).encode(), hashlib.sha1)
    return base64.b64encode(signed.digest()).decode()


def is_signed(url: str, form: Form, signature: str, token: str) -> bool:
    """Return True if `signature` is Twilio's. Compare in constant time."""
    matches = [
        hmac.compare_digest(compute_signature(variant, form, token).encode(), signature.encode())
        for variant in _iter_url_variants(url)
    ]
    return any(matches)


def parse_receipt(sms_id: SmsId, form: Form, occurred_at: datetime) -> Receipt | None:
    """Return the receipt in a callback, or None if its status adds nothing to the acceptance."""
    state = _STATE_BY_STATUS.get(_get_single(form, "MessageStatus"))
    gateway_id = _get_single(form, "MessageSid")
    if state is None or not gateway_id:
        return None
    reason = _get_single(form, "ErrorCode") or None
    return Receipt(
        sms_id=sms_id,
        gateway="twilio",
        gateway_id=gateway_id,
        state=state,
        occurred_at=occurred_at,
        reason=reason,
        opted_out=reason == OPTED_OUT_CODE,
    )


def _get_single(form: Form, name: str) -> str:
    return form[name][0] if len(form.get(name, ())) == 1 else ""


def _iter_url_variants(url: str) -> Iterator[str]:
    """Yield the URL with and without its scheme's default port: Twilio signs either."""
    yield url
    parts = urlsplit(url)
    default = _DEFAULT_PORTS[parts.scheme]
    if parts.port is None:
        yield parts._replace(netloc=f"{parts.netloc}:{default}").geturl()
    elif parts.port == default:
        yield parts._replace(netloc=parts.netloc.removesuffix(f":{default}")).geturl()
