"""The stored state that a write depends on, and what a failed condition reports. Pure."""

from collections.abc import Mapping

from chalicelib.registrations.captures import Capture
from chalicelib.registrations.model import Status
from chalicelib.registrations.references import Reference
from chalicelib.values import Value


class WorkerRecord(Value):
    """The latest registration of a worker, the keyed hashes of their identity fields, and their captures."""

    reference: Reference
    status: Status
    has_ended: bool
    identity: Mapping[str, str] | None = None
    captures: int = 0


class PriorState(Value):
    """The stored state of a worker, of a phone number's count on one day, and of a sponsor's places."""

    worker_record: WorkerRecord | None = None
    phone_count: int = 0
    places_taken: int = 0


class CaptureExists(Exception):
    """The store holds a capture with this id already: `capture`."""

    def __init__(self, capture: Capture) -> None:
        super().__init__(capture.capture_metadata.capture_id)
        self.capture = capture


class WorkerExists(Exception):
    """The worker has a registration already, which may have ended."""

    def __init__(self, worker_record: WorkerRecord) -> None:
        super().__init__(worker_record.reference)
        self.worker_record = worker_record
