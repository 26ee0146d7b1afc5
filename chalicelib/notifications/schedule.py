"""The run of every minute that queues SMS that are due."""

from chalicelib import observability
from chalicelib.notifications.due_sms import DueSmsQueuer


def queue_due_sms(queuer: DueSmsQueuer) -> dict[str, int]:
    """Queue SMS that are due, and return their number by kind.

    While sending is stopped, queue nothing and count `SendingStopped`, which raises the alarm. Count
    `SmsHeld` in each run that finds SMS on hold.
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
