"""From the ledger back to the senders: what is due is queued again, however long it had to wait.

Retries, reminders, texts released by hand, and those whose sender was stopped or whose message got lost: all
stand in one index by when somebody must look at them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.notifications.messages import TextDue
from chalicelib.notifications.model import MessageId
from chalicelib.notifications.pace import Line, Stop
from chalicelib.notifications.service import Contended, Ledger
from chalicelib.notifications.templates import Kind

# Each round is begun a minute after the last, and must be over before the function is stopped.
_ROUND = timedelta(seconds=20)

_AT_ONCE = 10


class Queues(Protocol):
    """Where senders are told of texts."""

    def send(self, kind: Kind, due: Sequence[TextDue]) -> None:
        """Send every message. Raises TryAgain if the queue did not take one."""


class Requeue:
    """Looks for texts that are due."""

    def __init__(self, *, ledger: Ledger, line: Line, queues: Queues, clock: Clock) -> None:
        self._ledger = ledger
        self._line = line
        self._queues = queues
        self._clock = clock

    def stopped(self) -> Stop | None:
        """Why nothing is sent now, if so; then nothing need be queued."""
        return self._line.stopped(self._clock())

    def is_any_held(self) -> bool:
        """Whether texts wait for somebody to release them."""
        return next(self._ledger.held(), None) is not None

    def queue_due(self) -> dict[Kind, int]:
        """Queue every text that is due, confirmations first, as far as a round goes. How many of each kind.

        A text is put off before it is queued: where the message gets lost, it is due again in an hour.
        """
        begun_at = self._clock()
        queued = dict.fromkeys(Kind, 0)
        for kind in (Kind.CONFIRMATION, Kind.REMINDER):
            for some in _groups(self._ledger.due(kind, begun_at)):
                messages = [TextDue(message_id=each) for each in some if self._put_off(each)]
                self._queues.send(kind, messages)
                queued[kind] += len(messages)
                if self._clock() >= begun_at + _ROUND:
                    return queued
        return queued

    def _put_off(self, due: MessageId) -> bool:
        text, now = self._ledger.get(due), self._clock()
        # The index may lag behind what has been done about a text already.
        if text is None or text.due_at is None or text.due_at > now:
            return False
        try:
            return self._ledger.move(text.queued(now), was=text)
        except Contended:
            return False


def _groups(found: Iterable[MessageId]) -> Iterator[list[MessageId]]:
    rest = iter(found)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
