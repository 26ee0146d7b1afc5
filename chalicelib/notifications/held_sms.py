"""The release of SMS that are held because a campaign's budget is spent."""

from datetime import datetime

from chalicelib.notifications.due_sms import DueSmsLedger
from chalicelib.notifications.model import SmsState
from chalicelib.notifications.templates import get_template
from chalicelib.refusals import RecordUnreadable


def release_held_sms(ledger: DueSmsLedger, campaign_id: str, *, now: datetime) -> int:
    """Release a campaign's held SMS, each with a new deadline. Return their number.

    One that cannot be read stays held; `daftar records unreadable` lists it.
    """
    released = 0
    for sms_id in ledger.iter_held():
        try:
            sms = ledger.get(sms_id)
        except RecordUnreadable:
            continue
        if sms is not None and sms.campaign_id == campaign_id and sms.state is SmsState.HELD:
            deadline = now + get_template(sms.purpose).time_to_live
            released += ledger.update(sms.release(now, deadline=deadline), previous=sms)
    return released
