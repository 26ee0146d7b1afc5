"""Corrections over HTTP, and their answers. No answer has the values before."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.callers import Caller, Role
from chalicelib.clock import to_optional_timestamp, to_timestamp
from chalicelib.corrections.fields import GROUPS, PATHS
from chalicelib.fields import PageSize, StrictUUID
from chalicelib.http.pagination import to_cursor
from chalicelib.models import FrozenModel, StrictModel
from chalicelib.registrations.corrections import Correction
from chalicelib.registrations.model import Registration
from chalicelib.registrations.schemas import RegistrationView


def _describe_fields(schema: dict[str, Any]) -> None:
    # Without types: each is that of the field in a capture, and a wrong one gets an error of its own.
    described = {name: {"description": f"`{path}` of a registration."} for name, path in PATHS.items()}
    groups = {
        name: {"type": "object", "description": f"Some fields of `{name}`, in place of each alone."}
        for name in GROUPS
    }
    schema["properties"] = described | groups


class CorrectionFields(FrozenModel):
    """Fields of a registration with their right values, alone or in their group: `{"phone": "..."}`."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_describe_fields)


class SubmitCorrection(StrictModel):
    """Correct what was recorded of a worker."""

    correction_id: StrictUUID = Field(description="Made by the sender; the idempotency key.")
    fields: CorrectionFields
    reason: str = Field(
        min_length=3, max_length=200, description="Why, in words; without a NIK or a phone number."
    )


class DecideCorrection(StrictModel):
    """Decide on the correction that a manager requested after payment."""

    decision: Literal["confirmed", "declined"]


class ListOpenCorrections(StrictModel):
    """Ask for a page of the corrections that wait for a decision."""

    cursor: str | None = Field(default=None, max_length=400)
    size: PageSize = 100


class CorrectionView(BaseModel):
    """One correction of a registration."""

    correction_id: str
    state: Annotated[
        str, Field(description="applied, requested, confirmed, declined, withdrawn, or unchanged.")
    ]
    fields: tuple[str, ...]
    reason: str
    client_id: str
    at: str
    decided_by: str | None = None
    decided_at: str | None = None
    wanted: Mapping[str, Any] | None = Field(
        default=None, description="For the core system, while it is open: the values asked for, by field."
    )

    @classmethod
    def build(cls, correction: Correction, *, caller: Caller) -> "CorrectionView":
        """Return the view for a caller: only the core system, which decides, sees what is wanted."""
        is_core = caller.has_role(Role.CORE)
        return cls(
            correction_id=correction.correction_id,
            state=correction.state,
            fields=correction.fields,
            reason=correction.reason,
            client_id=correction.client_id,
            at=to_timestamp(correction.occurred_at),
            decided_by=correction.decided_by,
            decided_at=to_optional_timestamp(correction.decided_at),
            wanted=dict(correction.wanted) if is_core and correction.wanted else None,
        )


class CorrectedRegistrationView(RegistrationView):
    """A registration after a correction, masked for the caller, with what became of the correction."""

    correction: CorrectionView

    @classmethod
    def build_corrected(
        cls, registration: Registration, correction: CorrectionView, *, caller: Caller
    ) -> "CorrectedRegistrationView":
        view = RegistrationView.build(registration, caller=caller)
        return cls(**vars(view), correction=correction)


class CorrectionsView(BaseModel):
    """The corrections of a registration, oldest first."""

    corrections: list[CorrectionView]


class OpenCorrectionView(CorrectionView):
    """A correction that waits for the core system's decision."""

    reference: str
    campaign_id: str

    @classmethod
    def build_open(
        cls, registration: Registration, correction: Correction, *, caller: Caller
    ) -> "OpenCorrectionView":
        return cls(
            **vars(CorrectionView.build(correction, caller=caller)),
            reference=registration.reference,
            campaign_id=registration.capture_metadata.campaign_id,
        )


class OpenCorrectionsView(BaseModel):
    """A page of open corrections, the longest waiting first; `cursor` asks for the next one."""

    corrections: list[OpenCorrectionView]
    cursor: str | None

    @classmethod
    def build(cls, page: Any, *, caller: Caller) -> "OpenCorrectionsView":
        rows = [
            OpenCorrectionView.build_open(each, each.open_correction, caller=caller)
            for each in page.rows
            if each.open_correction is not None
        ]
        return cls(corrections=rows, cursor=to_cursor(page.next_position))
