"""The run each minute that queues due SMS."""

from chalicelib import observability
from chalicelib.notifications.due_sms import DueSmsQueuer


def queue_due_sms(queuer: DueSmsQueuer) -> dict[str, int]:
    """Queue due SMS and return the number of each kind.

    Count each run that found sending stopped, which queues nothing, and each that found held SMS.
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
