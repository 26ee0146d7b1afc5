"""The release of SMS that are held because a campaign's budget is spent."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from chalicelib.messaging.model import SmsId
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.notifications.templates import get_template


class HeldSmsLedger(Protocol):
    """Reads and releases held SMS."""

    def get(self, sms_id: SmsId) -> Sms | None:
        """Return one SMS, or None."""

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        """Store the next revision of an SMS. Return False if the row has changed. Raise WriteConflict."""

    def iter_held(self) -> Iterator[SmsId]:
        """Yield held SMS, longest held first."""


def release_held_sms(ledger: HeldSmsLedger, campaign_id: str, *, now: datetime) -> int:
    """Release a campaign's held SMS, each with a new deadline. Return their number."""
    released = 0
    for sms_id in ledger.iter_held():
        sms = ledger.get(sms_id)
        if sms is not None and sms.campaign_id == campaign_id and sms.state is SmsState.HELD:
            deadline = now + get_template(sms.purpose).time_to_live
            released += ledger.update(sms.release(now, deadline=deadline), previous=sms)
    return released
