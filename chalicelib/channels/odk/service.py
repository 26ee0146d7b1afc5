"""Forms for ODK Collect, and the intake of what it submits."""

from functools import lru_cache
from itertools import islice
from typing import Protocol
from uuid import UUID

from pydantic import ValidationError

from chalicelib.callers import Caller
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.channels.odk.answers import build_registration
from chalicelib.channels.odk.edits import correct_by_edit
from chalicelib.channels.odk.errors import CampaignClosed, FormUnknown
from chalicelib.channels.odk.forms import (
    PHOTO_FIELD,
    File,
    Form,
    build_form,
    build_incomes_file,
    build_occupations_file,
    build_prices_file,
    build_sponsors_file,
    is_known_version,
)
from chalicelib.channels.odk.model import KnownInstance, OdkSubmission
from chalicelib.channels.odk.prices import iter_prices, list_income_bands
from chalicelib.contributions.model import format_month
from chalicelib.contributions.service import QuoteService
from chalicelib.corrections.service import CorrectionService
from chalicelib.refusals import CampaignNotAllowed, RulesBroken
from chalicelib.registrations.errors import CaptureErased, CaptureReused, CaptureUnknown
from chalicelib.registrations.intake import IntakeService
from chalicelib.registrations.reading import ReadingStore
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.submission import SubmissionResult

# A device for every campaign is a test device; Collect keeps each form, and an officer chooses from the list.
_MAX_FORMS = 500

_CLOSED = "campaign_closed"


class OdkInstances(Protocol):
    """The store of instances that are known without a capture under their own id."""

    def find(self, instance_id: UUID) -> KnownInstance | None:
        """Return what is known of an instance, or None."""

    def add(self, instance_id: UUID, known: KnownInstance) -> None:
        """Store what is known of an instance; to repeat it changes nothing."""


class Photos(Protocol):
    """The store of photos of captures."""

    def put(self, capture_id: str, filename: str, content: bytes) -> None:
        """Store a photo of a capture. The same file again replaces itself."""

    def erase(self, capture_id: str) -> None:
        """Delete the photos of a capture."""


