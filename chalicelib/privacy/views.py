"""What admins are answered about one person's data."""

from typing import TYPE_CHECKING

from pydantic import BaseModel

from chalicelib.clock import timestamp
from chalicelib.privacy.model import PersonRequest
from chalicelib.registrations.service import Capture
from chalicelib.registrations.views import WholeRegistrationView

if TYPE_CHECKING:
    # Whoever asks has them loaded; the cold start of the API does without them.
    from chalicelib.notifications.model import OptOut, Text
    from chalicelib.privacy.service import Disclosure
    from chalicelib.registrations.phone import Phone


class RequestView(BaseModel):
    """One request: what was asked, by whom, when and why, when it was done, and how much was found."""

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

    @classmethod
    def of(cls, request: PersonRequest) -> "RequestView":
        """A request as it is on record."""
        held = request.registrations + request.captures > 0
        return cls(
            request_id=request.request_id,
            act=request.act,
            outcome={"disclosure": "disclosed", "erasure": "erased"}[request.act] if held else "nothing_held",
            reason=request.reason,
            client_id=request.client_id,
            asked_at=timestamp(request.asked_at),
            done_at=None if request.done_at is None else timestamp(request.done_at),
            registrations=request.registrations,
            captures=request.captures,
            texts=request.texts,
        )


class CaptureView(BaseModel):
    """One act of registering: when, where, by whom and through what, and what its sender was told."""

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
    def of(cls, capture: Capture) -> "CaptureView":
        """A capture as it is kept."""
        taken = capture.taken
        return cls(
            capture_id=taken.capture_id,
            campaign_id=taken.campaign_id,
            captured_at=timestamp(taken.captured_at),
            received_at=timestamp(taken.received_at),
            client_id=taken.client_id,
            channel=taken.channel,
            officer=taken.officer,
            outcome=capture.facts.outcome,
            reference=None if capture.answer is None else capture.answer.reference,
        )


class TextView(BaseModel):
    """One text: what it was for, how far it came, and through which gateway. Its words are made when it is
    sent, and not kept.
    """

    registration: str
    purpose: str
    template_version: int
    state: str
    begun_at: str
    attempts: int
    attempted_at: str | None
    gateway: str | None

    @classmethod
    def of(cls, text: "Text") -> "TextView":
        """A text as the ledger has it."""
        return cls(
            registration=text.registration,
            purpose=text.purpose,
            template_version=text.template_version,
            state=text.state,
            begun_at=timestamp(text.begun_at),
            attempts=text.attempts,
            attempted_at=timestamp(text.touched_at) if text.attempts and text.touched_at else None,
            gateway=text.gateway,
        )


class OptOutView(BaseModel):
    """That one of the person's numbers wants no texts, or wanted none until that was lifted: since when, who
    said so, and when and by whom it was lifted.
    """

    phone: str
    in_force: bool
    since: str
    source: str
    lifted_at: str | None
    lifted_by: str | None

    @classmethod
    def of(cls, phone: "Phone", opt_out: "OptOut") -> "OptOutView":
        """An opt-out as it is kept."""
        return cls(
            phone=phone,
            in_force=opt_out.is_in_force,
            since=timestamp(opt_out.at),
            source=opt_out.source,
            lifted_at=None if opt_out.lifted_at is None else timestamp(opt_out.lifted_at),
            lifted_by=opt_out.lifted_by,
        )


class DisclosureView(BaseModel):
    """All that is held on one NIK, and what was done with it."""

    request: RequestView
    registrations: list[WholeRegistrationView]
    captures: list[CaptureView]
    texts: list[TextView]
    opt_outs: list[OptOutView]
    requests: list[RequestView]

    @classmethod
    def of(cls, disclosure: "Disclosure") -> "DisclosureView":
        """As it was found."""
        return cls(
            request=RequestView.of(disclosure.request),
            registrations=[WholeRegistrationView.entire(each) for each in disclosure.registrations],
            captures=[CaptureView.of(each) for each in disclosure.captures],
            texts=[TextView.of(each) for each in disclosure.texts],
            opt_outs=[OptOutView.of(phone, each) for phone, each in disclosure.opt_outs.items()],
            requests=[RequestView.of(each) for each in disclosure.requests],
        )
