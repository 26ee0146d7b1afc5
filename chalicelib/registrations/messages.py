"""The capture that devices and bots send over HTTP."""

from typing import Annotated

from pydantic import Field

from chalicelib.campaigns.model import CampaignId, Instant
from chalicelib.fields import IMPERSONAL, StrictUUID
from chalicelib.models import StrictModel
from chalicelib.registrations.worker import CLEANED, Consent, Coverage, Work, WorkerAsTyped


class SubmitRegistration(StrictModel):
    """One capture: one act of registering, made on a device, perhaps hours before it arrives."""

    capture_id: StrictUUID = Field(description="Made by the device at capture (UUIDv7); the idempotency key.")
    campaign_id: CampaignId
    captured_at: Instant
    device_sequence: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The device's own count of its captures, from 1."
    )
    officer: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"), IMPERSONAL, CLEANED] | None
    ) = None
    worker: WorkerAsTyped
    work: Work
    coverage: Coverage
    consent: Consent

    def serialize_content_as_sent(self) -> str:
        """Return the content as releases before 2026-11-29 compared it: by its spelling."""
        return self.model_dump_json(exclude_none=True)
