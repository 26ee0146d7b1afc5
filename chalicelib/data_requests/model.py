"""Requests about one person's data, as they are kept: what was asked, by whom, when and why, and when done.

Never the NIK, nor anything it could be told from.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DataRequestType(StrEnum):
    """What is asked for."""

    DISCLOSURE = "disclosure"
    ERASURE = "erasure"


@dataclass(frozen=True)
class DataRequest:
    """One request. The counts are of what was found when it was first made.

    `subject` is a hash of the NIK that nothing else carries, so that a person can be told of earlier requests
    and of nothing more; `fingerprint` tells the same request from another one under its id.
    """

    request_id: str
    act: DataRequestType
    subject: str
    fingerprint: str
    reason: str
    client_id: str
    asked_at: datetime
    registrations: int
    captures: int
    texts: int
    done_at: datetime | None = None
