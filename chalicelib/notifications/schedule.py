"""The round that comes every minute: texts that are due go back to the senders."""

from chalicelib import observability
from chalicelib.notifications.due_sms import DueSmsQueuer


def queue_due_sms(queuer: DueSmsQueuer) -> dict[str, int]:
    """Queue what is due.

    While sending is stopped nothing is queued, and the metric that raises the alarm says so; another one says
    each time that texts are still held.
    """
    if queuer.has_held_sms():
        observability.count("SmsHeld")
        observability.logger.warning("sms are held")
    stop = queuer.find_stop()
    if stop is not None:
        observability.count("SendingStopped")
        observability.logger.warning("sending is stopped", extra={"reason": stop.reason})
        return {}
    queued = {str(kind): number for kind, number in queuer.queue_due().items()}
    observability.logger.info("due sms queued", extra={"queued": queued})
    return queued
