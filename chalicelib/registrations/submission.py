"""One submission of a capture on its way through intake. Pure."""

from collections.abc import Iterable
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from math import ceil

from chalicelib.callers import Disclosure
from chalicelib.campaigns.model import Zone
from chalicelib.clients.caps import Allowance
from chalicelib.clock import to_timestamp
from chalicelib.contributions.model import Quote
from chalicelib.registrations import rules
from chalicelib.registrations.capture_metadata import CaptureMetadata
from chalicelib.registrations.captures import (
    NO_SPONSOR,
    Answer,
    Capture,
    CaptureFacts,
    IdentityField,
    Outcome,
)
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.device_report import DeviceReport
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Flag, Status
from chalicelib.registrations.references import Reference
from chalicelib.registrations.worker import Worker
from chalicelib.values import Value


class SubmissionResult(Value):
    """The answer to a submission. `is_replay`: it was given before."""

    answer: Answer
    is_replay: bool

    @property
    def outcome_label(self) -> str:
        """Return what metrics count this under: `replayed`, or the outcome."""
        return "replayed" if self.is_replay else self.answer.outcome


class Submission(Value):
    """One request with a capture, and the values that intake derives from it. `sent` is as it was sent."""

    sent: SubmitRegistration
    capture: CleanedCapture
    capture_metadata: CaptureMetadata
    fingerprint: str
    received_on: date
    day_ends_at: datetime
    zone: Zone
    facts: CaptureFacts
    sponsor_quota: int | None = None
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def is_public(self) -> bool:
        """Return True if the answer may reach the public."""
        return self.capture_metadata.disclosure is Disclosure.PUBLIC

    @property
    def seconds_until_day_end(self) -> int:
        """Return the seconds from receipt to the end of the campaign's local day, at least 1."""
        return max(1, ceil((self.day_ends_at - self.capture_metadata.received_at).total_seconds()))

    @property
    def clock_lead(self) -> timedelta:
        """Return by how much the device's clock is fast, zero if it is not, or is not reported."""
        return DeviceReport(clock_skew=self.capture_metadata.clock_skew).clock_lead

    def with_worker(self, worker: Worker, neighbourhood_hashes: Iterable[str]) -> "Submission":
        facts = replace(
            self.facts,
            sex=worker.sex,
            age=rules.compute_age_band(self.capture_metadata.day, worker.birth_date),
            is_without_phone=worker.phone is None,
            sponsor=self._find_sponsor(),
            neighbours=tuple(neighbourhood_hashes),
        )
        return replace(self, facts=facts)

    def _find_sponsor(self) -> str | None:
        coverage = self.capture.command.coverage
        return coverage.sponsor_id or NO_SPONSOR if coverage.payer == "sponsor" else None

    def build_capture(
        self,
        outcome: Outcome,
        answer: Answer | None,
        *,
        flags: tuple[Flag, ...] = (),
        reasons: tuple[str, ...] = (),
    ) -> Capture:
        differs = () if answer is None else answer.differs
        facts = replace(self.facts, outcome=outcome, flags=flags, reasons=reasons, differs=differs)
        return Capture(self.capture_metadata, self.fingerprint, facts, answer)

    def build_answer(
        self,
        outcome: Outcome,
        reference: Reference,
        status: Status,
        quote: Quote,
        differs: tuple[IdentityField, ...] = (),
    ) -> Answer:
        return Answer(
            capture_id=self.capture_metadata.capture_id,
            outcome=outcome,
            reference=reference,
            status=status,
            received_at=to_timestamp(self.capture_metadata.received_at),
            quote=quote,
            differs=differs,
        )
