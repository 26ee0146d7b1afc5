"""Takeovers: an application that the public made gives way to an officer of another campaign.

Whoever registers somebody's NIK first must not keep the van from registering the person who stands before it
with an identity card. In the application's own campaign nothing gives way: its officers see and cancel it.
"""

from collections.abc import Callable
from dataclasses import replace

from chalicelib.callers import Disclosure
from chalicelib.refusals import RecordUnreadable
from chalicelib.registrations.capture_metadata import CaptureMetadata
from chalicelib.registrations.model import OPEN_UNPAID_STATUSES, Flag, Registration
from chalicelib.registrations.prior_state import WorkerRecord
from chalicelib.registrations.references import Reference
from chalicelib.values import Value


class Takeover(Value):
    """An application that gives way: as it is stored, and its last version."""

    previous: Registration
    ended: Registration


def read_takeover(
    find_registration: Callable[[Reference], Registration | None],
    known: WorkerRecord | None,
    capture_metadata: CaptureMetadata,
) -> Takeover | None:
    """Return how the application of a known worker gives way to a capture; None if it does not.

    It is read only for officers, and while it is unpaid. One that cannot be read does not give way.
    """
    if known is None or known.status not in OPEN_UNPAID_STATUSES or not _is_officers(capture_metadata):
        return None
    try:
        recorded = find_registration(known.reference)
    except RecordUnreadable:
        return None
    return None if recorded is None else find_takeover(recorded, capture_metadata)


def find_takeover(recorded: Registration, capture_metadata: CaptureMetadata) -> Takeover | None:
    """Return how a recorded application gives way to a capture; None if it does not.

    Nobody may have paid for it: a membership is never taken over. A payment code may have been issued.
    """
    recorded_metadata = recorded.capture_metadata
    if (
        not _is_officers(capture_metadata)
        or _is_officers(recorded_metadata)
        or recorded_metadata.campaign_id == capture_metadata.campaign_id
        or recorded.lifecycle.status not in OPEN_UNPAID_STATUSES
        or recorded.lifecycle.payments
    ):
        return None
    ended = replace(
        recorded,
        lifecycle=recorded.lifecycle.with_takeover(
            occurred_at=capture_metadata.received_at, client_id=capture_metadata.client_id
        ),
        flags=(*recorded.flags, Flag.TAKEN_OVER),
    )
    return Takeover(recorded, ended)


def _is_officers(capture_metadata: CaptureMetadata) -> bool:
    return capture_metadata.disclosure is Disclosure.OFFICER
