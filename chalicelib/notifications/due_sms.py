"""From the ledger back to the senders: what is due is queued again, however long it had to wait.

Retries, reminders, texts released by hand, and those whose sender was stopped or whose message got lost: all
stand in one index by when somebody must look at them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.messaging.rate_limiter import SendingStop, SendRateLimiter
from chalicelib.notifications.messages import SmsDue
from chalicelib.notifications.model import SmsId
from chalicelib.notifications.service import SmsLedger, WriteConflict
from chalicelib.notifications.templates import SmsKind

# Each round is begun a minute after the last, and must be over before the function is stopped.
_MAX_RUN_TIME = timedelta(seconds=20)

_BATCH_SIZE = 10


class SmsQueues(Protocol):
    """Where senders are told of texts."""

    def send(self, kind: SmsKind, messages: Sequence[SmsDue]) -> None:
        """Send every message. Raises TryAgain if the queue did not take one."""


class DueSmsQueuer:
    """Looks for texts that are due."""

    def __init__(
        self, *, ledger: SmsLedger, rate_limiter: SendRateLimiter, queues: SmsQueues, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._rate_limiter = rate_limiter
        self._queues = queues
        self._clock = clock

    def find_stop(self) -> SendingStop | None:
        """Why nothing is sent now, if so; then nothing need be queued."""
        return self._rate_limiter.find_stop(self._clock())

    def has_held_sms(self) -> bool:
        """Whether texts wait for somebody to release them."""
        return next(self._ledger.iter_held(), None) is not None

    def queue_due(self) -> dict[SmsKind, int]:
        """Queue every text that is due, confirmations first, as far as a round goes. How many of each kind.

        A text is put off before it is queued: where the message gets lost, it is due again in an hour.
        """
        begun_at = self._clock()
        queued = dict.fromkeys(SmsKind, 0)
        for kind in (SmsKind.CONFIRMATION, SmsKind.REMINDER):
            for some in _split_batches(self._ledger.iter_due(kind, begun_at)):
                messages = [SmsDue(sms_id=each) for each in some if self._mark_queued(each)]
                self._queues.send(kind, messages)
                queued[kind] += len(messages)
                if self._clock() >= begun_at + _MAX_RUN_TIME:
                    return queued
        return queued

    def _mark_queued(self, sms_id: SmsId) -> bool:
        text, now = self._ledger.get(sms_id), self._clock()
        # The index may lag behind what has been done about a text already.
        if text is None or text.due_at is None or text.due_at > now:
            return False
        try:
            return self._ledger.update(text.mark_queued(now), previous=text)
        except WriteConflict:
            return False


def _split_batches(sms_ids: Iterable[SmsId]) -> Iterator[list[SmsId]]:
    rest = iter(sms_ids)
    while some := list(islice(rest, _BATCH_SIZE)):
        yield some
