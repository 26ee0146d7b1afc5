"""The source of a capture: what is kept even after its person's data was erased. Pure."""

from dataclasses import dataclass

from chalicelib.callers import Disclosure


@dataclass(frozen=True)
class CaptureSource:
    """The client that sent a capture, its campaign, and what its answer may reveal."""

    client_id: str
    campaign_id: str
    disclosure: Disclosure
