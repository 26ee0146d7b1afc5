"""What admins send to the privacy package, over HTTP."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Reason = Literal[
    "worker_request", "consent_withdrawn", "purpose_ended", "authority_order", "incident", "other"
]


class SubmitDataRequest(BaseModel):
    """Ask for all that is held on one NIK, or for its erasure. The same request may be sent again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_id: UUID = Field(
        description="Made by the sender; the idempotency key, and the key of the record."
    )
    nik: str = Field(max_length=40, description="16 digits; spaces, dots and dashes are tolerated.")
    reason: Reason = Field(default="worker_request", description="Why it is asked; kept with the request.")
