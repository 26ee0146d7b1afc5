"""The limits of intake that the store enforces, and the flags of what comes near them."""

from collections.abc import Iterator
from datetime import date

from chalicelib.callers import DailyCap
from chalicelib.registrations.errors import PhoneCapReached
from chalicelib.registrations.model import Flag
from chalicelib.registrations.quotas import QuotaState
from chalicelib.registrations.submission import Submission
from chalicelib.values import Value

# Higher than any real count, so that the write counts without refusing.
UNLIMITED_COUNT = 10**9


class PhoneCountIncrement(Value):
    """One more capture of `day` with a phone number, allowed if there were fewer than `limit`."""

    phone_key: str
    day: date
    limit: int


class PhoneCountExceeded(Exception):
    """The day has `phone_count` captures with this phone number already."""

    def __init__(self, phone_count: int) -> None:
        super().__init__(str(phone_count))
        self.phone_count = phone_count


def build_phone_increment(
    submission: Submission, phone_count: int, phone_key: str | None, *, cap: DailyCap
) -> PhoneCountIncrement | None:
    """Return the increment of the phone number's count, with the limit that the count is below.

    Return None for a worker without a phone. Raise PhoneCapReached, but never for the public: it would reveal
    that others gave this number.
    """
    if phone_key is None:
        return None
    if phone_count < cap.flag:
        limit = cap.flag
    elif phone_count < cap.cap:
        limit = cap.cap
    elif submission.is_public:
        limit = UNLIMITED_COUNT
    else:
        reached = PhoneCapReached(f"{phone_count} today")
        raise reached.with_retry_after(submission.seconds_until_day_end)
    return PhoneCountIncrement(phone_key, submission.received_on, limit)


def iter_flags(
    submission: Submission, phone_count: int, quota_state: QuotaState | None, *, phone_cap: DailyCap
) -> Iterator[Flag]:
    """Yield what is unusual about a submission."""
    if submission.allowance.is_over_flag:
        yield Flag.CLIENT_BUSY
    if submission.allowance.is_unusual:
        yield Flag.CLIENT_UNUSUAL
    if phone_count >= phone_cap.cap:
        yield Flag.PHONE_OVER_CAP
    elif phone_count >= phone_cap.flag:
        yield Flag.PHONE_BUSY
    if quota_state is not None and quota_state.is_full:
        yield Flag.SPONSOR_OVER_QUOTA
