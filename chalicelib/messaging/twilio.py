"""The gateway for Twilio's Messages resource and compatible services.

The standard library's HTTP client is enough for one request, and distinguishes a failed connection from a
lost answer.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.clock import Clock
from chalicelib.messaging.errors import (
    AccountFailure,
    GatewayError,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import GatewayAcceptance, OutgoingSms
from chalicelib.messaging.twilio_callbacks import OPTED_OUT_CODE, build_callback_url

_CONNECT_TIMEOUT_SECONDS = 2
_RESPONSE_TIMEOUT_SECONDS = 10
_MAX_RESPONSE_BYTES = 64 * 1024

# The limits of the Messages resource's ValidityPeriod.
_MIN_VALIDITY_SECONDS, _MAX_VALIDITY_SECONDS = 1, 36_000

# Twilio's error codes (https://www.twilio.com/docs/api/errors) about the account and not about one SMS: bad
# credentials, an account that is not active, a sender that may not be used, a country that is not allowed.
_ACCOUNT_CODES = frozenset(
    {"10001", "20003", "20005", "21212", "21408", "21603", "21606", "21659", "21660", "30002"}
)
# The queue of the originator is full, or requests come too fast.
_TRANSIENT_CODES = frozenset({"20429", "21611"})


@dataclass(frozen=True)
class TwilioAccount:
    """The credentials of the account that SMS are sent from."""

    sid: str
    token: str = field(repr=False)


class _Response(NamedTuple):
    """The status of an HTTP response, and its body if that is a JSON object."""

    status: int
    body: dict[str, Any]


class TwilioGateway:
    """Satisfies `gateways.Gateway`. It never retries: the service has no idempotency key.

    `get_account` is called with each SMS, so that functions that send none need no right to read the secret.
    """

    name = "twilio"

    def __init__(
        self,
        *,
        url: str,
        get_account: Callable[[], TwilioAccount],
        originator: str,
        public_url: str,
        clock: Clock,
    ) -> None:
        self._url = urlsplit(url)
        self._get_account = get_account
        self._originator = originator
        self._public_url = public_url
        self._clock = clock

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        account = self._load_account()
        ttl = outgoing.compute_ttl_seconds(
            self._clock(), minimum=_MIN_VALIDITY_SECONDS, maximum=_MAX_VALIDITY_SECONDS
        )
        form = {
            "To": outgoing.phone,
            "From": self._originator,
            "Body": outgoing.body,
            "ValidityPeriod": str(ttl),
            "StatusCallback": build_callback_url(self._public_url, outgoing.sms_id),
        }
        response = self._post(account, form)
        sid = response.body.get("sid")
        if response.status == HTTPStatus.CREATED and isinstance(sid, str) and sid:
            return GatewayAcceptance(self.name, sid)
        raise self._classify(response)

    def _load_account(self) -> TwilioAccount:
        try:
            return self._get_account()
        except (BotoCoreError, ClientError) as error:
            raise TransientFailure(type(error).__name__, gateway=self.name) from None

    def _post(self, account: TwilioAccount, form: dict[str, str]) -> _Response:
        connection = self._open_connection()
        try:
            connection.connect()
        except OSError as error:
            raise TransientFailure(type(error).__name__, gateway=self.name) from None
        try:
            connection.sock.settimeout(_RESPONSE_TIMEOUT_SECONDS)
            path = f"{self._url.path.rstrip('/')}/2010-04-01/Accounts/{quote(account.sid)}/Messages.json"
            connection.request("POST", path, urlencode(form), _build_headers(account))
            response = connection.getresponse()
            return _Response(response.status, _parse_object(response.read(_MAX_RESPONSE_BYTES)))
        except (OSError, HTTPException) as error:
            # The request was sent, or may have been.
            raise OutcomeUnknown(type(error).__name__, gateway=self.name) from None
        finally:
            connection.close()

    def _open_connection(self) -> HTTPConnection:
        # A new one for each SMS: a kept connection that was closed looks the same as a lost answer.
        make = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        return make(self._url.hostname or "", self._url.port, timeout=_CONNECT_TIMEOUT_SECONDS)

    def _classify(self, response: _Response) -> GatewayError:
        code = str(response.body.get("code", ""))
        reason = code or f"http_{response.status}"
        if (
            code in _TRANSIENT_CODES
            or response.status == HTTPStatus.TOO_MANY_REQUESTS
            or (code and response.status >= HTTPStatus.INTERNAL_SERVER_ERROR)
        ):
            return TransientFailure(reason, gateway=self.name)
        if code in _ACCOUNT_CODES or response.status in {
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
        }:
            return AccountFailure(reason, gateway=self.name)
        if response.status == HTTPStatus.BAD_REQUEST and code:
            return PermanentFailure(reason, gateway=self.name, opted_out=code == OPTED_OUT_CODE)
        # Not from the service but from a proxy in front of it: the SMS may have been accepted.
        return OutcomeUnknown(reason, gateway=self.name)


def _build_headers(account: TwilioAccount) -> dict[str, str]:
    credentials = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
    return {
        "Authorization": f"Basic {credentials}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
