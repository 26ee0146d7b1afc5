"""Corrections of registrations: applied at once, or requested by a manager and decided by the core system."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from chalicelib.callers import Caller, Role
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.clients.caps import DailyCapLimiter, UnusualOutcome
from chalicelib.clock import Clock
from chalicelib.conflicts import WriteConflict
from chalicelib.corrections.errors import (
    CorrectionDecided,
    CorrectionPending,
    CorrectionReused,
    CorrectionsFull,
    CorrectionUnknown,
    NikRegistered,
)
from chalicelib.corrections.fields import TypedFields, read_fields
from chalicelib.corrections.merging import PHONE_PATH, SPONSOR_PATH, CorrectionMerger, MergedCorrection
from chalicelib.corrections.permissions import needs_decision
from chalicelib.corrections.preparation import CorrectionPreparer
from chalicelib.corrections.reasons import read_reason
from chalicelib.corrections.schemas import SubmitCorrection
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.http.pagination import Page, Position
from chalicelib.refusals import TryAgain
from chalicelib.registrations.correction_writes import CorrectionWrite
from chalicelib.registrations.corrections import MAX_CORRECTIONS, Correction, CorrectionState
from chalicelib.registrations.errors import RegistrationUnknown, TransitionNotAllowed
from chalicelib.registrations.model import EventType, Flag, LifecycleState, Registration, Status
from chalicelib.registrations.reading import ReadingService
from chalicelib.registrations.references import Reference

# Each attempt succeeds unless another writer changed the registration or what it depends on in between.
_MAX_ATTEMPTS = 6

PURPOSES: Mapping[Status, str] = {
    Status.RECEIVED: "received",
    Status.AWAITING_PAYMENT: "payment_code",
    Status.MISMATCH: "mismatch",
    Status.ACTIVE: "active",
    Status.LAPSED: "active",
}
"""The purpose of the SMS that says how a registration stands, by its status: a corrected phone gets it."""


class CorrectionStore(Protocol):
    """The writes of corrections, each one conditional transaction, and the list of open requests."""

    def apply(self, write: CorrectionWrite) -> None:
        """Store a corrected registration. Raise WriteConflict or RegistrationSuperseded."""

    def list_open_requests(self, *, start_after: Position | None, page_size: int) -> Page[Reference]:
        """Return a page of the registrations with an open request, by the time of the request."""


@dataclass(frozen=True)
class CorrectionResult:
    """A registration after a correction. `correction` is None if everything was recorded so already."""

    registration: Registration
    correction: Correction | None
    is_replay: bool = False


class CorrectionService:
    """Corrects registrations. A correction that is sent twice is made once."""

    def __init__(  # noqa: PLR0913 - keyword-only, given by the composition root
        self,
        *,
        store: CorrectionStore,
        reading: ReadingService,
        campaigns: CampaignService,
        merger: CorrectionMerger,
        preparer: CorrectionPreparer,
        allowance: DailyCapLimiter,
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        self._store = store
        self._reading = reading
        self._campaigns = campaigns
        self._merger = merger
        self._preparer = preparer
        self._allowance = allowance
        self._hashing = hashing
        self._clock = clock

    def correct(self, typed_reference: str, command: SubmitCorrection, *, caller: Caller) -> CorrectionResult:
        """Correct a registration, or record the request of a manager if the worker has paid.

        Raise RegistrationUnknown, RegistrationDestroyed, RulesBroken, CorrectionNotAllowed, CorrectionReused,
        CorrectionPending, CorrectionsFull, NikRegistered, PhoneCapReached, ClientCapReached,
        TransitionNotAllowed, RegistrationSuperseded or TryAgain.
        """
        registration = self._reading.look_up(typed_reference, caller=caller)
        typed, reason = read_fields(command.fields.model_extra or {}), read_reason(command.reason)
        content = json.dumps([dict(typed.values), reason], sort_keys=True)
        draft = Correction(
            correction_id=str(command.correction_id),
            fingerprint=self._hashing.digest("correction", content),
            state=CorrectionState.APPLIED,
            fields=(),
            reason=reason,
            client_id=caller.client_id,
            occurred_at=self._clock(),
        )
        campaign = self._get_campaign(registration, typed)
        attempt = _Attempt(typed, draft, campaign, caller)

        def try_once(registration: Registration) -> CorrectionResult:
            earlier = _find(registration, draft.correction_id)
            if earlier is None:
                return self._try_correct(registration, attempt)
            if earlier.fingerprint != draft.fingerprint:
                raise CorrectionReused(draft.correction_id)
            return CorrectionResult(registration, earlier, is_replay=True)

        try:
            return self._repeat_while_changed(registration, try_once)
        except NikRegistered:
            attempt.record_known(self._allowance, campaign.local_day(self._clock()))
            raise

    def decide(
        self, typed_reference: str, correction_id: str, *, confirms: bool, caller: Caller
    ) -> CorrectionResult:
        """Apply or decline the correction that a manager requested.

        Raise RegistrationUnknown, RegistrationDestroyed, CorrectionUnknown, CorrectionDecided, RulesBroken,
        NikRegistered, TransitionNotAllowed, RegistrationSuperseded or TryAgain.
        """
        registration = self._reading.look_up(typed_reference, caller=caller)
        wanted = CorrectionState.CONFIRMED if confirms else CorrectionState.DECLINED

        def try_once(registration: Registration) -> CorrectionResult:
            correction = _find(registration, correction_id.lower())
            if correction is None:
                raise CorrectionUnknown("no such correction")
            if not correction.is_open:
                if correction.state is not wanted:
                    raise CorrectionDecided(correction.state)
                return CorrectionResult(registration, correction, is_replay=True)
            decide = self._confirm if confirms else self._decline
            return decide(registration, correction, caller)

        return self._repeat_while_changed(registration, try_once)

    def list_open(
        self, *, caller: Caller, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """Return a page of the registrations with an open request, the longest waiting first.

        Those of other campaigns than the caller's are left out.
        """
        page = self._store.list_open_requests(start_after=start_after, page_size=page_size)
        rows: list[Registration] = []
        for reference in page.rows:
            with suppress(RegistrationUnknown):
                rows.append(self._reading.get(reference))
        # The index may lag behind the table.
        rows = [
            each
            for each in rows
            if each.open_correction and caller.may_access_campaign(each.capture_metadata.campaign_id)
        ]
        return Page(rows=rows, last_position=page.last_position, has_more=page.has_more)

    def _repeat_while_changed(
        self, registration: Registration, act: Callable[[Registration], CorrectionResult]
    ) -> CorrectionResult:
        """Return what `act` makes of a registration, or of its next version if another writer came first.

        What stands in the way of a move may be that of the other writer, so a refusal holds only for a
        registration that is as it was. Raise TryAgain, or as `act` does.
        """
        for _ in range(_MAX_ATTEMPTS):
            refusal: NikRegistered | TransitionNotAllowed | None = None
            try:
                return act(registration)
            except WriteConflict:
                pass
            except (NikRegistered, TransitionNotAllowed) as error:
                refusal = error
            current = self._reading.get(registration.reference)
            if refusal is not None and current.lifecycle.version == registration.lifecycle.version:
                raise refusal
            registration = current
        raise TryAgain("other writers came first")

    def _get_campaign(self, registration: Registration, typed: TypedFields) -> Campaign:
        campaign_id = registration.capture_metadata.campaign_id
        # A sponsor may have been added a moment ago.
        names_sponsor = typed.values.get(SPONSOR_PATH) is not None
        return (self._campaigns.get_current if names_sponsor else self._campaigns.get)(campaign_id)

    def _try_correct(self, registration: Registration, attempt: "_Attempt") -> CorrectionResult:
        campaign, caller = attempt.campaign, attempt.caller
        is_request = needs_decision(registration, caller, today=campaign.local_day(self._clock()))
        merged = self._merger.merge(registration, attempt.typed, campaign)
        if not merged.fields:
            return CorrectionResult(registration, None)
        if len(registration.corrections) >= MAX_CORRECTIONS:
            raise CorrectionsFull(f"{MAX_CORRECTIONS} corrections")
        correction = replace(attempt.draft, fields=merged.fields)
        if is_request:
            return self._request(registration, merged, correction)
        if merged.moves_worker:
            attempt.reserve(self._allowance, campaign.local_day(self._clock()))
        return self._apply(registration, merged, replace(correction, before=merged.before), campaign, caller)

    def _request(
        self, registration: Registration, merged: MergedCorrection, correction: Correction
    ) -> CorrectionResult:
        if registration.open_correction is not None:
            raise CorrectionPending(registration.open_correction.correction_id)
        requested = replace(correction, state=CorrectionState.REQUESTED, wanted=merged.now)
        lifecycle = registration.lifecycle.with_correction_event(
            EventType.CORRECTION_REQUESTED,
            merged.fields,
            occurred_at=correction.occurred_at,
            client_id=correction.client_id,
        )
        changed = replace(
            registration, lifecycle=lifecycle, corrections=(*registration.corrections, requested)
        )
        self._store.apply(CorrectionWrite(changed, registration))
        return CorrectionResult(changed, requested)

    def _confirm(
        self, registration: Registration, correction: Correction, caller: Caller
    ) -> CorrectionResult:
        typed = TypedFields(correction.wanted, {})
        campaign = self._get_campaign(registration, typed)
        merged = self._merger.merge(registration, typed, campaign)
        confirmed = correction.decide(
            CorrectionState.CONFIRMED,
            merged.before,
            decided_by=caller.client_id,
            decided_at=self._clock(),
        )
        return self._apply(registration, merged, confirmed, campaign, caller)

    def _decline(
        self, registration: Registration, correction: Correction, caller: Caller
    ) -> CorrectionResult:
        now = self._clock()
        declined = correction.decide(
            CorrectionState.DECLINED, {}, decided_by=caller.client_id, decided_at=now
        )
        lifecycle = registration.lifecycle.with_correction_event(
            EventType.CORRECTION_DECLINED, correction.fields, occurred_at=now, client_id=caller.client_id
        )
        changed = replace(
            registration, lifecycle=lifecycle, corrections=_put(registration.corrections, declined)
        )
        self._store.apply(CorrectionWrite(changed, registration))
        return CorrectionResult(changed, declined)

    def _apply(
        self,
        registration: Registration,
        merged: MergedCorrection,
        correction: Correction,
        campaign: Campaign,
        caller: Caller,
    ) -> CorrectionResult:
        write = self._preparer.prepare(registration, merged, campaign, caller)
        changed = replace(
            write.registration,
            lifecycle=self._correct_lifecycle(write.registration, merged, correction, caller, self._clock()),
            corrections=_put(registration.corrections, correction),
        )
        self._store.apply(replace(write, registration=changed))
        return CorrectionResult(changed, correction)

    def _correct_lifecycle(
        self,
        registration: Registration,
        merged: MergedCorrection,
        correction: Correction,
        caller: Caller,
        now: datetime,
    ) -> LifecycleState:
        """Return the lifecycle after a correction, which names the SMS that a corrected phone gets."""

        def correct(detail: Mapping[str, str]) -> LifecycleState:
            return registration.lifecycle.with_correction(
                detail, merged.impact, occurred_at=now, client_id=caller.client_id
            )

        detail = {"fields": ",".join(correction.fields)}
        corrected = correct(detail)
        may_tell = registration.worker.phone is not None and Flag.PHONE_OVER_CAP not in registration.flags
        if PHONE_PATH not in merged.now or not may_tell:
            return corrected
        return correct({**detail, "purpose": PURPOSES[corrected.status]})


@dataclass
class _Attempt:
    """One request for a correction. One of the NIK asks if that is registered, so it counts as an attempt."""

    typed: TypedFields
    draft: Correction
    campaign: Campaign
    caller: Caller
    is_counted: bool = False

    @property
    def _is_limited(self) -> bool:
        return not self.caller.has_role(Role.CORE)

    def reserve(self, allowance: DailyCapLimiter, day: date) -> None:
        """Count the request against the client's daily cap. Raise ClientCapReached."""
        if self._is_limited and not self.is_counted:
            allowance.reserve(self.caller, day)
            self.is_counted = True

    def record_known(self, allowance: DailyCapLimiter, day: date) -> None:
        """Count that the request met a known worker."""
        if self._is_limited:
            allowance.record(self.caller, day, UnusualOutcome.KNOWN)


def _find(registration: Registration, correction_id: str) -> Correction | None:
    return next((each for each in registration.corrections if each.correction_id == correction_id), None)


def _put(corrections: tuple[Correction, ...], correction: Correction) -> tuple[Correction, ...]:
    """Return corrections with this one in the place of the one with its id, or at the end."""
    if any(each.correction_id == correction.correction_id for each in corrections):
        return tuple(
            correction if each.correction_id == correction.correction_id else each for each in corrections
        )
    return (*corrections, correction)
