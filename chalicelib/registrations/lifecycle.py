"""What happens to a registration after it was taken in: payments, verification, cancellation, time; and
finding it again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chalicelib.callers import Caller
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock, to_timestamp
from chalicelib.contributions.service import CONTRIBUTION_ZONE
from chalicelib.http.pagination import Page, Position
from chalicelib.refusals import TryAgain
from chalicelib.registrations import references
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.intake import Registrations, WriteConflict
from chalicelib.registrations.model import Registration
from chalicelib.registrations.references import Reference
from chalicelib.registrations.states import (
    Cancellation,
    EventType,
    LifecycleState,
    Payment,
    PaymentCode,
    Status,
    VerificationResult,
)

_MAX_WRITE_ATTEMPTS = 4

# No write takes this long from reading the clock to being seen in an index. A pull that goes on from here
# misses none.
_INDEX_LAG = timedelta(minutes=1)


@dataclass(frozen=True)
class SequenceGap:
    """A run of a device's captures that has not arrived, first and last."""

    first: int
    last: int


class LifecycleService:
    """Changes registrations one event at a time; an event reported twice happens once."""

    def __init__(self, *, registrations: Registrations, clock: Clock) -> None:
        self._registrations = registrations
        self._clock = clock

    def look_up(self, typed_reference: str, *, caller: Caller) -> Registration:
        """The registration with a reference, for a caller who works for its campaign.

        Raises RegistrationUnknown, or RegistrationDestroyed.
        """
        parsed = references.parse(typed_reference)
        if parsed is None:
            raise RegistrationUnknown("no reference looks like this")
        try:
            found = self._registrations.get(parsed)
        except RegistrationDestroyed as destroyed:
            if caller.may_access_campaign(destroyed.campaign_id):
                raise
            raise RegistrationUnknown("of another campaign") from None
        if not caller.may_access_campaign(found.capture_metadata.campaign_id):
            raise RegistrationUnknown("of another campaign")
        return found

    def issue_payment_code(
        self, typed_reference: str, payment_code: PaymentCode, *, caller: Caller
    ) -> Registration:
        """What the worker is asked to pay.

        Raises RegistrationUnknown, TransitionNotAllowed or TryAgain.
        """
        return self._change(
            typed_reference,
            caller,
            lambda life: life.with_payment_code(
                payment_code, occurred_at=self._clock(), client_id=caller.client_id
            ),
        )

    def record_payment(self, typed_reference: str, payment: Payment, *, caller: Caller) -> Registration:
        """A contribution was paid.

        Raises RegistrationUnknown, PaymentReused, TransitionNotAllowed, RegistrationSuperseded or TryAgain.
        """
        return self._change(
            typed_reference,
            caller,
            lambda life: life.with_payment(payment, occurred_at=self._clock(), client_id=caller.client_id),
        )

    def record_verification(
        self, typed_reference: str, result: VerificationResult, *, caller: Caller
    ) -> Registration:
        """The civil registry has answered.

        Raises RegistrationUnknown, TransitionNotAllowed or TryAgain.
        """
        return self._change(
            typed_reference,
            caller,
            lambda life: life.with_verification(
                result, occurred_at=self._clock(), client_id=caller.client_id
            ),
        )

    def cancel(self, typed_reference: str, cancellation: Cancellation, *, caller: Caller) -> Registration:
        """An application is withdrawn before it was paid.

        Raises RegistrationUnknown, TransitionNotAllowed or TryAgain.
        """
        return self._change(
            typed_reference,
            caller,
            lambda life: life.with_cancellation(
                cancellation, occurred_at=self._clock(), client_id=caller.client_id
            ),
        )

    def iter_due(self) -> Iterator[Reference]:
        """The registrations that time may have changed by today."""
        return self._registrations.iter_due(self._today())

    def age(self, reference: Reference) -> Status | None:
        """Let time do to a registration what it has to: expire an unpaid application, lapse an unpaid
        membership.

        The status it came to; None if nothing had to be done. Raises RegistrationUnknown or TryAgain.
        """
        registration = self._registrations.get(reference)
        aged = self._store(
            registration,
            lambda life: life.age(
                today=self._today(), occurred_at=self._clock(), expires_on=registration.expires_on
            ),
        )
        # Where another writer came first, it may be that writer's change that was read again.
        came_by_time = aged.lifecycle.history[-1].event_type in {EventType.EXPIRED, EventType.LAPSED}
        return aged.lifecycle.status if came_by_time and aged is not registration else None

    def list_by_campaign_day(
        self, campaign_day: CampaignDay, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """A page of a campaign day's registrations, by time of capture."""
        return self._registrations.list_by_campaign_day(
            campaign_day, start_after=start_after, page_size=page_size
        )

    def list_by_status(
        self, status: Status, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """A page of the registrations in one status, by the time they came into it."""
        return self._registrations.list_by_status(status, start_after=start_after, page_size=page_size)

    def get_settled_position(self) -> Position:
        """Up to here nothing new can appear any more: a minute ago."""
        return Position(to_timestamp(self._clock() - _INDEX_LAG))

    def compute_resume_position(
        self, page: Page[Registration], *, start_after: Position | None, settled: Position | None = None
    ) -> Position | None:
        """Where a later pull of a status goes on.

        What is being written while a page is read may sort before its end, so this stays behind what was
        settled when the pull began, or is now: a later pull repeats some rows and misses none.
        """
        reached = page.last_position or start_after
        if reached is None:
            return None
        return min(reached, settled or self.get_settled_position())

    def find_gaps(self, client_id: str) -> list[SequenceGap]:
        """Which of a device's numbered captures are still owed, up to the highest that arrived."""
        gaps = []
        expected = 1
        for sequence in self._registrations.iter_device_sequences(client_id):
            if sequence > expected:
                gaps.append(SequenceGap(first=expected, last=sequence - 1))
            expected = max(expected, sequence + 1)
        return gaps

    def _change(
        self, typed_reference: str, caller: Caller, transition: Callable[[LifecycleState], LifecycleState]
    ) -> Registration:
        return self._store(self.look_up(typed_reference, caller=caller), transition)

    def _store(
        self, registration: Registration, transition: Callable[[LifecycleState], LifecycleState]
    ) -> Registration:
        for _ in range(_MAX_WRITE_ATTEMPTS):
            life = transition(registration.lifecycle)
            if life == registration.lifecycle:
                return registration
            changed = replace(registration, lifecycle=life)
            try:
                self._registrations.replace(changed, previous=registration)
            except WriteConflict:
                registration = self._registrations.get(registration.reference)
            else:
                return changed
        raise TryAgain("other writers were in the way")

    def _today(self) -> date:
        return self._clock().astimezone(CONTRIBUTION_ZONE).date()
