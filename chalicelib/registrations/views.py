"""Registrations as callers see them: masked, and no more than their role may know."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from chalicelib.clock import timestamp
from chalicelib.contributions.model import Quote
from chalicelib.privacy.masking import masked_name, masked_number
from chalicelib.registrations.lifecycle import Payment, PaymentCode
from chalicelib.registrations.model import Answer, Consent, Registration, Worker

if TYPE_CHECKING:
    # Whoever asks has it loaded; the cold start of the API does without it.
    from chalicelib.registrations.casework import Gap


class AnswerView(BaseModel):
    """What a field officer's device is told of a capture."""

    capture_id: str
    outcome: str
    reference: str
    status: str
    received_at: str
    quote: Quote

    @classmethod
    def of(cls, answer: Answer) -> "AnswerView":
        """The stored answer; the same stored answer gives the same bytes."""
        return cls(
            capture_id=answer.capture_id,
            outcome=answer.outcome,
            reference=answer.reference,
            status=answer.status,
            received_at=answer.received_at,
            quote=answer.quote,
        )


class NeutralAnswerView(BaseModel):
    """What a bot is told: the same whether or not the worker was known.

    The reference travels by SMS alone.
    """

    capture_id: str
    outcome: str = "accepted"
    quote: Quote


class VerdictView(BaseModel):
    """What became of one item of a batch.

    `problem` is there where it was not taken in.
    """

    capture_id: str | None
    outcome: str
    reference: str | None = None
    status: str | None = None
    received_at: str | None = None
    quote: Quote | None = None
    problem: dict[str, Any] | None = None


class VerdictsView(BaseModel):
    """What became of a batch, item by item and in order."""

    results: list[VerdictView]


class WorkerView(BaseModel):
    """A worker. Masked but for the core system."""

    nik: str
    name: str
    phone: str
    language: str
    checks: tuple[str, ...]
    birth_date: date | None = None
    email: str | None = None
    address: str | None = None
    postal_code: str | None = None

    @classmethod
    def masked(cls, worker: Worker) -> "WorkerView":
        """Enough to recognise someone by, too little to harm them with."""
        return cls(
            nik=masked_number(worker.nik),
            name=masked_name(worker.name),
            phone=masked_number(worker.phone),
            language=worker.language,
            checks=worker.checks,
        )

    @classmethod
    def whole(cls, worker: Worker) -> "WorkerView":
        """Everything, for the core system alone."""
        return cls(
            nik=worker.nik,
            name=worker.name,
            phone=worker.phone,
            language=worker.language,
            checks=worker.checks,
            birth_date=worker.birth_date,
            email=worker.email,
            address=worker.address,
            postal_code=worker.postal_code,
        )


class WorkView(BaseModel):
    """What the worker lives from; the income for the core system alone."""

    occupations: tuple[str, ...]
    place: str
    employs_others: bool
    monthly_income: int | None = None


class CoverageView(BaseModel):
    """What the worker asked for."""

    programmes: tuple[str, ...]
    months: int
    payer: str


class EventView(BaseModel):
    """One thing that happened to a registration, when and through whom."""

    event: str
    status: str
    at: str
    client_id: str
    officer: str | None = None
    detail: Mapping[str, str | int]


class RegistrationView(BaseModel):
    """A registration. Fields that a role may not see are left out."""

    reference: str
    status: str
    verification: str
    campaign_id: str
    channel: str
    captured_at: str
    received_at: str
    active_until: date | None
    follows: str | None
    flags: tuple[str, ...] = ()
    payment_code: PaymentCode | None = None
    worker: WorkerView
    work: WorkView
    coverage: CoverageView
    quote: Quote
    history: list[EventView]

    @classmethod
    def masked(cls, registration: Registration) -> "RegistrationView":
        """For officers and managers."""
        return cls._of(registration, WorkerView.masked(registration.worker), is_whole=False)

    @classmethod
    def whole(cls, registration: Registration) -> "RegistrationView":
        """For the core system."""
        return cls._of(registration, WorkerView.whole(registration.worker), is_whole=True)

    @classmethod
    def _of(cls, registration: Registration, worker: WorkerView, *, is_whole: bool) -> "RegistrationView":
        taken, life = registration.taken, registration.life
        history = [
            EventView(
                event=event.happening,
                status=event.status,
                at=timestamp(event.at),
                client_id=event.client_id,
                detail=event.detail,
            )
            for event in life.history
        ]
        history[0].officer = taken.officer
        hidden = set() if is_whole else {"monthly_income"}
        return cls(
            reference=registration.reference,
            status=life.status,
            verification=life.verification,
            campaign_id=taken.campaign_id,
            channel=taken.channel,
            captured_at=timestamp(taken.captured_at),
            received_at=timestamp(taken.received_at),
            active_until=life.active_until,
            follows=registration.follows,
            flags=registration.flags,
            payment_code=life.payment_code if is_whole else None,
            worker=worker,
            work=WorkView.model_validate(registration.work.model_dump(exclude=hidden)),
            coverage=CoverageView.model_validate(registration.coverage.model_dump()),
            quote=registration.quote,
            history=history,
        )


class WholeRegistrationView(RegistrationView):
    """A registration with all that is kept of it, for the person it is about."""

    sex: str
    consent: Consent
    payments: tuple[Payment, ...]
    kpj: str | None
    expires_on: date

    @classmethod
    def entire(cls, registration: Registration) -> "WholeRegistrationView":
        """Everything."""
        whole = RegistrationView.whole(registration)
        return cls(
            **vars(whole),
            sex=registration.worker.sex,
            consent=registration.consent,
            payments=registration.life.payments,
            kpj=registration.life.kpj,
            expires_on=registration.expires_on,
        )


class RegistrationsView(BaseModel):
    """A page of registrations.

    `cursor` asks for the next page; `resume` is for a later pull and misses nothing.
    """

    registrations: list[RegistrationView]
    cursor: str | None
    resume: str | None


class GapView(BaseModel):
    """A run of captures that a device still owes, first and last."""

    first: int
    last: int


class GapsView(BaseModel):
    """What a device still owes, up to the highest number that arrived."""

    client_id: str
    missing: list[GapView]

    @classmethod
    def of(cls, client_id: str, gaps: list["Gap"]) -> "GapsView":
        """As they were found."""
        return cls(client_id=client_id, missing=[GapView(first=gap.first, last=gap.last) for gap in gaps])
