"""The id of an SMS, as gateways get it and echo it in receipts."""

import re
from typing import NewType

SmsId = NewType("SmsId", str)

# As `notifications.sms_ids` makes them, and earlier releases did.
_SMS_ID_PATTERN = re.compile(r"[0-9a-f]{32}")


def parse_sms_id(text: str) -> SmsId | None:
    """Return `text` as an SMS id, or None if it does not have the form of one."""
    return SmsId(text) if _SMS_ID_PATTERN.fullmatch(text) else None
