"""Registrations as callers see them: masked, and no more than their role may know."""

from pydantic import BaseModel

from chalicelib.clock import timestamp
from chalicelib.privacy.masking import masked_name, masked_number
from chalicelib.registrations.model import Answer, Registration


class AnswerView(BaseModel):
    """What a field officer's device is told of a capture."""

    capture_id: str
    outcome: str
    reference: str
    status: str
    received_at: str

    @classmethod
    def of(cls, answer: Answer) -> "AnswerView":
        """The stored answer; the same stored answer gives the same bytes."""
        return cls(
            capture_id=answer.capture_id,
            outcome=answer.outcome,
            reference=answer.reference,
            status=answer.status,
            received_at=answer.received_at,
        )


class NeutralAnswerView(BaseModel):
    """What a bot is told: the same whether or not the worker was known.

    The reference travels by SMS alone.
    """

    capture_id: str
    outcome: str = "accepted"


class WorkerView(BaseModel):
    """A worker, masked."""

    nik: str
    name: str
    phone: str
    language: str


class WorkView(BaseModel):
    """What the worker lives from, without the income."""

    occupations: tuple[str, ...]
    place: str
    employs_others: bool


class CoverageView(BaseModel):
    """What the worker asked for."""

    programmes: tuple[str, ...]
    months: int
    payer: str


class EventView(BaseModel):
    """One thing that happened to a registration, when and through whom."""

    status: str
    at: str
    client_id: str
    officer: str | None


class RegistrationView(BaseModel):
    """A registration with its personal fields masked."""

    reference: str
    status: str
    campaign_id: str
    channel: str
    captured_at: str
    received_at: str
    worker: WorkerView
    work: WorkView
    coverage: CoverageView
    history: list[EventView]

    @classmethod
    def of(cls, registration: Registration) -> "RegistrationView":
        """Mask a registration."""
        taken, worker = registration.taken, registration.worker
        received_at = timestamp(taken.received_at)
        return cls(
            reference=registration.reference,
            status=registration.status,
            campaign_id=taken.campaign_id,
            channel=taken.channel,
            captured_at=timestamp(taken.captured_at),
            received_at=received_at,
            worker=WorkerView(
                nik=masked_number(worker.nik),
                name=masked_name(worker.name),
                phone=masked_number(worker.phone),
                language=worker.language,
            ),
            work=WorkView.model_validate(registration.work.model_dump(exclude={"monthly_income"})),
            coverage=CoverageView.model_validate(registration.coverage.model_dump()),
            history=[
                EventView(
                    status=registration.status,
                    at=received_at,
                    client_id=taken.client_id,
                    officer=taken.officer,
                )
            ],
        )
