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
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.deliveries.service import OutgoingReport
from chalicelib.messaging.errors import PermanentFailure, TransientFailure
from chalicelib.messaging.gateways import Gateway, OutgoingSms
from chalicelib.messaging.rate_limiter import RateLimited, SendingStopped, SendRate, SendRateLimiter
from chalicelib.messaging.segments import split_segments
from chalicelib.notifications.model import SmsId
from chalicelib.registrations.phone import InvalidPhone, Phone, parse
from chalicelib.rollups.report import Report

_PURPOSE = "day_report"

# Figures of the evening are no news by night.
_VALIDITY = timedelta(hours=3)

# Workers' confirmations may be in line; a manager's text waits for them, or for the next round.
_MAX_WAIT = timedelta(seconds=4)


class OptOuts(Protocol):
    """The phones that want no texts."""

    def has_opted_out(self, phone_hash: str) -> bool:
        """Whether this phone wants none."""


@dataclass(frozen=True)
class SmsChannelDependencies:
    """What texting has around it."""

    clock: Clock
    wait: Callable[[timedelta], None]
    hashing: KeyedHash


class SmsReportChannel:
    """Satisfies `service.ReportChannel`."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        rate_limiter: SendRateLimiter,
        rate: SendRate,
        opt_outs: OptOuts,
        render_body: Callable[[Report], str],
        dependencies: SmsChannelDependencies,
    ) -> None:
        self._gateway = gateway
        self._rate_limiter = rate_limiter
        self._rate = rate
        self._opt_outs = opt_outs
        self._render_body = render_body
        self._dependencies = dependencies

    def find_address(self, manager: Manager) -> str | None:
        """The manager's number, in its one form where it has one."""
        if not manager.phone:
            return None
        try:
            return parse(manager.phone)
        except InvalidPhone:
            return manager.phone

    def send(self, outgoing: OutgoingReport) -> None:
        """Text a report. Raises TransientFailure, PermanentFailure, AccountFailure or OutcomeUnknown."""
        phone = self._parse_phone(outgoing.manager)
        words, report = self._render_body(outgoing.report), outgoing.report
        parts = len(split_segments(words).parts)
        self._reserve_capacity(parts)
        self._gateway.send(
            OutgoingSms(
                phone=phone,
                body=words,
                sms_id=SmsId(outgoing.delivery_id),
                correlation_id=outgoing.delivery_id,
                parts=parts,
                deadline=self._dependencies.clock() + _VALIDITY,
                purpose=_PURPOSE,
                campaign_id=report.campaign.campaign_id,
            )
        )

    def _parse_phone(self, manager: Manager) -> Phone:
        try:
            phone = parse(manager.phone or "")
        except InvalidPhone as unusable:
            raise PermanentFailure(unusable.code) from None
        if self._opt_outs.has_opted_out(self._dependencies.hashing.digest("phone", phone)):
            raise PermanentFailure("opted_out", opted_out=True)
        return phone

    def _reserve_capacity(self, parts: int) -> None:
        now = self._dependencies.clock()
        try:
            at = self._rate_limiter.reserve(self._rate.compute_duration(parts), now=now, max_wait=_MAX_WAIT)
        except SendingStopped:
            raise TransientFailure("stopped") from None
        except RateLimited:
            raise TransientFailure("rate_limited") from None
        self._dependencies.wait(max(at - now, timedelta(0)))
