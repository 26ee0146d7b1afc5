"""Requests about one person's data over HTTP, and their answers."""

from collections.abc import Container
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from chalicelib.audit.schemas import AuditRecordView
from chalicelib.clock import to_optional_timestamp, to_timestamp
from chalicelib.data_requests.model import DataRequest, DisclosureReport
from chalicelib.fields import StrictUUID
from chalicelib.models import StrictModel
from chalicelib.registrations.captures import Capture
from chalicelib.registrations.schemas import WholeRegistrationView

if TYPE_CHECKING:
    # The service imports them at run time; the cold start of the API does without them.
    from chalicelib.conversations.messages import ChatRecord
    from chalicelib.messaging.opt_outs import OptOut
    from chalicelib.notifications.model import Sms
    from chalicelib.photos.model import StoredPhoto
    from chalicelib.registrations.phone import Phone
    from chalicelib.reviews.model import ReviewItem

Reason = Literal[
    "worker_request", "consent_withdrawn", "purpose_ended", "authority_order", "incident", "other"
]


class SubmitDataRequest(StrictModel):
    """Ask for all that is held on one NIK, or for its erasure. The same request may be sent again."""

    request_id: StrictUUID = Field(
        description="Made by the sender; the idempotency key, and the key of the record."
    )
    nik: str = Field(max_length=40, description="16 digits; spaces, dots and dashes are tolerated.")
    reason: Reason = Field(default="worker_request", description="Why it is asked; kept with the request.")


class DataRequestView(BaseModel):
    """One request about a person: its sender, reason and times, and the number of records found."""

    request_id: str
    act: str
    outcome: str
    reason: str
    client_id: str
    asked_at: str
    done_at: str | None
    registrations: int
    captures: int
    texts: int
    chats: int = Field(description="Drafts, messages and chats; a worker may have begun in a chat alone.")

    @classmethod
    def from_request(cls, request: DataRequest) -> "DataRequestView":
        has_data = request.registrations + request.captures + request.chats > 0
        return cls(
            request_id=request.request_id,
            act=request.act,
            outcome={"disclosure": "disclosed", "erasure": "erased"}[request.act]
            if has_data
            else "nothing_held",
            reason=request.reason,
            client_id=request.client_id,
            asked_at=to_timestamp(request.asked_at),
            done_at=to_optional_timestamp(request.done_at),
            registrations=request.registrations,
            captures=request.captures,
            texts=request.texts,
            chats=request.chats,
        )


class CaptureView(BaseModel):
    """One capture: its time, place, officer, client and channel, and the outcome that its sender got."""

    capture_id: str
    campaign_id: str
    captured_at: str
    received_at: str
    client_id: str
    channel: str
    officer: str | None
    outcome: str
    reference: str | None

    @classmethod
    def from_capture(cls, capture: Capture) -> "CaptureView":
        metadata = capture.capture_metadata
        return cls(
            capture_id=metadata.capture_id,
            campaign_id=metadata.campaign_id,
            captured_at=to_timestamp(metadata.captured_at),
            received_at=to_timestamp(metadata.received_at),
            client_id=metadata.client_id,
            channel=metadata.channel,
            officer=metadata.officer,
            outcome=capture.facts.outcome,
            reference=None if capture.answer is None else capture.answer.reference,
        )


class PhotoView(BaseModel):
    """One photo of a capture, and a URL that is good until `url_expires_at`."""

    capture_id: str
    stored_at: str
    bytes: int
    url: str
    url_expires_at: str

    @classmethod
    def from_photo(cls, photo: "StoredPhoto") -> "PhotoView":
        return cls(
            capture_id=photo.capture_id,
            stored_at=to_timestamp(photo.stored_at),
            bytes=photo.size,
            url=photo.url,
            url_expires_at=to_timestamp(photo.url_expires_at),
        )


