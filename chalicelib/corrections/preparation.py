"""The write of a corrected registration, prepared from what is stored of workers, phones and sponsors."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from math import ceil
from typing import Protocol

from chalicelib.callers import Caller, DailyCap, Role
from chalicelib.campaigns.model import Campaign
from chalicelib.clock import Clock
from chalicelib.corrections.errors import NikRegistered
from chalicelib.corrections.merging import NIK_PATH, PHONE_PATH, SPONSOR_PATH, MergedCorrection
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.registrations import rules
from chalicelib.registrations.captures import NO_SPONSOR, Capture, CaptureFacts
from chalicelib.registrations.correction_writes import (
    MAX_MOVED_CAPTURES,
    CorrectionWrite,
    KnownWorker,
    WorkerMove,
)
from chalicelib.registrations.errors import (
    CaptureErased,
    CaptureUnknown,
    PhoneCapReached,
    RegistrationDestroyed,
    RegistrationUnknown,
    TransitionNotAllowed,
)
from chalicelib.registrations.limits import UNLIMITED_COUNT, PhoneCountIncrement
from chalicelib.registrations.model import Flag, Registration
from chalicelib.registrations.neighbourhoods import hash_neighbourhoods
from chalicelib.registrations.prior_state import PriorState, WorkerRecord
from chalicelib.registrations.quotas import (
    CampaignSponsor,
    QuotaState,
    expect_quota_state,
    find_quota,
    find_sponsor,
)
from chalicelib.registrations.references import Reference
from chalicelib.registrations.worker import Worker

_PHONE_FLAGS = frozenset({Flag.PHONE_BUSY, Flag.PHONE_OVER_CAP})


class StoredState(Protocol):
    """The reads of the registrations table that a correction depends on."""

    def read_prior_state(
        self, worker_key: str, *, phone_key: str | None, day: date, sponsor: CampaignSponsor | None = None
    ) -> PriorState:
        """Return what is stored of a worker, of a phone number and of a sponsor's places, by one request."""

    def read_worker(self, worker_key: str) -> KnownWorker:
        """Return a worker's record and captures, read consistently."""


class Records(Protocol):
    """The registrations and captures that a correction reads."""

    def get(self, reference: Reference) -> Registration:
        """Return a registration. Raise RegistrationUnknown, or RegistrationDestroyed."""

    def get_capture(self, capture_id: str) -> Capture:
        """Return a capture. Raise CaptureUnknown, or CaptureErased."""


