"""The responses about registrations, masked for the caller's role."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from chalicelib.callers import Caller, Channel, Disclosure, Role
from chalicelib.clock import to_optional_timestamp, to_timestamp
from chalicelib.contributions.model import Payer, Programme, Quote
from chalicelib.crypto.masking import mask_name, mask_number
from chalicelib.registrations.capture_metadata import CaptureMetadata
from chalicelib.registrations.captures import IdentityField, Suggestion
from chalicelib.registrations.corrections import Correction
from chalicelib.registrations.model import EventType, Flag, Registration, Status, Verification
from chalicelib.registrations.reported_events import Payment, PaymentCode
from chalicelib.registrations.schemas_answers import DIFFERS, NEUTRAL_OUTCOME, SUGGESTION
from chalicelib.registrations.worker import Check, Consent, Recipient, Worker

if TYPE_CHECKING:
    # Its callers have loaded it; the cold start of the API does without it.
    from chalicelib.registrations.reading import CaptureReport


_DELETED_LATER = (
    "Left out after the identity of a paid worker was deleted, some time after the first payment; so are"
    " birth date, addresses and income."
)


class WorkerView(BaseModel):
    """A worker. Masked but for the core system."""

    nik: str | None = Field(default=None, description=_DELETED_LATER)
    name: str
    phone: str | None
    language: str
    checks: tuple[Check, ...]
    birth_date: date | None = None
    email: str | None = None
    address: str | None = None
    postal_code: str | None = None

    @classmethod
    def build_masked(cls, worker: Recipient) -> "WorkerView":
        """Return a view in which a worker can be recognised, and no value can be misused."""
        return cls(
            nik=mask_number(worker.nik) if isinstance(worker, Worker) else None,
            name=mask_name(worker.name),
            phone=None if worker.phone is None else mask_number(worker.phone),
            language=worker.language,
            checks=worker.checks,
        )

    @classmethod
    def build_full(cls, worker: Recipient) -> "WorkerView":
        """Return all fields, for the core system alone."""
        return cls(**vars(worker))


class WorkView(BaseModel):
    """The worker's occupations and place of work; the income only for the core system."""

    occupations: tuple[str, ...]
    place: str
    employs_others: bool
    monthly_income: int | None = None


class CoverageView(BaseModel):
    """The coverage that the worker asked for."""

    programmes: tuple[Programme, ...]
    months: int
    payer: Payer
    sponsor_id: str | None = None


class EventView(BaseModel):
    """An event of a registration, with its time and its client."""

    event: EventType
    status: Status
    at: str
    client_id: str
    officer: str | None = None
    detail: Mapping[str, str | int]


class RegistrationView(BaseModel):
    """A registration. Fields that a role may not see are left out."""

    reference: str
    status: Status
    verification: Verification
    campaign_id: str
    channel: Channel
    captured_at: str
    received_at: str
    active_until: date | None
    follows: str | None
    flags: tuple[Flag, ...] = ()
    payment_code: PaymentCode | None = None
    confirmation: str | None = Field(
        default=None,
        description="For officers and managers, of one registration: what became of the SMS that confirms it:"
        " sent, waiting, held, unknown, expired, not_sent, replaced or none.",
    )
    worker: WorkerView
    work: WorkView
    coverage: CoverageView
    quote: Quote | None = Field(
        default=None, description="Not for officers' devices: the income can be computed from it."
    )
    history: list[EventView]

    @classmethod
    def build(cls, registration: Registration, *, caller: Caller) -> "RegistrationView":
        """Return the view for a caller, by the roles that it has for the registration's campaign.

        The core system sees all fields; managers see masked ones; an officer's device sees neither the quote
        nor what is flagged for managers, and the payment code of a worker whom it has registered itself.
        """
        is_own = caller.may_access_campaign(registration.capture_metadata.campaign_id)
        if caller.has_role(Role.CORE) and is_own:
            return cls.build_full(registration)
        if caller.has_role(Role.MANAGER) and is_own:
            return cls.build_masked(registration)
        view = cls.build_for_officer(registration)
        if registration.capture_metadata.client_id == caller.client_id:
            # For the receipt. The device knows the price from its own capture.
            view = view.model_copy(update={"payment_code": registration.lifecycle.payment_code})
        return view

    @classmethod
    def build_masked(cls, registration: Registration) -> "RegistrationView":
        return cls._build(registration, WorkerView.build_masked(registration.worker), is_full=False)

    @classmethod
    def build_for_officer(cls, registration: Registration) -> "RegistrationView":
        """Return what an officer needs who has the worker in front of them: who it is, and how it stands."""
        view = cls.build_masked(registration)
        history = [each for each in view.history if each.event is not EventType.REPEAT_DIFFERS]
        return view.model_copy(update={"quote": None, "flags": (), "history": history})

    @classmethod
    def build_full(cls, registration: Registration) -> "RegistrationView":
        return cls._build(registration, WorkerView.build_full(registration.worker), is_full=True)

    @classmethod
    def _build(
        cls, registration: Registration, worker_view: WorkerView, *, is_full: bool
    ) -> "RegistrationView":
        metadata, lifecycle = registration.capture_metadata, registration.lifecycle
        history = [
            EventView(
                event=event.event_type,
                status=event.status,
                at=to_timestamp(event.occurred_at),
                client_id=event.client_id,
                detail=event.detail,
            )
            for event in lifecycle.history
        ]
        history[0].officer = metadata.officer
        hidden = set() if is_full else {"monthly_income"}
        return cls(
            reference=registration.reference,
            status=lifecycle.status,
            verification=lifecycle.verification,
            campaign_id=metadata.campaign_id,
            channel=metadata.channel,
            captured_at=to_timestamp(metadata.captured_at),
            received_at=to_timestamp(metadata.received_at),
            active_until=lifecycle.active_until,
            follows=registration.follows,
            flags=registration.shown_flags,
            payment_code=lifecycle.payment_code if is_full else None,
            worker=worker_view,
            work=WorkView(
                **{name: value for name, value in vars(registration.work).items() if name not in hidden}
            ),
            coverage=CoverageView.model_validate(registration.coverage.model_dump()),
            quote=registration.quote,
            history=history,
        )


