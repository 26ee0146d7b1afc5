"""Values of the domain as stores get them; each test states only the fields that it is about."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from chalicelib.callers import Channel, Disclosure, Role
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clients.model import Client
from chalicelib.clock import to_timestamp
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import QuoteService
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.model import Sms
from chalicelib.notifications.templates import SmsKind
from chalicelib.registrations.capture_metadata import CaptureMetadata
from chalicelib.registrations.captures import Answer, Capture, CaptureFacts, DayFact, Outcome
from chalicelib.registrations.limits import PhoneCountIncrement
from chalicelib.registrations.model import (
    LifecycleState,
    Registration,
    RegistrationFacts,
    Status,
)
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.references import ALPHABET, Reference
from chalicelib.registrations.worker import Consent, Coverage, Work, Worker
from chalicelib.rollups.model import Counts, Summary, SummaryState
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.payloads import make_campaign_payload, make_capture_id, make_nik


class DayFactSource(Protocol):
    """A source of the countable facts of a day."""

    def iter_day_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        """Yield the facts of a day."""


CAMPAIGN_ID = "tanah-abang-2024"
FIRST_DAY = CampaignDay(CAMPAIGN_ID, date(2024, 10, 9))
SECOND_DAY = CampaignDay(CAMPAIGN_ID, date(2024, 10, 10))
REFUSALS_EXPIRE_ON = FIRST_DAY.day + timedelta(days=90)
REFERENCE, ANOTHER_REFERENCE = Reference("7K4-M2Q-X9P"), Reference("B3D-F5H-J7M")
QUOTE = QuoteService(rules=load_rules(), clock=lambda: NOW).quote(
    AskForQuote(
        monthly_income=2_513_000,
        occupations=("porter",),
        employs_others=False,
        programmes=("JKK", "JKM"),
        months=3,
        payer="self",
        start_month="2024-10",
    )
)
PHONE_COUNT = PhoneCountIncrement("phone", FIRST_DAY.day, limit=1_000)


def make_reference(number: int) -> Reference:
    """Return another reference for each `number`."""
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return Reference(f"{digits[:3]}-{digits[3:6]}-{digits[6:]}")


def collect_capture_facts(source: DayFactSource, campaign_day: CampaignDay) -> list[CaptureFacts]:
    """Return the facts of a day's captures."""
    return [
        fact.facts for fact in source.iter_day_facts(campaign_day) if isinstance(fact.facts, CaptureFacts)
    ]


def collect_registration_facts(source: DayFactSource, campaign_day: CampaignDay) -> list[RegistrationFacts]:
    """Return the facts of a day's registrations."""
    return [
        fact.facts
        for fact in source.iter_day_facts(campaign_day)
        if isinstance(fact.facts, RegistrationFacts)
    ]


def make_capture_metadata(number: int = 1, **changes: Any) -> CaptureMetadata:
    """Return the circumstances of a capture; another `number` is another capture."""
    default = CaptureMetadata(
        capture_id=make_capture_id(number),
        campaign_id=CAMPAIGN_ID,
        day=FIRST_DAY.day,
        captured_at=NOW - timedelta(minutes=48),
        received_at=NOW,
        client_id="van-1",
        channel=Channel.VAN,
        disclosure=Disclosure.OFFICER,
        officer="ofc-12",
        correlation_id="c0ffee00-0000-4000-8000-000000000001",
    )
    return replace(default, **changes)


def make_capture(
    capture_metadata: CaptureMetadata,
    outcome: Outcome = Outcome.CREATED,
    *,
    reference: Reference = REFERENCE,
    fingerprint: str = "fingerprint",
    occupations: tuple[str, ...] = ("porter",),
) -> Capture:
    """Return a capture with an answer of its outcome."""
    answer = Answer(
        capture_id=capture_metadata.capture_id,
        outcome=outcome,
        reference=reference,
        status=Status.RECEIVED,
        received_at=to_timestamp(capture_metadata.received_at),
        quote=QUOTE,
    )
    return Capture(
        capture_metadata=capture_metadata,
        fingerprint=fingerprint,
        facts=CaptureFacts(outcome, capture_metadata.channel, capture_metadata.client_id, occupations),
        answer=None if outcome is Outcome.REFUSED else answer,
    )


