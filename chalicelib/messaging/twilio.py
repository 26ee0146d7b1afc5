"""The gateway for Twilio's Messages resource and compatible services."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote, urlencode

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
from chalicelib.messaging.http_posts import HttpAnswer, post
from chalicelib.messaging.twilio_callbacks import OPTED_OUT_CODE, build_callback_url

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
        self._url = url
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
            "To": outgoing.number,
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

    def _post(self, account: TwilioAccount, form: dict[str, str]) -> HttpAnswer:
        url = f"{self._url.rstrip('/')}/2010-04-01/Accounts/{quote(account.sid)}/Messages.json"
        return post(url, urlencode(form), _build_headers(account), gateway=self.name)

    def _classify(self, response: HttpAnswer) -> GatewayError:
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