class OdkService:
    def __init__(  # noqa: PLR0913 - keyword-only, given by the composition root
        self,
        *,
        campaigns: CampaignService,
        intake: IntakeService,
        corrections: CorrectionService,
        reading_store: ReadingStore,
        instances: OdkInstances,
        photos: Photos | None,
        quote_service: QuoteService,
        age_limits: AgeLimits,
    ) -> None:
        """`photos` is None where forms ask for none."""
        self._campaigns = campaigns
        self._intake = intake
        self._corrections = corrections
        self._reading_store = reading_store
        self._instances = instances
        self._photos = photos
        self._quote_service = quote_service
        self._age_limits = age_limits

    def list_forms(self, *, caller: Caller) -> list[Form]:
        """Return a form for each campaign of the caller that takes captures now, the last to end first."""
        found = list(self._campaigns.iter_accepting(caller))
        return [self._build_form(each) for each in islice(reversed(found), _MAX_FORMS)]

    def get_form(self, form_id: str, version: str, *, caller: Caller) -> Form:
        """Return the form of a campaign. Raise FormUnknown, also if the version is not the present one."""
        return self._get_current_form(self._get_campaign(form_id, caller), version)

    def list_media(self, form_id: str, version: str, *, caller: Caller) -> tuple[File, ...]:
        """Return the files that a form needs. Raise FormUnknown as `get_form` does."""
        campaign = self._get_campaign(form_id, caller)
        self._get_current_form(campaign, version)
        first_month = format_month(campaign.first_day)
        return (
            build_occupations_file(),
            build_sponsors_file(campaign),
            build_incomes_file(list_income_bands(first_month)),
            _build_prices(first_month, self._quote_service),
        )

    def get_media_file(self, form_id: str, version: str, name: str, *, caller: Caller) -> File:
        """Return a file that a form needs. Raise FormUnknown."""
        for file in self.list_media(form_id, version, caller=caller):
            if file.name == name:
                return file
        raise FormUnknown("no such file")

    def submit(self, submission: OdkSubmission, *, caller: Caller, correlation_id: str) -> SubmissionResult:
        """Register the worker of a submission; the same one again gets its first answer.

        An edit is the mended capture of the one that it replaces, if that one was refused, and a correction
        of its registration if it was accepted. Raise FormUnknown, CampaignClosed, CaptureUnknown,
        EditOfAccepted, pydantic's ValidationError, or as intake and corrections do.
        """
        self._get_campaign(submission.form_id, caller)
        if not is_known_version(submission.version):
            raise FormUnknown("no such version")
        capture_id = self._find_capture_id(submission)
        try:
            command = build_registration(submission, capture_id=capture_id)
        except ValidationError:
            # No capture is stored of it. An edit of it must be known all the same.
            self._add_instance(submission, capture_id)
            raise
        try:
            result = self._intake.submit(command, caller=caller, correlation_id=correlation_id)
        except CaptureReused:
            if submission.deprecated_id is None:
                raise
            accepted = self._reading_store.get_capture(capture_id)
            result = correct_by_edit(self._corrections, submission, command, accepted, caller=caller)
        except RulesBroken as refusal:
            if any(rule.code == _CLOSED for rule in refusal.broken_rules):
                raise CampaignClosed(submission.form_id) from None
            raise
        self._store_photos(submission, capture_id)
        return result

    def _store_photos(self, submission: OdkSubmission, capture_id: str) -> None:
        """Store the photos that the form asks for. Other files are dropped. Raise CaptureErased."""
        asked_for = submission.answers.get(PHOTO_FIELD)
        photos = [part for part in submission.attachments if part.filename == asked_for]
        if self._photos is None or not photos:
            return
        for part in photos:
            self._photos.put(capture_id, str(part.filename), part.content)
        try:
            # An erasure deletes photos before and after the capture. It may have ended before these came.
            self._reading_store.get_capture(capture_id)
        except CaptureErased:
            self._photos.erase(capture_id)
            raise

    def _find_capture_id(self, submission: OdkSubmission) -> str:
        """Return the id of the capture that a submission is of. Raise CaptureUnknown, or CaptureErased."""
        if submission.deprecated_id is None:
            return str(submission.instance_id)
        known = self._instances.find(submission.deprecated_id)
        if known is None:
            capture = self._reading_store.get_capture(str(submission.deprecated_id))
            known = KnownInstance(capture.capture_metadata.capture_id, capture.source.campaign_id)
        if known.campaign_id != submission.form_id:
            raise CaptureUnknown("of another campaign")
        # This edit may be refused too, and be edited again.
        self._add_instance(submission, known.capture_id)
        return known.capture_id

    def _add_instance(self, submission: OdkSubmission, capture_id: str) -> None:
        known = KnownInstance(capture_id, submission.form_id)
        self._instances.add(submission.instance_id, known)

    def _get_campaign(self, form_id: str, caller: Caller) -> Campaign:
        """Return the campaign of a form. A campaign of others is answered like one that does not exist."""
        try:
            caller.require_campaign(form_id)
            return self._campaigns.get(form_id)
        except (CampaignNotAllowed, CampaignUnknown):
            raise FormUnknown("no campaign of the caller") from None

    def _get_current_form(self, campaign: Campaign, version: str) -> Form:
        form = self._build_form(campaign)
        if form.version != version:
            raise FormUnknown("not the present version")
        return form

    def _build_form(self, campaign: Campaign) -> Form:
        return build_form(campaign, self._age_limits, asks_for_photo=self._photos is not None)


@lru_cache(maxsize=8)
def _build_prices(first_month: str, quote_service: QuoteService) -> File:
    return build_prices_file(iter_prices(first_month, quote_service))