class SmsView(BaseModel):
    """One SMS: its purpose, state and gateway. The body is rendered when it is sent, and not stored."""

    registration: str
    purpose: str
    template_version: int
    state: str
    begun_at: str
    attempts: int
    attempted_at: str | None
    gateway: str | None

    @classmethod
    def from_sms(cls, sms: "Sms") -> "SmsView":
        return cls(
            registration=sms.reference,
            purpose=sms.purpose,
            template_version=sms.template_version,
            state=sms.state,
            begun_at=to_timestamp(sms.begun_at),
            attempts=sms.attempts,
            attempted_at=to_timestamp(sms.touched_at) if sms.attempts and sms.touched_at else None,
            gateway=sms.gateway,
        )


class OptOutView(BaseModel):
    """An opt-out of one of the person's numbers: its start and its source, and who lifted it and when."""

    phone: str
    in_force: bool
    since: str
    source: str
    lifted_at: str | None
    lifted_by: str | None

    @classmethod
    def from_opt_out(cls, phone: "Phone", opt_out: "OptOut") -> "OptOutView":
        return cls(
            phone=phone,
            in_force=opt_out.is_in_force,
            since=to_timestamp(opt_out.opted_out_at),
            source=opt_out.source,
            lifted_at=to_optional_timestamp(opt_out.lifted_at),
            lifted_by=opt_out.lifted_by,
        )


class ChatRecordView(BaseModel):
    """A record of the person in a chat: a draft with its answers, a message, or where a capture was made.

    A `hand_off` says that the person wanted to talk to somebody.
    """

    kind: str
    channel: str
    answers: dict[str, Any] | None
    text: str | None

    @classmethod
    def from_record(cls, record: "ChatRecord") -> "ChatRecordView":
        answers = None if record.answers is None else dict(record.answers)
        return cls(kind=record.kind, channel=record.channel, answers=answers, text=record.text)


class ReviewedItemView(BaseModel):
    """A review item about the person's registrations. Those of others are left out."""

    item_id: str
    campaign_id: str
    kind: str
    state: str
    opened_at: str
    references: tuple[str, ...]
    note: str | None
    changed_by: str | None
    changed_at: str | None

    @classmethod
    def from_item(cls, item: "ReviewItem", references: Container[str]) -> "ReviewedItemView":
        return cls(
            item_id=item.item_id,
            campaign_id=item.campaign_id,
            kind=item.kind,
            state=item.state,
            opened_at=to_timestamp(item.opened_at),
            references=tuple(each.reference for each in item.registrations if each.reference in references),
            note=item.note,
            changed_by=item.changed_by,
            changed_at=to_optional_timestamp(item.changed_at),
        )


class DisclosureView(BaseModel):
    """All that is held on one NIK, and what was done with it."""

    request: DataRequestView
    registrations: list[WholeRegistrationView]
    captures: list[CaptureView]
    photos: list[PhotoView]
    texts: list[SmsView]
    opt_outs: list[OptOutView]
    chats: list[ChatRecordView]

    review_items: list[ReviewedItemView]
    requests: list[DataRequestView]
    trail: list[AuditRecordView]

    @classmethod
    def from_disclosure(cls, disclosure: DisclosureReport) -> "DisclosureView":
        references = {each.reference for each in disclosure.registrations}
        return cls(
            request=DataRequestView.from_request(disclosure.request),
            registrations=[WholeRegistrationView.build_complete(each) for each in disclosure.registrations],
            captures=[CaptureView.from_capture(each) for each in disclosure.captures],
            photos=[PhotoView.from_photo(each) for each in disclosure.photos],
            texts=[SmsView.from_sms(each) for each in disclosure.sms_list],
            opt_outs=[OptOutView.from_opt_out(phone, each) for phone, each in disclosure.opt_outs.items()],
            chats=[ChatRecordView.from_record(each) for each in disclosure.chats],
            review_items=[ReviewedItemView.from_item(each, references) for each in disclosure.review_items],
            requests=[DataRequestView.from_request(each) for each in disclosure.requests],
            trail=[AuditRecordView.from_record(each) for each in disclosure.trail],
        )
