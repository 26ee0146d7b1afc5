"""Errors of gateways, by the next step that each allows, and the refusal of a callback that is not signed.

GatewayError
├── TransientFailure      surely not sent; another attempt may succeed
│   ├── Throttled         requests come too fast; the gateway may say when to come again
│   └── CircuitOpen       no gateway was asked, because it failed too often
├── PermanentFailure      surely not sent; no other attempt will succeed
├── AccountFailure        surely not sent; the gateway accepts nothing from this account
└── OutcomeUnknown        sent or not; another attempt could send a duplicate

Refusal
└── SignatureInvalid
"""

from chalicelib.refusals import Refusal


class GatewayError(Exception):
    """A message was not, or not surely, accepted.

    `reason` is the gateway's own code and holds nothing personal; `gateway` is the name of the gateway.
    """

    def __init__(self, reason: str, *, gateway: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gateway = gateway


class TransientFailure(GatewayError):
    """The gateway did not accept the message and may accept it later."""


class Throttled(TransientFailure):
    """The gateway accepts no message now, but `retry_after_seconds` from now."""

    def __init__(self, reason: str, *, retry_after_seconds: int, gateway: str | None = None) -> None:
        super().__init__(reason, gateway=gateway)
        self.retry_after_seconds = retry_after_seconds


class CircuitOpen(TransientFailure):
    """No gateway accepted the message, and one that might have is not asked for now."""


class PermanentFailure(GatewayError):
    """The gateway refused the message for good; `opted_out` if the recipient has opted out."""

    def __init__(self, reason: str, *, gateway: str | None = None, opted_out: bool = False) -> None:
        super().__init__(reason, gateway=gateway)
        self.opted_out = opted_out


class AccountFailure(GatewayError):
    """The gateway accepts nothing from this account: its spend limit is reached, or it may not send."""


class OutcomeUnknown(GatewayError):
    """The gateway did not answer after it was asked to send."""


class SignatureInvalid(Refusal):
    """A callback without a valid signature of the gateway."""

    code = "signature_invalid"
