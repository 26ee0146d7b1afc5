"""The channel for reports by SMS.

It shares the rate limiter, stops and opt-outs with the SMS to workers. It writes no rows in their ledger,
which is counted in the report and charged to the campaign's budget.
"""

from collections.abc import Callable
from datetime import timedelta

from chalicelib.campaigns.model import Manager
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.deliveries.service import OutgoingReport
from chalicelib.messaging.errors import PermanentFailure, TransientFailure
from chalicelib.messaging.gateways import Gateway, OutgoingSms
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.opt_outs import OptOutStore
from chalicelib.messaging.rate_limiter import (
    RateLimited,
    SendingStopped,
    SendRate,
    SendRateLimiter,
    wait_for_slot,
)
from chalicelib.messaging.segments import split_segments
from chalicelib.registrations.phone import InvalidPhone, Phone, parse
from chalicelib.rollups.report import Report

_PURPOSE = "day_report"

# A report of the evening is of no use at night.
_VALIDITY = timedelta(hours=3)

# A longer wait is left to the next run.
_MAX_SLOT_WAIT = timedelta(seconds=4)


class SmsReportChannel:
    """Satisfies `service.ReportChannel`."""

    def __init__(  # noqa: PLR0913 - keyword-only, given by the composition root
        self,
        *,
        gateway: Gateway,
        rate_limiter: SendRateLimiter,
        rate: SendRate,
        opt_outs: OptOutStore,
        render_body: Callable[[Report], str],
        hashing: KeyedHash,
        clock: Clock,
        wait: Callable[[timedelta], None],
    ) -> None:
        self._gateway = gateway
        self._rate_limiter = rate_limiter
        self._rate = rate
        self._opt_outs = opt_outs
        self._render_body = render_body
        self._hashing = hashing
        self._clock = clock
        self._wait = wait

    def find_address(self, manager: Manager) -> str | None:
        """Return the manager's phone number, normalised if it is valid, or None."""
        if not manager.phone:
            return None
        try:
            return parse(manager.phone)
        except InvalidPhone:
            return manager.phone

    def send(self, outgoing: OutgoingReport) -> None:
        phone = self._parse_phone(outgoing.manager)
        body = self._render_body(outgoing.report)
        parts = len(split_segments(body).parts)
        self._wait_for_slot(parts)
        self._gateway.send(
            OutgoingSms(
                phone=phone,
                body=body,
                sms_id=SmsId(outgoing.delivery_id),
                correlation_id=outgoing.delivery_id,
                parts=parts,
                deadline=self._clock() + _VALIDITY,
                purpose=_PURPOSE,
                campaign_id=outgoing.report.campaign.campaign_id,
            )
        )

    def _parse_phone(self, manager: Manager) -> Phone:
        try:
            phone = parse(manager.phone or "")
        except InvalidPhone as error:
            raise PermanentFailure(error.code) from None
        if self._opt_outs.has_opted_out(self._hashing.digest("phone", phone)):
            raise PermanentFailure("opted_out", opted_out=True)
        return phone

    def _wait_for_slot(self, parts: int) -> None:
        try:
            wait_for_slot(
                self._rate_limiter,
                self._rate.compute_duration(parts),
                clock=self._clock,
                wait=self._wait,
                max_wait=_MAX_SLOT_WAIT,
            )
        except SendingStopped:
            raise TransientFailure("stopped") from None
        except RateLimited:
            raise TransientFailure("rate_limited") from None
