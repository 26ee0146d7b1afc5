"""The round that comes every minute: texts that are due go back to the senders."""

from chalicelib import observability
from chalicelib.notifications.requeue import Requeue


def queue_due(requeue: Requeue) -> dict[str, int]:
    """Queue what is due.

    While sending is stopped nothing is queued, and the metric that raises the alarm says so; another one says
    each time that texts are still held.
    """
    if requeue.is_any_held():
        observability.count("TextsHeld")
        observability.logger.warning("texts are held")
    stop = requeue.stopped()
    if stop is not None:
        observability.count("SendingStopped")
        observability.logger.warning("sending is stopped", extra={"reason": stop.reason})
        return {}
    queued = {str(kind): number for kind, number in requeue.queue_due().items()}
    observability.logger.info("due texts queued", extra={"queued": queued})
    return queued