class DeviceReportView(BaseModel):
    """The report of the device that sent a capture, for officers and managers."""

    clock_skew: int | None = Field(
        default=None, description="Seconds, the device's clock minus the server's, when it was sent."
    )
    app_version: str | None = Field(default=None, description="Of the web app that sent it.")
    rescued_by: str | None = Field(default=None, description="The client that brought the rescue file.")

    @classmethod
    def build(cls, capture_metadata: CaptureMetadata) -> "DeviceReportView | None":
        """Return the report, None if the device made none."""
        view = cls(
            clock_skew=capture_metadata.clock_skew,
            app_version=capture_metadata.app_version,
            rescued_by=capture_metadata.rescued_by,
        )
        return None if view == cls() else view


class CaptureReportView(BaseModel):
    """The verdict on a capture, with the registration as it is now.

    The public learns only whether the capture was accepted.
    """

    capture_id: str
    outcome: str
    reasons: tuple[str, ...] = ()
    reference: str | None = None
    status: str | None = None
    received_at: str | None = None
    quote: Quote | None = None
    differs: tuple[IdentityField, ...] = DIFFERS
    suggestion: Suggestion | None = SUGGESTION
    registration: RegistrationView | None = None
    device: DeviceReportView | None = None

    @classmethod
    def build(cls, report: "CaptureReport", *, caller: Caller) -> "CaptureReportView":
        """Return what a report discloses: to the public the same for new, known and erased workers."""
        capture, is_public = report.capture, report.disclosure is Disclosure.PUBLIC
        if capture is None or (is_public and capture.answer is not None):
            return cls(capture_id=report.capture_id, outcome=NEUTRAL_OUTCOME)
        metadata = capture.capture_metadata
        device = None if is_public else DeviceReportView.build(metadata)
        if capture.answer is None:
            return cls(
                capture_id=report.capture_id,
                outcome=capture.facts.outcome,
                reasons=capture.facts.reasons,
                received_at=to_timestamp(metadata.received_at),
                device=device,
            )
        registration = report.registration
        return cls(
            **vars(capture.answer),
            device=device,
            suggestion=capture.answer.suggestion,
            registration=None
            if registration is None
            else RegistrationView.build(registration, caller=caller),
        )


class WholeCorrectionView(BaseModel):
    """A correction with all that is kept of it: `before` has the values that it replaced, by field."""

    correction_id: str
    state: str
    fields: tuple[str, ...]
    reason: str
    client_id: str
    occurred_at: str
    decided_by: str | None
    decided_at: str | None
    before: Mapping[str, Any]
    wanted: Mapping[str, Any]

    @classmethod
    def build(cls, correction: Correction) -> "WholeCorrectionView":
        values = vars(correction) | {
            "occurred_at": to_timestamp(correction.occurred_at),
            "decided_at": to_optional_timestamp(correction.decided_at),
        }
        return cls(**{name: values[name] for name in cls.model_fields})


class WholeRegistrationView(RegistrationView):
    """A registration with all that is kept of it, for the person it is about."""

    sex: str
    consent: Consent
    payments: tuple[Payment, ...]
    kpj: str | None
    expires_on: date
    corrections: tuple[WholeCorrectionView, ...]

    @classmethod
    def build_complete(cls, registration: Registration) -> "WholeRegistrationView":
        whole = RegistrationView.build_full(registration)
        return cls(
            **vars(whole),
            sex=registration.worker.sex,
            consent=registration.consent,
            payments=registration.lifecycle.payments,
            kpj=registration.lifecycle.kpj,
            expires_on=registration.expires_on,
            corrections=tuple(map(WholeCorrectionView.build, registration.corrections)),
        )


class RegistrationsView(BaseModel):
    """A page of registrations.

    `cursor` asks for the next page; `resume` is for a later pull and misses nothing. `unreadable` is left out
    if it is empty.
    """

    registrations: list[RegistrationView]
    cursor: str | None
    resume: str | None
    unreadable: list[str] = Field(
        default=[],
        description="References of registrations that belong on this page, whatever their status, and cannot"
        " be read. The cursor is after them. Read them one by one once we have restored them.",
    )