class CorrectionPreparer:
    """Prepares the write of a corrected registration, with the limits that captures have."""

    def __init__(
        self, *, state: StoredState, records: Records, hashing: KeyedHash, phone_cap: DailyCap, clock: Clock
    ) -> None:
        self._state = state
        self._records = records
        self._hashing = hashing
        self._phone_cap = phone_cap
        self._clock = clock

    def prepare(
        self, previous: Registration, merged: MergedCorrection, campaign: Campaign, caller: Caller
    ) -> CorrectionWrite:
        """Return the write, whose registration has its flags but not its next lifecycle.

        Raise NikRegistered, PhoneCapReached or TransitionNotAllowed.
        """
        changed = merged.registration
        has_other_phone, has_other_sponsor = PHONE_PATH in merged.now, SPONSOR_PATH in merged.now
        phone = changed.worker.phone if has_other_phone else None
        phone_key = None if phone is None else self._hashing.digest("phone", phone)
        day = campaign.local_day(self._clock())
        prior = self._state.read_prior_state(
            changed.worker_key, phone_key=phone_key, day=day, sponsor=find_sponsor(changed)
        )
        quota_state = self._expect_quota(changed, prior, campaign) if has_other_sponsor else None
        phone_increment = (
            None
            if phone_key is None
            else self._count_phone(phone_key, prior.phone_count, day, campaign, caller)
        )
        flags = set(previous.flags)
        if has_other_phone:
            flags -= _PHONE_FLAGS
            flags |= self._list_phone_flags(prior.phone_count)
        if has_other_sponsor:
            flags -= {Flag.SPONSOR_OVER_QUOTA}
            flags |= {Flag.SPONSOR_OVER_QUOTA} if quota_state is not None and quota_state.is_full else set()
        move = self._prepare_move(previous, prior.worker_record) if NIK_PATH in merged.now else None
        follows = previous.follows
        if move is not None:
            follows = None if move.target is None else move.target.reference
        registration = replace(changed, flags=tuple(sorted(flags)), follows=follows)
        return CorrectionWrite(
            registration=registration,
            previous=previous,
            facts=self._change_facts(registration, merged),
            phone_increment=phone_increment,
            has_other_sponsor=has_other_sponsor,
            quota_state=quota_state,
            move=move,
        )

    def _expect_quota(
        self, changed: Registration, prior: PriorState, campaign: Campaign
    ) -> QuotaState | None:
        return expect_quota_state(find_quota(campaign, changed.coverage.sponsor_id), prior.places_taken)

    def _count_phone(
        self, phone_key: str, count: int, day: date, campaign: Campaign, caller: Caller
    ) -> PhoneCountIncrement:
        """Return the increment of the new number's count: a correction is no way around its cap.

        The core system may exceed it. Raise PhoneCapReached.
        """
        cap = self._phone_cap
        if count >= cap.cap and not caller.has_role(Role.CORE):
            seconds = (campaign.day_ends_at(day) - self._clock()) / timedelta(seconds=1)
            raise PhoneCapReached(f"{count} today").with_retry_after(max(1, ceil(seconds)))
        limits = [limit for limit in (cap.flag, cap.cap) if count < limit]
        return PhoneCountIncrement(phone_key, day, limits[0] if limits else UNLIMITED_COUNT)

    def _list_phone_flags(self, count: int) -> set[Flag]:
        if count >= self._phone_cap.cap:
            return {Flag.PHONE_OVER_CAP}
        return {Flag.PHONE_BUSY} if count >= self._phone_cap.flag else set()

    def _prepare_move(self, previous: Registration, target: WorkerRecord | None) -> WorkerMove:
        """Return the move of a registration to another NIK, which must have no open one."""
        if previous.lifecycle.has_ended:
            raise TransitionNotAllowed("another NIK after the end")
        if target is not None and not target.has_ended:
            raise NikRegistered("the NIK has an open registration")
        source = self._state.read_worker(previous.worker_key)
        capture_ids = [
            capture_id for capture_id, reference in source.captures if reference == previous.reference
        ]
        if source.record is None or source.record.reference != previous.reference:
            raise TransitionNotAllowed("it is not the worker's latest")
        if len(capture_ids) > MAX_MOVED_CAPTURES:
            raise TransitionNotAllowed(f"{len(capture_ids)} captures name it")
        return WorkerMove(
            source=source.record,
            source_key=previous.worker_key,
            earlier=self._find_earlier(previous),
            target=target,
            capture_ids=capture_ids,
        )

    def _find_earlier(self, registration: Registration) -> Registration | None:
        """Return the latest earlier registration under the same NIK that is not destroyed."""
        reference = registration.follows
        while reference is not None:
            try:
                return self._records.get(reference)
            except RegistrationDestroyed as destroyed:
                reference = destroyed.follows
            except RegistrationUnknown:
                return None
        return None

    def _change_facts(self, registration: Registration, merged: MergedCorrection) -> CaptureFacts | None:
        """Return what is counted of the capture after a correction; None if the capture was erased."""
        facts = None
        with suppress(CaptureErased, CaptureUnknown):
            facts = self._records.get_capture(registration.capture_metadata.capture_id).facts
        if facts is None:
            return None
        worker, coverage, day = registration.worker, registration.coverage, registration.capture_metadata.day
        over_quota = Flag.SPONSOR_OVER_QUOTA
        flags = [each for each in facts.flags if each != over_quota]
        flags += [each for each in registration.flags if each == over_quota]
        facts = replace(
            facts,
            occupations=registration.work.occupations,
            programmes=tuple(sorted(set(coverage.programmes))),
            sponsor=coverage.sponsor_id or NO_SPONSOR if coverage.payer == "sponsor" else None,
            is_without_phone=worker.phone is None,
            flags=tuple(flags),
        )
        if not isinstance(worker, Worker):
            return facts
        return replace(
            facts,
            sex=worker.sex,
            age=rules.compute_age_band(day, worker.birth_date),
            neighbours=tuple(hash_neighbourhoods(worker.nik, self._hashing))
            if merged.moves_worker
            else facts.neighbours,
        )
