"""The write of a corrected registration as its store gets it, and its move to another NIK. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.registrations.captures import CaptureFacts
from chalicelib.registrations.limits import PhoneCountIncrement
from chalicelib.registrations.model import Registration
from chalicelib.registrations.prior_state import WorkerRecord
from chalicelib.registrations.quotas import QuotaState

MAX_MOVED_CAPTURES = 40
"""The captures whose links one transaction can move: DynamoDB takes 100 writes."""


@dataclass(frozen=True)
class KnownWorker:
    """The record of a worker, and the captures that name one of their registrations."""

    record: WorkerRecord | None
    captures: Sequence[tuple[str, str]] = ()
    """Each capture id with the reference that the answer to it names."""


@dataclass(frozen=True)
class WorkerMove:
    """The move of a registration with its captures from one worker, by a wrong NIK, to another.

    `source` is the worker left, whose latest registration becomes `earlier`, an ended one, or none. `target`
    is the other worker's record, which must have no open registration; None if the worker is new.
    """

    source: WorkerRecord
    source_key: str
    earlier: Registration | None
    target: WorkerRecord | None
    capture_ids: Sequence[str]


@dataclass(frozen=True)
class CorrectionWrite:
    """A changed registration with what changes beside it. `facts` are those of the capture that made it.

    `has_other_sponsor`: the earlier sponsor gets a place back, and the new one, if any, gives one, which must
    leave the quota as `quota_state` expects.
    """

    registration: Registration
    previous: Registration
    facts: CaptureFacts | None = None
    phone_increment: PhoneCountIncrement | None = None
    has_other_sponsor: bool = False
    quota_state: QuotaState | None = None
    move: WorkerMove | None = None
