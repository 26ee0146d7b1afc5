"""What the gateway does with a text that it has understood, whichever protocol brought it."""

import time

from ops.gateway.faults import SILENT, Faults, Mode
from ops.gateway.inbox import Inbox, Text
from ops.gateway.receipts import Receipts


class Unanswered(Exception):
    """The caller is to hear nothing: the connection is hung up."""


class Reception:
    """Accepts texts, unless a fault is armed."""

    def __init__(self, inbox: Inbox, faults: Faults, receipts: Receipts) -> None:
        self._inbox = inbox
        self._faults = faults
        self._receipts = receipts

    def take(self, text: Text, *, report_to: str = "") -> Mode | None:
        """What the caller must be told instead of yes. Raises Unanswered, perhaps with the text accepted."""
        fault = self._faults.met_by(text.to)
        if fault is None or fault.mode is Mode.TIMEOUT_AFTER_ACCEPT:
            self._inbox.add(text)
            self._receipts.follow(text, report_to)
        if fault is None:
            return None
        time.sleep(fault.delay)
        if fault.mode in SILENT:
            raise Unanswered
        return fault.mode
