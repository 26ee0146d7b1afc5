"""Rescue files as they are sent, what is in them, and the answer."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from chalicelib.campaigns.model import Instant
from chalicelib.clients.schemas import ClientId
from chalicelib.fields import DIGITS_FORM
from chalicelib.models import FrozenModel, StrictModel
from chalicelib.registrations.batch import MAX_ITEMS
from chalicelib.registrations.schemas_batch import VerdictView

# Of an answer that Lambda may take, base64 and all.
MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_CONTENT_BYTES = 8 * 1024 * 1024
MAX_CAPTURES = 5_000

_BASE64URL = "^[A-Za-z0-9_-]+$"


class RescueFile(StrictModel):
    """A rescue file, as a device has sealed it for the server. Bytes are base64url without padding."""

    format: Literal["daftar-rescue-1"]
    key_id: str = Field(min_length=1, max_length=64)
    ephemeral_public_key: str = Field(
        pattern=_BASE64URL, min_length=87, max_length=87, description="P-256, raw: 65 bytes."
    )
    nonce: str = Field(pattern=_BASE64URL, min_length=16, max_length=16, description="12 bytes.")
    ciphertext: str = Field(
        pattern=_BASE64URL, min_length=22, max_length=MAX_FILE_BYTES, description="The tag is at its end."
    )


class RescueContent(FrozenModel):
    """The content of a rescue file. Its captures are read one by one."""

    client_id: ClientId
    exported_at: Instant
    app_version: str | None = Field(default=None, max_length=40)
    clock_skew_seconds: int | None = None
    captures: list[Any] = Field(max_length=MAX_CAPTURES)


class TakeInRescue(StrictModel):
    """Say from which capture of the file on to begin."""

    start: Annotated[int, Field(ge=0, le=MAX_CAPTURES), DIGITS_FORM] = Field(
        default=0, description=f"{MAX_ITEMS} captures are taken in by one request."
    )


class RescueView(BaseModel):
    """The results of a rescue file, in the order of its captures from `start` on."""

    client_id: str
    captures: int = Field(description="How many the file holds.")
    results: list[VerdictView]
    next_start: int | None = Field(
        default=None, description="`start` of the next request; left out after the last capture."
    )
