"""Intake, lifecycle, corrections and erasure over the stores of one table, as one request uses them."""

from dataclasses import dataclass, field
from datetime import timedelta
from secrets import randbelow
from typing import Any

from chalicelib.callers import Caller, DailyCap, Role
from chalicelib.campaigns.service import CampaignService
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.corrections.merging import CorrectionMerger
from chalicelib.corrections.preparation import CorrectionPreparer
from chalicelib.corrections.schemas import SubmitCorrection
from chalicelib.corrections.service import CorrectionResult, CorrectionService
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.http.problems import list_shape_errors
from chalicelib.registrations.captures import Answer
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.intake import IntakeService
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.reading import ReadingService
from chalicelib.registrations.references import Reference
from chalicelib.registrations.reported_events import Payment
from chalicelib.registrations.rules import AgeLimits
from tests.support.builders import NOW, make_allowance, make_caller, make_limits, make_submission
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.chats import InMemoryWorkerChats
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.photos import InMemoryPhotos
from tests.support.fakes.summaries import make_due_list
from tests.support.payloads import make_capture_id, make_nik
from tests.support.registration_builders import make_campaign
from tests.support.registration_stores import RegistrationStores

HASHING = KeyedHash(lambda: HashKey(bytes(32)))
CORE = make_caller(Role.CORE, client_id="membership", campaigns=frozenset({"*"}))
MANAGER = make_caller(Role.MANAGER, client_id="branch-office")


@dataclass
class CorrectionStage:
    """Services over the same stores, with one clock."""

    stores: RegistrationStores
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    campaign_changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        campaign = make_campaign(accepts_until="2999-12-31", **self.campaign_changes)
        campaigns = CampaignService(
            campaigns=InMemoryCampaigns(campaign), get_due_list=make_due_list, clock=self.clock
        )
        quotes = QuoteService(rules=load_rules(), clock=self.clock)
        counts = InMemoryDayCounts()
        self.reading = ReadingService(store=self.stores.reading, clock=self.clock)
        self.intake = IntakeService(
            store=self.stores.intake,
            campaigns=campaigns,
            quote_service=quotes,
            hashing=HASHING,
            limits=make_limits(counts, self.clock),
            clock=self.clock,
            random_index=randbelow,
        )
        self.lifecycle = LifecycleService(
            store=self.stores.lifecycle,
            reading=self.reading,
            hashing=HASHING,
            max_payment_difference=25,
            identity_retention=timedelta(days=90),
            clock=self.clock,
        )
        self.corrections = CorrectionService(
            store=self.stores.corrections,
            reading=self.reading,
            campaigns=campaigns,
            merger=CorrectionMerger(
                quote_service=quotes,
                hashing=HASHING,
                age_limits=AgeLimits(),
                list_shape_errors=list_shape_errors,
            ),
            preparer=CorrectionPreparer(
                state=self.stores.corrections,
                records=self.stores.reading,
                hashing=HASHING,
                phone_cap=DailyCap(flag=2, cap=4),
                clock=self.clock,
            ),
            allowance=make_allowance(counts, self.clock),
            hashing=HASHING,
            clock=self.clock,
        )
        self.erasure = ErasureService(
            store=self.stores.erasure,
            reading=self.reading,
            photos=InMemoryPhotos(),
            chats=InMemoryWorkerChats(),
            clock=self.clock,
            retention_periods=dict.fromkeys(
                (Status.CANCELLED, Status.EXPIRED, Status.LAPSED, Status.DECEASED), timedelta(days=90)
            ),
        )

    def submit(
        self, number: int = 1, *, nik: str | None = None, caller: Caller | None = None, **changes: Any
    ) -> Answer:
        """Submit a capture. Each number is another capture, and another worker unless a NIK is given."""
        worker = {"nik": nik or make_nik(7000 + number), **changes.pop("worker", {})}
        command = make_submission(capture_id=make_capture_id(number), worker=worker, **changes)
        return self.intake.submit(command, caller=caller or make_caller(), correlation_id="c-1").answer

    def register(self, number: int = 1, **changes: Any) -> Registration:
        """Return the registration that a capture makes."""
        return self.get(self.submit(number, **changes).reference)

    def get(self, reference: Reference) -> Registration:
        return self.stores.reading.get(reference)

    def correct(
        self, reference: str, *, number: int = 1, caller: Caller = MANAGER, **fields: Any
    ) -> CorrectionResult:
        """Correct fields of a registration. Each number is another correction."""
        command = SubmitCorrection.model_validate(
            {"correction_id": make_capture_id(number), "fields": fields, "reason": "salah ketik"}
        )
        return self.corrections.correct(reference, command, caller=caller)

    def decide(self, reference: str, *, number: int = 1, confirms: bool = True) -> CorrectionResult:
        """Decide on a requested correction."""
        return self.corrections.decide(reference, make_capture_id(number), confirms=confirms, caller=CORE)

    def pay(self, reference: str, payment_id: str = "p-1") -> Registration:
        """Record the payment of a month."""
        payment = Payment(payment_id=payment_id, amount=16_400, months=1, paid_at=self.clock())
        return self.lifecycle.record_payment(reference, payment, caller=CORE)

    def find_open(self, nik: str) -> Reference | None:
        """Return the reference of the latest registration of a worker, if it has not ended."""
        record = self.stores.corrections.read_worker(HASHING.digest("nik", nik)).record
        return None if record is None or record.has_ended else record.reference
