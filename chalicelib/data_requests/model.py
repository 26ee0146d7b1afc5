"""Requests about one person's data, and the report on a person. A stored request holds no NIK."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Imported by the service at run time; the cold start of the API does without them.
    from collections.abc import Mapping

    from chalicelib.audit.model import AuditRecord
    from chalicelib.conversations.messages import ChatRecord
    from chalicelib.messaging.opt_outs import OptOut
    from chalicelib.notifications.model import Sms
    from chalicelib.photos.model import StoredPhoto
    from chalicelib.registrations.captures import Capture
    from chalicelib.registrations.model import Registration
    from chalicelib.registrations.phone import Phone
    from chalicelib.reviews.model import ReviewItem


class DataRequestType(StrEnum):
    """The act that is requested."""

    DISCLOSURE = "disclosure"
    ERASURE = "erasure"


@dataclass(frozen=True)
class DataRequest:
    """One request. The counts are of what was found when it was first made.

    `subject` is a hash of the NIK that no other item carries: it links the requests about one person and
    nothing else. `fingerprint` differs if another request under the same id has other content.
    """

    request_id: str
    act: DataRequestType
    subject: str
    fingerprint: str
    reason: str
    client_id: str
    asked_at: datetime
    registrations: int
    captures: int
    texts: int
    chats: int
    done_at: datetime | None = None


@dataclass(frozen=True)
class LoggedErasure:
    """An erasure as it is done again on tables that were restored to a time before it."""

    request_id: str
    worker_key: str
    received_before: datetime


@dataclass(frozen=True)
class DisclosureReport:
    """All data that is stored on one NIK. Opt-outs are those of the phone numbers of its registrations.

    `trail` has who changed and read the registrations, and when.
    """

    request: DataRequest
    registrations: "list[Registration]"
    captures: "list[Capture]"
    photos: "list[StoredPhoto]"
    sms_list: "list[Sms]"
    review_items: "list[ReviewItem]"
    opt_outs: "Mapping[Phone, OptOut]"
    chats: "list[ChatRecord]"
    requests: list[DataRequest]
    trail: "list[AuditRecord]"
