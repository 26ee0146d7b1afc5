"""Rules that decide if an SMS may still be sent."""

import re
from datetime import datetime

from chalicelib.notifications.bodies import Body
from chalicelib.notifications.model import Sms
from chalicelib.notifications.templates import get_template
from chalicelib.registrations.model import Registration, Status
from chalicelib.sms_purposes import Purpose

# An Indonesian mobile number, as intake parses them. Checked again before money is spent, against toll fraud
# by numbers that reached the table in another way.
_MOBILE_PATTERN = re.compile(r"\+628[1-35-9]\d{7,10}")


def may_resend(sms: Sms) -> bool:
    """Return True if a second copy of the SMS does no harm."""
    return get_template(sms.purpose).is_duplicate_harmless


def find_abandon_reason(
    sms: Sms, registration: Registration, body: Body | None, now: datetime, *, has_chat: bool = False
) -> str | None:
    """Return why an SMS with this body must not be sent any more, or None."""
    if registration.lifecycle.status is Status.DECEASED:
        return "deceased"
    if now >= sms.deadline:
        return "expired"
    if registration.worker.phone is None and not has_chat:
        return "no_phone"
    if registration.worker.phone is not None and not _MOBILE_PATTERN.fullmatch(registration.worker.phone):
        return "not_an_indonesian_mobile"
    if body is None or _is_before_phone_correction(sms, registration):
        return "overtaken"
    return None


def _is_before_phone_correction(sms: Sms, registration: Registration) -> bool:
    """Return True if the phone was corrected after the event. The right phone gets one SMS for that.

    Whoever captures a known worker again does that at no version of the registration.
    """
    if sms.purpose is Purpose.ALREADY_REGISTERED:
        return False
    return sms.version < registration.lifecycle.phone_corrected_at
