"""What a gateway can answer other than yes, classed by what to do next, and callbacks nobody can vouch for.

GatewayError
├── TransientFailure          it was not sent, and may be later
│   └── CircuitOpen     a gateway that might have taken it is not asked for a while
├── PermanentFailure             it was not sent and never will be
├── AccountFailure    it was not sent, and no other text would be
└── OutcomeUnknown    it may have been sent; sending again could mean a second text

Refusal
└── SignatureInvalid  nobody knows who sent this callback
"""

from chalicelib.refusals import Refusal


class GatewayError(Exception):
    """A text was not, or not surely, accepted.

    `reason` is the gateway's own code; it holds nothing personal. `gateway` is who gave it.
    """

    def __init__(self, reason: str, *, gateway: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gateway = gateway


class TransientFailure(GatewayError):
    """The gateway did not take the text, and may take it later."""


class CircuitOpen(TransientFailure):
    """No gateway took the text, and one that might have is not asked: it is left alone for a while."""


class PermanentFailure(GatewayError):
    """The gateway refused the text for good; `opt_outs` if because the worker wants no more texts."""

    def __init__(self, reason: str, *, gateway: str | None = None, opted_out: bool = False) -> None:
        super().__init__(reason, gateway=gateway)
        self.opted_out = opted_out


class AccountFailure(GatewayError):
    """The gateway takes nothing from us at all: the month's money is spent, or we may not send."""


class OutcomeUnknown(GatewayError):
    """The gateway did not answer after it was asked to send."""


class SignatureInvalid(Refusal):
    """A callback without the proof that it is the gateway's."""

    code = "signature_invalid"
