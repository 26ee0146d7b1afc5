"""Requests of officers and managers to send a worker an SMS once more.

A request is an event of the registration, so that its history says who asked. It is stored under the
condition of every event, and its version is in the id of the SMS: nothing that is repeated sends a second.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from chalicelib.callers import Caller
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.notifications.bodies import may_request
from chalicelib.notifications.errors import (
    SmsNotApplicable,
    SmsRequestCapReached,
    SmsRequestsExhausted,
    WorkerOptedOut,
    WorkerWithoutPhone,
)
from chalicelib.notifications.hours import find_zone
from chalicelib.notifications.stores import Campaigns
from chalicelib.registrations.model import EventType, LifecycleState, Registration
from chalicelib.sms_purposes import Purpose

# A request for the same SMS within this time is a repeat of the last one.
REPEAT_WINDOW = timedelta(minutes=10)

# As many SMS as a phone gets in a day by default.
MAX_REQUESTS_PER_DAY = 3
_DAY = timedelta(hours=24)

# Events are stored in the registration's item, whose size is limited.
MAX_REQUESTS = 20


class Reading(Protocol):
    def look_up(self, typed_reference: str, *, caller: Caller) -> Registration:
        """Return a registration of the caller's campaigns. Raise RegistrationUnknown or -Destroyed."""


class Lifecycle(Protocol):
    def store_change(
        self, registration: Registration, change: Callable[[Registration], Registration]
    ) -> Registration:
        """Store a registration after `change`, which is called again after a conflict. Raise TryAgain."""


class OptOuts(Protocol):
    def has_opted_out(self, phone_hash: str) -> bool:
        """Return True if an opt-out of the phone is in force."""


class SmsRequestService:
    """Records requests for SMS that the worker may get now."""

    def __init__(
        self,
        *,
        reading: Reading,
        lifecycle: Lifecycle,
        campaigns: Campaigns,
        opt_outs: OptOuts,
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        self._reading = reading
        self._lifecycle = lifecycle
        self._campaigns = campaigns
        self._opt_outs = opt_outs
        self._hashing = hashing
        self._clock = clock

    def request(self, typed_reference: str, purpose: Purpose, *, caller: Caller) -> tuple[Registration, bool]:
        """Record a request. Return the registration, and True if this repeats the last request.

        Raise RegistrationUnknown, RegistrationDestroyed, WorkerWithoutPhone, WorkerOptedOut,
        SmsNotApplicable, SmsRequestCapReached, SmsRequestsExhausted or TryAgain.
        """
        registration = self._reading.look_up(typed_reference, caller=caller)
        phone = registration.worker.phone
        if phone is None:
            raise WorkerWithoutPhone(registration.reference)
        if self._opt_outs.has_opted_out(self._hashing.digest("phone", phone)):
            raise WorkerOptedOut(registration.reference)
        is_repeat = False

        def add_request(current: Registration) -> Registration:
            nonlocal is_repeat
            now, lifecycle = self._clock(), current.lifecycle
            is_repeat = _is_repeat(lifecycle, purpose, now)
            if is_repeat:
                return current
            if not may_request(purpose, current, local_now=self._get_local_time(current, now)):
                raise SmsNotApplicable(f"{purpose} while {lifecycle.status}")
            _check_caps(lifecycle, now)
            lifecycle = lifecycle.with_sms_request(purpose, occurred_at=now, client_id=caller.client_id)
            return replace(current, lifecycle=lifecycle)

        return self._lifecycle.store_change(registration, add_request), is_repeat

    def _get_local_time(self, registration: Registration, now: datetime) -> datetime:
        """Return `now` by the worker's clock."""
        campaign = self._campaigns.get(registration.capture_metadata.campaign_id)
        return now.astimezone(ZoneInfo(find_zone(registration.worker.postal_code, campaign.zone)))


def _list_requests(lifecycle: LifecycleState, purpose: Purpose | None = None) -> list[datetime]:
    """Return when SMS were requested, oldest first: those with a purpose, or all."""
    return [
        event.occurred_at
        for event in lifecycle.history
        if event.event_type is EventType.SMS_REQUESTED and purpose in {None, event.detail["purpose"]}
    ]


def _is_repeat(lifecycle: LifecycleState, purpose: Purpose, now: datetime) -> bool:
    return any(now - requested_at < REPEAT_WINDOW for requested_at in _list_requests(lifecycle, purpose))


def _check_caps(lifecycle: LifecycleState, now: datetime) -> None:
    requests = _list_requests(lifecycle)
    if len(requests) >= MAX_REQUESTS:
        raise SmsRequestsExhausted(f"{len(requests)} in all")
    of_the_day = [requested_at for requested_at in requests if now - requested_at < _DAY]
    if len(of_the_day) >= MAX_REQUESTS_PER_DAY:
        wait = of_the_day[-MAX_REQUESTS_PER_DAY] + _DAY - now
        raise SmsRequestCapReached(f"{len(of_the_day)} today").with_retry_after(
            max(1, int(wait.total_seconds()))
        )
