"""What the privacy package refuses.

Refusal
└── RequestReused    the request id was used before, for another person, act or reason
"""

from chalicelib.refusals import Refusal


class RequestReused(Refusal):
    """A request with this id, but about another person, act or reason, was made before."""

    code = "request_reused"
