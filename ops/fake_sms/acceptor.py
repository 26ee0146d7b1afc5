"""Accept an SMS from either protocol, or apply an armed fault."""

import time

from ops.fake_sms.faults import TIMEOUT_MODES, FaultInjector, FaultMode
from ops.fake_sms.inbox import Inbox, ReceivedSms
from ops.fake_sms.receipts import ReceiptSender


class ConnectionDropped(Exception):
    """The connection must be closed without a response."""


class SmsAcceptor:
    """Accepts SMS, unless a fault is armed."""

    def __init__(self, inbox: Inbox, faults: FaultInjector, receipts: ReceiptSender) -> None:
        self._inbox = inbox
        self._faults = faults
        self._receipts = receipts

    def accept(self, sms: ReceivedSms, *, receipt_target: str = "") -> FaultMode | None:
        """Accept an SMS. Return the fault to answer with, None if there is none.

        Raise ConnectionDropped for a time-out, before or after the SMS was accepted.
        """
        fault = self._faults.take_fault(sms.to)
        if fault is None or fault.mode is FaultMode.TIMEOUT_AFTER_ACCEPT:
            self._inbox.add(sms)
            self._receipts.schedule(sms, receipt_target)
        if fault is None:
            return None
        time.sleep(fault.delay_seconds)
        if fault.mode in TIMEOUT_MODES:
            raise ConnectionDropped
        return fault.mode
