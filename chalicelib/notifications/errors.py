"""What a gateway can answer other than yes, classed by what to do next.

GatewayError
├── TryLater          it was not sent; the queue brings it again
├── Never             it was not sent and never will be
└── OutcomeUnknown    it may have been sent; sending again could mean a second text
"""


class GatewayError(Exception):
    """A text was not, or not surely, accepted.

    `reason` is the gateway's own code; it holds nothing personal.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TryLater(GatewayError):
    """The gateway did not take the text, and may take it later."""


class Never(GatewayError):
    """The gateway refused the text for good."""


class OutcomeUnknown(GatewayError):
    """The gateway did not answer after it was asked to send."""
