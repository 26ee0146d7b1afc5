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
    from chalicelib.notifications.model import MessageId

PATH = "/v1/gateways/twilio/receipts"
_ECHO = "message_id"
_MESSAGE_ID = re.compile(r"[0-9a-f]{32}")
# A callback has some fifteen parameters; whoever sends hundreds is not Twilio.
_MOST_PARAMETERS = 100

_STATES: Mapping[str, Literal["sent", "delivered", "failed"]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
# https://www.twilio.com/docs/api/errors/21610: the recipient has unsubscribed.
OPTED_OUT = "21610"
_DEFAULT_PORTS = {"https": 443, "http": 80}

Form = Mapping[str, list[str]]


def callback_url(public_url: str, message_id: str) -> str:
    """Where Twilio is to report on a text; its id comes back with the URL."""
    return f"{public_url.rstrip('/')}{PATH}?{urlencode({_ECHO: message_id})}"


def echoed(query: Mapping[str, str]) -> "MessageId | None":
    """The id of the text that a callback's URL names, if it is one that we could have given."""
    given = query.get(_ECHO, "")
    return cast("MessageId", given) if set(query) == {_ECHO} and _MESSAGE_ID.fullmatch(given) else None


def form_of(body: bytes) -> Form | None:
    """The parameters of a callback, empty ones too; None if it is no form."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def signature(url: str, form: Form, token: str) -> str:
    """What Twilio signs: the URL, then each name in order, with each of its different values in order."""
    parameters = (name + value for name in sorted(form) for value in sorted(set(form[name])))
    # Twilio's choice of hash. SHA-1 in an HMAC is not broken by what breaks it as a bare digest.
    signed = hmac.new(token.encode(), (url + "".join(parameters)).encode(), hashlib.sha1)
    return base64.b64encode(signed.digest()).decode()


def is_signed(url: str, form: Form, given: str, token: str) -> bool:
    """Whether the signature given is Twilio's, in a time that tells nothing of how near it came."""
    matches = [
        hmac.compare_digest(signature(spelling, form, token).encode(), given.encode())
        for spelling in _spellings(url)
    ]
    return any(matches)


def receipt(message_id: "MessageId", form: Form, at: datetime) -> Receipt | None:
    """What a callback says of a text; None if it is nothing that the ledger keeps."""
    state = _STATES.get(_only(form, "MessageStatus"))
    gateway_id = _only(form, "MessageSid")
    if state is None or not gateway_id:
        return None
    reason = _only(form, "ErrorCode") or None
    return Receipt(
        message_id=message_id,
        gateway="twilio",
        gateway_id=gateway_id,
        state=state,
        at=at,
        reason=reason,
        opted_out=reason == OPTED_OUT,
    )


def _only(form: Form, name: str) -> str:
    return form[name][0] if len(form.get(name, ())) == 1 else ""


def _spellings(url: str) -> Iterator[str]:
    """The URL with and without its scheme's default port: Twilio signs either."""
    yield url
    parts = urlsplit(url)
    default = _DEFAULT_PORTS[parts.scheme]
    if parts.port is None:
        yield parts._replace(netloc=f"{parts.netloc}:{default}").geturl()
    elif parts.port == default:
        yield parts._replace(netloc=parts.netloc.removesuffix(f":{default}")).geturl()
