"""Publication of changes from the registrations table's stream. The table is the outbox.

Every change is published at least once. Consumers accept repeats, so nothing here remembers what was sent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chalicelib.callers import Disclosure
from chalicelib.campaigns.model import CampaignDay
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.domain_events import (
    DomainEvent,
    KnownWorkerMet,
    RegistrationChanged,
    RegistrationReceived,
    SmsRequested,
)
from chalicelib.registrations.model import EventType, Flag, Status
from chalicelib.registrations.references import Reference

StreamRecord = Mapping[str, Any]

# The events that a worker gets an SMS for, with the statuses after them. A mismatch during a paid membership
# changes nothing for the worker.
_NOTIFIABLE_STATUSES = {
    EventType.PAYMENT_CODE_ISSUED: frozenset(Status),
    EventType.PAID: frozenset(Status),
    EventType.MISMATCHED: frozenset({Status.MISMATCH}),
    EventType.LAPSING_SOON: frozenset(Status),
    EventType.CANCELLED: frozenset(Status),
}


@dataclass(frozen=True)
class CaptureChange:
    """A stored, corrected or erased capture. An erased one has no outcome, reference or correlation id.

    `is_copy`: another stage has received it, so that it is new to nobody.
    """

    campaign_day: CampaignDay
    is_new: bool
    outcome: Outcome | None
    disclosure: Disclosure
    reference: Reference | None
    correlation_id: str
    capture_id: str | None = None
    is_copy: bool = False


@dataclass(frozen=True)
class PublishedEvent:
    """An event of a registration, and the version of the registration that it made.

    `purpose` is that of a requested SMS.
    """

    event_type: EventType
    status: Status
    version: int
    purpose: str | None = None


@dataclass(frozen=True)
class RegistrationChange:
    """A registration that was stored, changed, destroyed or erased, with the events since the last change.

    `new_flags` are those since the last change. `lookups` are the keyed hashes by which registrations of
    different workers are found together: they and `worker_key` are gone once it was destroyed or erased.
    `is_copy`: another stage has received it, and published its events until it was copied.
    """

    campaign_day: CampaignDay
    is_new: bool
    reference: Reference
    correlation_id: str
    flags: tuple[Flag, ...]
    new_events: tuple[PublishedEvent, ...]
    client_id: str = ""
    new_flags: tuple[Flag, ...] = ()
    worker_key: str | None = None
    previous_worker_key: str | None = None
    lookups: Mapping[str, str] = field(default_factory=dict)
    previous_lookups: Mapping[str, str] = field(default_factory=dict)
    is_gone: bool = False
    is_copy: bool = False


@dataclass(frozen=True)
class UnusualClientChange:
    """A client with many unusual attempts, which the summary of a campaign day shows."""

    campaign_day: CampaignDay


Change = CaptureChange | RegistrationChange | UnusualClientChange


class NotificationQueue(Protocol):
    """The queue of events that workers get an SMS for."""

    def send(self, domain_events: Sequence[DomainEvent]) -> None:
        """Send every event. Raise TryAgain if the queue refused one; others may have been sent."""


class DirtyDays(Protocol):
    """The campaign days that are to be counted again."""

    def mark_dirty(self, campaign_day: CampaignDay) -> None:
        """Ask for a day to be counted again."""


class StreamPublisher:
    """Publishes the changes in stream records.

    A known worker whom an officer captures again gets an SMS only if `may_notify_known_workers`.
    """

    def __init__(
        self,
        *,
        parse_change: Callable[[StreamRecord], Change | None],
        notification_queue: NotificationQueue,
        dirty_days: DirtyDays,
        may_notify_known_workers: bool,
        review_changes: Callable[[Sequence[Change]], object] = lambda _: None,
    ) -> None:
        """`review_changes` is called last: no SMS waits for it."""
        self._review_changes = review_changes
        self._parse_change = parse_change
        self._notification_queue = notification_queue
        self._dirty_days = dirty_days
        self._may_notify_known_workers = may_notify_known_workers

    def publish(self, records: Sequence[StreamRecord]) -> None:
        """Publish a batch of changes; each campaign day is marked once.

        Raise if anything could not be published.
        """
        changes = [change for change in map(self._parse_change, records) if change is not None]
        for campaign_day in sorted({change.campaign_day for change in changes}):
            self._dirty_days.mark_dirty(campaign_day)
        self._notification_queue.send([event for change in changes for event in self._iter_events(change)])
        self._review_changes(changes)

    def _iter_events(self, change: Change) -> Iterator[DomainEvent]:
        if isinstance(change, RegistrationChange):
            yield from _iter_registration_events(change)
        elif isinstance(change, CaptureChange) and self._may_notify_known_workers:
            yield from _iter_capture_events(change)


def _iter_capture_events(change: CaptureChange) -> Iterator[DomainEvent]:
    is_known_worker = change.is_new and not change.is_copy and change.outcome is Outcome.ALREADY_REGISTERED
    if is_known_worker and change.disclosure is Disclosure.OFFICER and change.reference is not None:
        yield KnownWorkerMet(reference=change.reference, correlation_id=change.correlation_id)


def _iter_registration_events(change: RegistrationChange) -> Iterator[DomainEvent]:
    # A phone number that is over its cap gets no SMS: giving it again and again must not flood its owner.
    if change.is_new and not change.is_copy and Flag.PHONE_OVER_CAP not in change.flags:
        yield RegistrationReceived(reference=change.reference, correlation_id=change.correlation_id)
    for event in change.new_events:
        if event.status in _NOTIFIABLE_STATUSES.get(event.event_type, ()):
            yield RegistrationChanged(
                reference=change.reference,
                correlation_id=change.correlation_id,
                event_type=event.event_type,
                event_version=event.version,
            )
        elif event.purpose is not None:
            yield SmsRequested(
                reference=change.reference,
                correlation_id=change.correlation_id,
                purpose=event.purpose,
                event_version=event.version,
            )
