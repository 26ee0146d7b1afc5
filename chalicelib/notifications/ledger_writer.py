"""Writing of the ledger: each change is made on the row that was read, and repeated if that has changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from chalicelib.conflicts import WriteConflict
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.errors import SmsUnknown
from chalicelib.notifications.model import Sms
from chalicelib.notifications.stores import SmsLedger

# A write fails again only if another process changes the same item in between.
_MAX_WRITE_ATTEMPTS = 6

# Processes in conflict wait a random time up to this.
_MAX_CONFLICT_WAIT = timedelta(milliseconds=80)

Result = TypeVar("Result")


class LedgerWriter:
    """Stores changes of SMS. `random_fraction` returns a number from 0 to 1."""

    def __init__(
        self, ledger: SmsLedger, *, wait: Callable[[timedelta], None], random_fraction: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._wait = wait
        self._random_fraction = random_fraction

    def update(self, sms: Sms, changed: Sms) -> Sms:
        """Store the next revision of an SMS. Return it, or the current row if another process was first."""
        is_stored = self.run(lambda: self._ledger.update(changed, previous=sms))
        return changed if is_stored else self.get(sms.sms_id)

    def apply(self, sms: Sms, change: Callable[[Sms], Sms]) -> Sms:
        """Store a change of an SMS; repeat it on the current row if another process was first.

        Raise WriteConflict or SmsUnknown.
        """
        for _ in range(_MAX_WRITE_ATTEMPTS):
            changed = change(sms)
            if changed is sms:
                return sms
            sms = self.update(sms, changed)
            if sms is changed:
                return sms
        raise WriteConflict(sms.sms_id)

    def run(self, write: Callable[[], Result]) -> Result:
        """Call `write` until it meets no conflict, at most six times. Raise WriteConflict."""
        for _ in range(_MAX_WRITE_ATTEMPTS - 1):
            try:
                return write()
            except WriteConflict:
                self._wait(_MAX_CONFLICT_WAIT * self._random_fraction())
        return write()

    def get(self, sms_id: SmsId) -> Sms:
        """Return an SMS. Raise SmsUnknown."""
        sms = self._ledger.get(sms_id)
        if sms is None:
            raise SmsUnknown(sms_id)
        return sms
