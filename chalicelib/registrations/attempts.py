"""The count of a client's attempts to register workers.

Every attempt costs, whatever its answer: otherwise whoever has a device's token could ask who is registered
without end. Only a replay is free, which gets the answer that its client has had before.
"""

from collections.abc import Callable
from typing import Protocol

from chalicelib.callers import Caller, Disclosure
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clients.caps import Allowance, DailyCapLimiter, UnusualOutcome
from chalicelib.clients.errors import ClientCapReached
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.refusals import RecordUnreadable, Refusal, TryAgain
from chalicelib.registrations.captures import Answer, Capture, Outcome, UnusualClient
from chalicelib.registrations.errors import CaptureErased, CaptureReused, PhoneCapReached
from chalicelib.registrations.prior_state import CaptureExists
from chalicelib.registrations.submission import Submission, SubmissionResult


class CaptureFinder(Protocol):
    """The read of the registrations table that the count needs."""

    def find_capture(self, capture_id: str) -> Capture | None:
        """Return a capture that was accepted or refused before, or None. Raise CaptureErased."""


class AttemptCounter:
    """Counts each attempt against its client's daily cap, and reports clients with many unusual ones."""

    def __init__(
        self,
        *,
        allowance: DailyCapLimiter,
        captures: CaptureFinder,
        hashing: KeyedHash,
        on_unusual_client: Callable[[UnusualClient], None],
    ) -> None:
        self._allowance = allowance
        self._captures = captures
        self._hashing = hashing
        self._on_unusual_client = on_unusual_client

    def run(
        self,
        submission: Submission,
        campaign: Campaign,
        caller: Caller,
        accept: Callable[[Allowance], Answer],
    ) -> SubmissionResult:
        """Count an attempt and return the answer of `accept`, or the first one of a replay.

        Raise ClientCapReached, CaptureReused, or what `accept` raises.
        """
        try:
            allowance = self._allowance.reserve(caller, submission.received_on)
        except ClientCapReached as reached:
            first = self._find_own_answer(submission, caller)
            if first is not None:
                return SubmissionResult(first, is_replay=True)
            self._record(UnusualOutcome.CAPPED, submission, campaign, caller)
            raise reached.with_retry_after(submission.seconds_until_day_end) from None
        try:
            answer = accept(allowance)
        except CaptureExists as existing:
            return self._replay(existing.capture, submission, campaign, caller)
        except BaseException as error:
            self._settle_failure(error, submission, campaign, caller)
            raise
        if _tells_of_known_worker(answer, caller):
            self._record(UnusualOutcome.KNOWN, submission, campaign, caller)
        return SubmissionResult(answer, is_replay=False)

    def _replay(
        self, capture: Capture, submission: Submission, campaign: Campaign, caller: Caller
    ) -> SubmissionResult:
        first = self._find_answer(capture, submission)
        if first is None:
            self._record(UnusualOutcome.REFUSED, submission, campaign, caller)
            raise CaptureReused(capture.capture_metadata.capture_id) from None
        if capture.source.client_id == caller.client_id:
            self._allowance.release(caller, submission.received_on)
        return SubmissionResult(first, is_replay=True)

    def _settle_failure(
        self, error: BaseException, submission: Submission, campaign: Campaign, caller: Caller
    ) -> None:
        """Count a refusal. What failed told nothing, and is sent again: it costs nothing."""
        if not isinstance(error, Refusal) or isinstance(error, (TryAgain, RecordUnreadable)):
            self._allowance.release(caller, submission.received_on)
            return
        unusual = UnusualOutcome.CAPPED if isinstance(error, PhoneCapReached) else UnusualOutcome.REFUSED
        self._record(unusual, submission, campaign, caller)

    def _find_own_answer(self, submission: Submission, caller: Caller) -> Answer | None:
        """Return the answer that a client above its cap has had before. Raise CaptureErased.

        Nobody else's: at the cap, each such answer would be one more that the cap is there to refuse.
        """
        try:
            capture = self._captures.find_capture(submission.capture_metadata.capture_id)
        except CaptureErased as erased:
            if erased.source is not None and erased.source.client_id == caller.client_id:
                raise
            return None
        if capture is None or capture.source.client_id != caller.client_id:
            return None
        return self._find_answer(capture, submission)

    def _find_answer(self, capture: Capture, submission: Submission) -> Answer | None:
        """Return the answer to a stored capture, or None if it was refused or has other content."""
        if capture.fingerprint == submission.fingerprint:
            return capture.answer
        # A capture of an earlier release was stored with the fingerprint of its spelling.
        as_sent = submission.sent.serialize_content_as_sent()
        return capture.answer if capture.fingerprint == self._hashing.digest("capture", as_sent) else None

    def _record(
        self, unusual: UnusualOutcome, submission: Submission, campaign: Campaign, caller: Caller
    ) -> None:
        attempts = self._allowance.record(caller, submission.received_on, unusual)
        if attempts is None:
            return
        # The summary of a day shows it, so a capture that was refused for its day counts for the nearest one.
        day = min(max(submission.capture_metadata.day, campaign.first_day), campaign.last_day)
        self._on_unusual_client(
            UnusualClient(
                client_id=caller.client_id,
                campaign_day=CampaignDay(campaign.campaign_id, day),
                received_on=submission.received_on,
                attempts=attempts,
            )
        )


def _tells_of_known_worker(answer: Answer, caller: Caller) -> bool:
    # `reactivated` tells it too. The public is not told, and must not cost more or less for it either.
    return caller.disclosure is Disclosure.OFFICER and answer.outcome is not Outcome.CREATED
