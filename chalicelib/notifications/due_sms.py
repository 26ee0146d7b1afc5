"""Queuing of SMS that are due.

One index by due time holds retries, reminders, released SMS, and SMS whose worker process died or whose
message got lost.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.conflicts import WriteConflict
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.rate_limiter import SendingStop, SendRateLimiter
from chalicelib.notifications.messages import SmsDue
from chalicelib.notifications.model import Sms
from chalicelib.notifications.templates import SmsKind
from chalicelib.refusals import RecordUnreadable

# The schedule starts a run every minute.
_MAX_RUN_TIME = timedelta(seconds=20)

_BATCH_SIZE = 10


class SmsQueues(Protocol):
    def send(self, kind: SmsKind, messages: Sequence[SmsDue]) -> None:
        """Send every message. Raise TryAgain if the queue did not accept one."""


class DueSmsLedger(Protocol):
    """Finds due SMS in the ledger."""

    def get(self, sms_id: SmsId) -> Sms | None:
        """Return one SMS, or None. Raise RecordUnreadable."""

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        """Store the next revision of an SMS. Return False if the row has changed. Raise WriteConflict."""

    def iter_due(self, kind: SmsKind, now: datetime) -> Iterator[SmsId]:
        """Yield SMS of a kind that are due, longest due first."""

    def iter_held(self) -> Iterator[SmsId]:
        """Yield held SMS, longest held first."""


class DueSmsQueuer:
    def __init__(
        self,
        *,
        ledger: DueSmsLedger,
        rate_limiter: SendRateLimiter,
        queues: SmsQueues,
        clock: Clock,
        on_unreadable: Callable[[RecordUnreadable], object] = lambda _: None,
    ) -> None:
        """`on_unreadable` is called with the error of an SMS that cannot be read, which stays due."""
        self._ledger = ledger
        self._rate_limiter = rate_limiter
        self._queues = queues
        self._clock = clock
        self._on_unreadable = on_unreadable

    def find_stop(self) -> SendingStop | None:
        return self._rate_limiter.find_stop(self._clock())

    def has_held_sms(self) -> bool:
        return next(self._ledger.iter_held(), None) is not None

    def queue_due(self) -> dict[SmsKind, int]:
        """Queue due SMS for up to 20 seconds, confirmations first. Return the number of each kind.

        Each is marked before it is queued: if the message gets lost, the SMS is due again in an hour.
        """
        begun_at = self._clock()
        queued = dict.fromkeys(SmsKind, 0)
        for kind in (SmsKind.CONFIRMATION, SmsKind.REMINDER):
            for batch in _split_batches(self._ledger.iter_due(kind, begun_at)):
                messages = [SmsDue(sms_id=each) for each in batch if self._mark_queued(each)]
                self._queues.send(kind, messages)
                queued[kind] += len(messages)
                if self._clock() >= begun_at + _MAX_RUN_TIME:
                    return queued
        return queued

    def _mark_queued(self, sms_id: SmsId) -> bool:
        try:
            sms, now = self._ledger.get(sms_id), self._clock()
        except RecordUnreadable as error:
            self._on_unreadable(error)
            return False
        # The index may lag behind the table.
        if sms is None or sms.due_at is None or sms.due_at > now:
            return False
        try:
            return self._ledger.update(sms.mark_queued(now), previous=sms)
        except WriteConflict:
            return False


def _split_batches(sms_ids: Iterable[SmsId]) -> Iterator[list[SmsId]]:
    remaining = iter(sms_ids)
    while batch := list(islice(remaining, _BATCH_SIZE)):
        yield batch
