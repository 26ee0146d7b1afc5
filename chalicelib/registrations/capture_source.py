"""The source of a capture: what is kept even after its person's data was erased. Pure."""

from chalicelib.callers import Disclosure
from chalicelib.values import Value


class CaptureSource(Value):
    """The client that sent a capture, its campaign, and what its answer may reveal."""

    client_id: str
    campaign_id: str
    disclosure: Disclosure
