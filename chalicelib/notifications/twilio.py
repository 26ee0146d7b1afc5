"""Twilio's Messages resource, and whatever speaks its language.

The standard library's HTTP client is enough for one request, and tells a connection that was never made from
an answer that never came.
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
from chalicelib.notifications.errors import GatewayError, Never, OutcomeUnknown, StopEverything, TryLater
from chalicelib.notifications.gateways import GatewayId, Outgoing
from chalicelib.notifications.twilio_callbacks import OPTED_OUT, callback_url

_CONNECT_SECONDS = 2
_ANSWER_SECONDS = 10
_LONGEST_ANSWER = 64 * 1024

# What the service takes as a validity period, in seconds (Messages resource, ValidityPeriod).
_SHORTEST, _LONGEST = 1, 36_000

# Twilio's error codes (https://www.twilio.com/docs/api/errors) that are about us and not about one text: bad
# credentials, an account that is not active, a sender that may not be used, a country that is not allowed.
_ABOUT_US = frozenset(
    {"10001", "20003", "20005", "21212", "21408", "21603", "21606", "21659", "21660", "30002"}
)
# The queue of our sender is full, or we ask too fast.
_LATER = frozenset({"20429", "21611"})


@dataclass(frozen=True)
class Account:
    """Whose account texts go out on."""

    sid: str
    token: str = field(repr=False)


class _Said(NamedTuple):
    """An answer: its status, and its body if that is an object."""

    status: int
    body: dict[str, Any]

    @property
    def is_failure(self) -> bool:
        """Whether something failed there."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


class TwilioSMS:
    """Satisfies `gateways.Gateway`. It asks once: the service has no idempotency key.

    `account` is asked for with the first text, so that who only reads receipts need not know it.
    """

    name = "twilio"

    def __init__(
        self, *, url: str, account: Callable[[], Account], originator: str, public_url: str, clock: Clock
    ) -> None:
        self._url = urlsplit(url)
        self._account = account
        self._originator = originator
        self._public_url = public_url
        self._clock = clock

    def send(self, outgoing: Outgoing) -> GatewayId:
        """The service's message id. Raises TryLater, Never, StopEverything or OutcomeUnknown."""
        account = self._known_account()
        seconds_left = int((outgoing.deadline - self._clock()).total_seconds())
        form = {
            "To": outgoing.to,
            "From": self._originator,
            "Body": outgoing.words,
            "ValidityPeriod": str(min(max(seconds_left, _SHORTEST), _LONGEST)),
            "StatusCallback": callback_url(self._public_url, outgoing.message_id),
        }
        said = self._ask(account, form)
        sid = said.body.get("sid")
        if said.status == HTTPStatus.CREATED and isinstance(sid, str) and sid:
            return GatewayId(self.name, sid)
        raise self._classed(said)

    def _known_account(self) -> Account:
        try:
            return self._account()
        except (BotoCoreError, ClientError) as error:
            raise TryLater(type(error).__name__, gateway=self.name) from None

    def _ask(self, account: Account, form: dict[str, str]) -> _Said:
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            raise TryLater(type(error).__name__, gateway=self.name) from None
        try:
            connection.sock.settimeout(_ANSWER_SECONDS)
            path = f"{self._url.path.rstrip('/')}/2010-04-01/Accounts/{quote(account.sid)}/Messages.json"
            connection.request("POST", path, urlencode(form), _headers(account))
            answer = connection.getresponse()
            return _Said(answer.status, _object(answer.read(_LONGEST_ANSWER)))
        except (OSError, HTTPException) as error:
            # The request had left, or may have.
            raise OutcomeUnknown(type(error).__name__, gateway=self.name) from None
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        # A new one for each text: what an old one was closed for could not be told from a lost answer.
        make = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        return make(self._url.hostname or "", self._url.port, timeout=_CONNECT_SECONDS)

    def _classed(self, said: _Said) -> GatewayError:
        code = str(said.body.get("code", ""))
        reason = code or f"http_{said.status}"
        if code in _LATER or said.status == HTTPStatus.TOO_MANY_REQUESTS or (code and said.is_failure):
            return TryLater(reason, gateway=self.name)
        if code in _ABOUT_US or said.status in {
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
        }:
            return StopEverything(reason, gateway=self.name)
        if said.status == HTTPStatus.BAD_REQUEST and code:
            return Never(reason, gateway=self.name, opted_out=code == OPTED_OUT)
        # Without a code it was not the service that answered, and what stood behind may have taken the text.
        return OutcomeUnknown(reason, gateway=self.name)


def _headers(account: Account) -> dict[str, str]:
    credentials = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
    return {
        "Authorization": f"Basic {credentials}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
