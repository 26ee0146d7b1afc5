"""What happens to a registration after it was taken in: payments, verification, cancellation, time; and
finding it again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Caller
from chalicelib.clock import Clock, timestamp
from chalicelib.contributions.service import CONTRIBUTION_ZONE
from chalicelib.pagination import Page, Position
from chalicelib.refusals import TryAgain
from chalicelib.registrations import reference
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.lifecycle import (
    Cancellation,
    Happening,
    Life,
    Payment,
    PaymentCode,
    Status,
    VerificationResult,
)
from chalicelib.registrations.model import Registration
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.service import Contended, Registrations

_ROUNDS = 4

# No write takes this long from reading the clock to being seen in an index. A pull that goes on from here
# misses none.
_SEEN_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Gap:
    """A run of a device's captures that has not arrived, first and last."""

    first: int
    last: int


class Casework:
    """Changes registrations one event at a time; an event reported twice happens once."""

    def __init__(self, *, registrations: Registrations, clock: Clock) -> None:
        self._registrations = registrations
        self._clock = clock

    def look_up(self, typed_reference: str, *, by: Caller) -> Registration:
        """The registration with a reference, for a caller who works for its campaign.

        Raises RegistrationUnknown, or RegistrationDestroyed.
        """
        parsed = reference.parse(typed_reference)
        if parsed is None:
            raise RegistrationUnknown("no reference looks like this")
        try:
            found = self._registrations.get(parsed)
        except RegistrationDestroyed as destroyed:
            if by.works_for(destroyed.campaign_id):
                raise
            raise RegistrationUnknown("of another campaign") from None
        if not by.works_for(found.taken.campaign_id):
            raise RegistrationUnknown("of another campaign")
        return found

    def issue_payment_code(self, typed_reference: str, code: PaymentCode, *, by: Caller) -> Registration:
        """What the worker is asked to pay.

        Raises RegistrationUnknown, TransitionNotAllowed or TryAgain.
        """
        return self._change(
            typed_reference,
            by,
            lambda life: life.with_payment_code(code, at=self._clock(), client_id=by.client_id),
        )

    def take_payment(self, typed_reference: str, payment: Payment, *, by: Caller) -> Registration:
        """A contribution was paid.

        Raises RegistrationUnknown, PaymentReused, TransitionNotAllowed, Superseded or TryAgain.
        """
        return self._change(
            typed_reference,
            by,
            lambda life: life.with_payment(payment, at=self._clock(), client_id=by.client_id),
        )

    def verify(self, typed_reference: str, result: VerificationResult, *, by: Caller) -> Registration:
        """The civil registry has answered.

        Raises RegistrationUnknown, TransitionNotAllowed or TryAgain.
        """
        return self._change(
            typed_reference, by, lambda life: life.verified(result, at=self._clock(), client_id=by.client_id)
        )

    def cancel(self, typed_reference: str, cancellation: Cancellation, *, by: Caller) -> Registration:
        """An application is withdrawn before it was paid.

        Raises RegistrationUnknown, TransitionNotAllowed or TryAgain.
        """
        return self._change(
            typed_reference,
            by,
            lambda life: life.cancelled(cancellation, at=self._clock(), client_id=by.client_id),
        )

    def due(self) -> Iterator[Reference]:
        """The registrations that time may have changed by today."""
        return self._registrations.due(self._today())

    def age(self, due: Reference) -> Status | None:
        """Let time do to a registration what it has to: expire an unpaid application, lapse an unpaid
        membership.

        The status it came to; None if nothing had to be done. Raises RegistrationUnknown or TryAgain.
        """
        registration = self._registrations.get(due)
        aged = self._store(
            registration,
            lambda life: life.aged(today=self._today(), at=self._clock(), expires_on=registration.expires_on),
        )
        # Where another writer came first, it may be that writer's change that was read again.
        came_by_time = aged.life.history[-1].happening in {Happening.EXPIRED, Happening.LAPSED}
        return aged.life.status if came_by_time and aged is not registration else None

    def registered_on(self, of: CampaignDay, *, after: Position | None, size: int) -> Page[Registration]:
        """A page of a campaign day's registrations, by time of capture."""
        return self._registrations.registered_on(of, after=after, size=size)

    def in_status(self, status: Status, *, after: Position | None, size: int) -> Page[Registration]:
        """A page of the registrations in one status, by the time they came into it."""
        return self._registrations.in_status(status, after=after, size=size)

    def settled(self) -> Position:
        """Up to here nothing new can appear any more: a minute ago."""
        return Position(timestamp(self._clock() - _SEEN_WITHIN))

    def resume_from(
        self, page: Page[Registration], *, after: Position | None, settled: Position | None = None
    ) -> Position | None:
        """Where a later pull of a status goes on.

        What is being written while a page is read may sort before its end, so this stays behind what was
        settled when the pull began, or is now: a later pull repeats some rows and misses none.
        """
        reached = page.end or after
        if reached is None:
            return None
        return min(reached, settled or self.settled())

    def gaps(self, client_id: str) -> list[Gap]:
        """Which of a device's numbered captures are still owed, up to the highest that arrived."""
        gaps = []
        expected = 1
        for sequence in self._registrations.sequences_of(client_id):
            if sequence > expected:
                gaps.append(Gap(first=expected, last=sequence - 1))
            expected = max(expected, sequence + 1)
        return gaps

    def _change(self, typed_reference: str, by: Caller, event: Callable[[Life], Life]) -> Registration:
        return self._store(self.look_up(typed_reference, by=by), event)

    def _store(self, registration: Registration, event: Callable[[Life], Life]) -> Registration:
        for _ in range(_ROUNDS):
            life = event(registration.life)
            if life == registration.life:
                return registration
            changed = replace(registration, life=life)
            try:
                self._registrations.replace(changed, was=registration)
            except Contended:
                registration = self._registrations.get(registration.reference)
            else:
                return changed
        raise TryAgain("other writers were in the way")

    def _today(self) -> date:
        return self._clock().astimezone(CONTRIBUTION_ZONE).date()
