"""From the table's stream to those who wait for news: the table is the outbox, this is its postman.

Every change is announced at least once. Readers take repeats, so nothing here remembers what it sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeGuard

from chalicelib.aws.items import from_item
from chalicelib.callers import Channel
from chalicelib.campaigns.model import CampaignDay
from chalicelib.registrations.messages import (
    DomainEvent,
    KnownWorkerMet,
    RegistrationChanged,
    RegistrationReceived,
)
from chalicelib.registrations.model import Flag, Outcome
from chalicelib.registrations.states import EventType, Status

StreamRecord = Mapping[str, Any]
Values = dict[str, Any]

# What is announced is read from these alone. Sealed values have no business here, and Lambda hands binary
# values over as base64 text, which is not what the table holds: the facts of a registration hold such.
_ATTRIBUTES_READ = {
    "CAPTURE": ("sk", "taken", "day_shard", "facts", "reference", "forgotten"),
    "APPLICATION": ("sk", "taken", "reference", "history", "flags"),
}

# Of these a worker is told. A mismatch found while the membership is paid for changes nothing for the worker.
_NOTIFIABLE_STATUSES = {
    EventType.PAYMENT_CODE_ISSUED: frozenset(Status),
    EventType.PAID: frozenset(Status),
    EventType.MISMATCHED: frozenset({Status.MISMATCH}),
    EventType.LAPSING_SOON: frozenset(Status),
}

# A bot speaks with strangers, and a stranger must not make us text a worker.
_PUBLIC_CHANNELS = frozenset({Channel.BOT, Channel.WEB})

# What changed in none of these is counted as before: it was sealed anew, under another key.
_COUNTED_ATTRIBUTES = {
    "CAPTURE": ("facts", "day_shard", "forgotten"),
    "APPLICATION": ("history", "destroyed_at"),
}


class NotificationQueue(Protocol):
    """Where news for workers goes."""

    def send(self, domain_events: Sequence[DomainEvent]) -> None:
        """Send every message, or raise."""


class DirtyDays(Protocol):
    """Where days to recount are marked."""

    def mark_dirty(self, campaign_day: CampaignDay) -> None:
        """Ask for a day to be counted again."""


class StreamPublisher:
    """Reads stream records and passes on what they say.

    A known worker who is met again is told only where the stage says so: the officer who knows it is there to
    say it.
    """

    def __init__(
        self, *, notification_queue: NotificationQueue, dirty_days: DirtyDays, may_notify_known_workers: bool
    ) -> None:
        self._notification_queue = notification_queue
        self._dirty_days = dirty_days
        self._may_notify_known_workers = may_notify_known_workers

    def publish(self, records: Sequence[StreamRecord]) -> int:
        """Announce a batch of changes; each campaign day is marked once.

        Raises if anything could not be passed on.
        """
        news = [each for record in records for each in interpret_record(record)]
        touched = {each for each in news if isinstance(each, CampaignDay)}
        for day in sorted(touched):
            self._dirty_days.mark_dirty(day)
        self._notification_queue.send([each for each in news if self._is_sent_to_queue(each)])
        return len(news)

    def _is_sent_to_queue(self, effect: DomainEvent | CampaignDay) -> TypeGuard[DomainEvent]:
        if isinstance(effect, KnownWorkerMet):
            return self._may_notify_known_workers
        return not isinstance(effect, CampaignDay)


def interpret_record(record: StreamRecord) -> Iterator[DomainEvent | CampaignDay]:
    """What one stream record says, if it says anything to anyone."""
    now, before = _parse_image(record, "NewImage"), _parse_image(record, "OldImage")
    if now is None:
        if before is not None and before["sk"] == "APPLICATION":
            yield _read_campaign_day(before)
    elif not _has_counted_change(record, now["sk"]):
        return
    elif now["sk"] == "CAPTURE":
        yield from _interpret_capture(now, is_new=record["eventName"] == "INSERT")
    elif record["eventName"] == "INSERT":
        # Its capture, stored with it, marks the day too; but this may be a change that is told once more from
        # the table.
        yield _read_campaign_day(now)
        yield from _interpret_new_registration(now)
    else:
        yield _read_campaign_day(now)
        yield from _interpret_changed_registration(now, previous=before or now)


def _has_counted_change(record: StreamRecord, sort_key: str) -> bool:
    before, now = (record["dynamodb"].get(image, {}) for image in ("OldImage", "NewImage"))
    return any(before.get(name) != now.get(name) for name in _COUNTED_ATTRIBUTES[sort_key])


def _read_campaign_day(item: Values) -> CampaignDay:
    return CampaignDay(item["taken"]["campaign_id"], date.fromisoformat(item["taken"]["day"]))


def _interpret_capture(capture: Values, *, is_new: bool) -> Iterator[DomainEvent | CampaignDay]:
    if "day_shard" not in capture and "forgotten" not in capture:
        return  # Refused for its day: it is counted under none.
    yield _read_campaign_day(capture)
    taken, facts = capture["taken"], capture.get("facts", {})
    known = facts.get("outcome") == Outcome.ALREADY_REGISTERED
    if is_new and known and facts["channel"] not in _PUBLIC_CHANNELS:
        yield KnownWorkerMet(reference=capture["reference"], correlation_id=taken["correlation_id"])


def _interpret_new_registration(registration: Values) -> Iterator[DomainEvent]:
    # Nobody shall be flooded with texts by having their number given again and again.
    if Flag.PHONE_OVER_CAP not in registration.get("flags", ()):
        yield RegistrationReceived(
            reference=registration["reference"], correlation_id=registration["taken"]["correlation_id"]
        )


def _interpret_changed_registration(registration: Values, *, previous: Values) -> Iterator[DomainEvent]:
    history, known = registration["history"], len(previous["history"])
    for version, event in enumerate(history[known:], start=known + 1):
        event_type = EventType(event["event_type"])
        if event["status"] in _NOTIFIABLE_STATUSES.get(event_type, ()):
            yield RegistrationChanged(
                reference=registration["reference"],
                correlation_id=registration["taken"]["correlation_id"],
                event_type=event_type,
                event_version=version,
            )


def _parse_image(record: StreamRecord, image_name: str) -> Values | None:
    found = record["dynamodb"].get(image_name)
    kind = found["sk"]["S"] if found else None
    if kind not in _ATTRIBUTES_READ:
        return None
    return from_item({name: found[name] for name in _ATTRIBUTES_READ[kind] if name in found})
