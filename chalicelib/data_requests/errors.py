"""Refusals of the data_requests package.

Refusal
├── RequestReused      the request id was used before, for another person, act or reason
└── ErasureUnderWay    the person's data is being erased, and what is left is not all that was held
"""

from chalicelib.refusals import Refusal


class RequestReused(Refusal):
    """A request with this id, but another person, act or reason, exists."""

    code = "request_reused"


class ErasureUnderWay(Refusal):
    """An erasure of this person's data has begun and is not finished. Send it again, then ask."""

    code = "erasure_under_way"
