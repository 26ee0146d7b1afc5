"""Refusals of the data_requests package.

Refusal
└── RequestReused    the request id was used before, for another person, act or reason
"""

from chalicelib.refusals import Refusal


class RequestReused(Refusal):
    """A request with this id, but another person, act or reason, exists."""

    code = "request_reused"
