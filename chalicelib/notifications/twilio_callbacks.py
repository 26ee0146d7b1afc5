"""Twilio's status callbacks: the URL it is given, the proof that a callback is Twilio's, and what it says.

The proof covers the URL as Twilio was given it, so it is never read from the request: what stands between
Twilio and us may write another host there.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from chalicelib.notifications.receipts import Receipt

if TYPE_CHECKING:
    # As in `receipts`.
    from chalicelib.notifications.model import SmsId

PATH = "/v1/gateways/twilio/receipts"
_SMS_ID_PARAMETER = "sms_id"
_SMS_ID_PATTERN = re.compile(r"[0-9a-f]{32}")
# A callback has some fifteen parameters; whoever sends hundreds is not Twilio.
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
    """Where Twilio is to report on a text; its id comes back with the URL."""
    return f"{public_url.rstrip('/')}{PATH}?{urlencode({_SMS_ID_PARAMETER: sms_id})}"


def parse_sms_id(query: Mapping[str, str]) -> "SmsId | None":
    """The id of the text that a callback's URL names, if it is one that we could have given."""
    given = query.get(_SMS_ID_PARAMETER, "")
    return (
        cast("SmsId", given)
        if set(query) == {_SMS_ID_PARAMETER} and _SMS_ID_PATTERN.fullmatch(given)
        else None
    )


def parse_form(body: bytes) -> Form | None:
    """The parameters of a callback, empty ones too; None if it is no form."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        return None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def compute_signature(url: str, form: Form, token: str) -> str:
    """What Twilio signs: the URL, then each name in order, with each of its different values in order."""
    parameters = (name + value for name in sorted(form) for value in sorted(set(form[name])))
    # Twilio's choice of hash. SHA-1 in an HMAC is not broken by what breaks it as a bare digest.
    signed = hmac.new(token.encode(), (url + "".join(parameters)).encode(), hashlib.sha1)
    return base64.b64encode(signed.digest()).decode()


def is_signed(url: str, form: Form, signature: str, token: str) -> bool:
    """Whether the signature given is Twilio's, in a time that tells nothing of how near it came."""
    matches = [
        hmac.compare_digest(compute_signature(spelling, form, token).encode(), signature.encode())
        for spelling in _iter_url_variants(url)
    ]
    return any(matches)


def parse_receipt(sms_id: "SmsId", form: Form, occurred_at: datetime) -> Receipt | None:
    """What a callback says of a text; None if it is nothing that the ledger keeps."""
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
    """The URL with and without its scheme's default port: Twilio signs either."""
    yield url
    parts = urlsplit(url)
    default = _DEFAULT_PORTS[parts.scheme]
    if parts.port is None:
        yield parts._replace(netloc=f"{parts.netloc}:{default}").geturl()
    elif parts.port == default:
        yield parts._replace(netloc=parts.netloc.removesuffix(f":{default}")).geturl()