def make_registration(
    reference: Reference = REFERENCE,
    capture_metadata: CaptureMetadata | None = None,
    *,
    worker_key: str = "worker",
    **worker: Any,
) -> Registration:
    """Return a registration; keyword arguments change fields of its worker."""
    default = Worker(
        nik=NIK(make_nik()),
        name="Melati Kusumawati",
        sex=Sex.FEMALE,
        birth_date=date(1985, 4, 12),
        phone=Phone("+6282455507001"),
        email="melati@pasar.example",
        address="Jalan Contoh 7",
        postal_code="10250",
        language="id",
    )
    capture_metadata = capture_metadata or make_capture_metadata()
    return Registration(
        reference=reference,
        worker_key=worker_key,
        lifecycle=LifecycleState.begin(
            occurred_at=capture_metadata.received_at, client_id=capture_metadata.client_id
        ),
        capture_metadata=capture_metadata,
        worker=replace(default, **worker),
        work=Work(occupations=("porter",), place="Blok A", monthly_income=2_513_000, employs_others=False),
        coverage=Coverage(programmes=("JKK", "JKM"), months=3, payer="self"),
        consent=Consent(text_version="2024-10", given_at=NOW - timedelta(minutes=49), method="tick"),
        quote=QUOTE,
        expires_on=FIRST_DAY.day + timedelta(days=30),
    )


def get_worker(registration: Registration) -> Worker:
    """Return the worker of a registration that has its identity still."""
    assert isinstance(registration.worker, Worker)
    return registration.worker


def make_campaign(**changes: Any) -> Campaign:
    """Return a campaign."""
    return Campaign.model_validate(make_campaign_payload(**changes))


def make_client(client_id: str = "van-1", **changes: Any) -> Client:
    """Return the client of a van's tablet."""
    default = Client(
        client_id=client_id,
        roles=frozenset({Role.KIOSK}),
        channel=Channel.VAN,
        campaigns=frozenset({CAMPAIGN_ID}),
        enrolled_at=NOW,
    )
    return replace(default, **changes)


def make_sms(number: int = 1, **changes: Any) -> Sms:
    """Return a pending SMS; another `number` is another SMS."""
    default = Sms(
        sms_id=SmsId(f"{number:032x}"),
        reference=REFERENCE,
        campaign_id=CAMPAIGN_ID,
        day=FIRST_DAY.day,
        purpose=Purpose.RECEIVED,
        template_version=1,
        event_version=1,
        kind=SmsKind.CONFIRMATION,
        phone_hash="hash of a phone",
        correlation_id="c0ffee00-0000-4000-8000-000000000001",
        begun_at=NOW,
        deadline=NOW + timedelta(hours=36),
        due_at=NOW + timedelta(hours=1),
        parts=1,
        price=350,
    )
    return replace(default, **changes)


def make_summary(
    campaign_day: CampaignDay = FIRST_DAY, version: int = 1, *, counted_at: datetime = NOW
) -> Summary:
    """Return a summary of a day with three captures."""
    return Summary(
        campaign_id=campaign_day.campaign_id,
        day=campaign_day.day,
        version=version,
        state=SummaryState.PROVISIONAL,
        counted_at=to_timestamp(counted_at),
        content_hash=f"hash of version {version}",
        counts=Counts(captures=3, created=2, already_registered=1, reactivated=0, refused=1, registered=2),
        by_channel={"van": 2},
        by_client={"van-1": 2},
        by_occupation={"porter": 2},
        changes=[],
    )
