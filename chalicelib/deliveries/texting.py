"""The text of a report to a manager's phone.

It stands in the line of all texts and keeps to stops and opt-outs, but has no row in the ledger of texts:
that one is of registrations, counted in the very report that is told, and paid from the workers' budget.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from chalicelib.campaigns.model import Manager
from chalicelib.clock import Clock
from chalicelib.deliveries.service import Sending
from chalicelib.notifications.errors import Never, TryLater
from chalicelib.notifications.gateways import Gateway, Outgoing
from chalicelib.notifications.model import MessageId
from chalicelib.notifications.pace import Line, LineBusy, Rate, Stopped
from chalicelib.notifications.segments import segmented
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.registrations.phone import Phone, PhoneUnusable, parse
from chalicelib.rollups.report import Report

_PURPOSE = "day_report"

# Figures of the evening are no news by night.
_GOOD_FOR = timedelta(hours=3)

# Workers' confirmations may be in line; a manager's text waits for them, or for the next round.
_IN_LINE = timedelta(seconds=4)


class OptOuts(Protocol):
    """The phones that want no texts."""

    def has_opted_out(self, phone_hash: str) -> bool:
        """Whether this phone wants none."""


@dataclass(frozen=True)
class Surroundings:
    """What texting has around it."""

    clock: Clock
    wait: Callable[[timedelta], None]
    hashing: KeyedHash


class Texting:
    """Satisfies `service.Way`."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        line: Line,
        rate: Rate,
        opt_outs: OptOuts,
        words: Callable[[Report], str],
        around: Surroundings,
    ) -> None:
        self._gateway = gateway
        self._line = line
        self._rate = rate
        self._opt_outs = opt_outs
        self._words = words
        self._around = around

    def address(self, manager: Manager) -> str | None:
        """The manager's number, in its one form where it has one."""
        if not manager.phone:
            return None
        try:
            return parse(manager.phone)
        except PhoneUnusable:
            return manager.phone

    def send(self, sending: Sending) -> None:
        """Text a report. Raises TryLater, Never, StopEverything or OutcomeUnknown."""
        phone = self._phone(sending.manager)
        words, report = self._words(sending.report), sending.report
        parts = len(segmented(words).parts)
        self._take_slot(parts)
        self._gateway.send(
            Outgoing(
                to=phone,
                words=words,
                message_id=MessageId(sending.delivery_id),
                correlation_id=sending.delivery_id,
                parts=parts,
                deadline=self._around.clock() + _GOOD_FOR,
                purpose=_PURPOSE,
                campaign_id=report.campaign.campaign_id,
            )
        )

    def _phone(self, manager: Manager) -> Phone:
        try:
            phone = parse(manager.phone or "")
        except PhoneUnusable as unusable:
            raise Never(unusable.code) from None
        if self._opt_outs.has_opted_out(self._around.hashing.of("phone", phone)):
            raise Never("opted_out", opted_out=True)
        return phone

    def _take_slot(self, parts: int) -> None:
        now = self._around.clock()
        try:
            at = self._line.take(self._rate.takes(parts), now=now, longest=_IN_LINE)
        except Stopped:
            raise TryLater("stopped") from None
        except LineBusy:
            raise TryLater("line_busy") from None
        self._around.wait(max(at - now, timedelta(0)))
