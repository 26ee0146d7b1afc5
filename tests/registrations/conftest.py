"""The services of the registrations package on the declared table, in moto."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import randbelow
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.callers import Caller, Role
from chalicelib.campaigns.service import CampaignService
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.registrations.captures import Answer
from chalicelib.registrations.erasure import ErasureService, ErasureStore
from chalicelib.registrations.intake import IntakeService, IntakeStore
from chalicelib.registrations.intake_limits import IntakeLimits
from chalicelib.registrations.lifecycle import LifecycleService, LifecycleStore
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.reading import ReadingService
from chalicelib.registrations.reported_events import Cancellation
from chalicelib.registrations.schedule import age_due_registrations
from tests.support.builders import NOW, make_caller, make_limits, make_submission
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.chats import InMemoryWorkerChats
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.photos import InMemoryPhotos
from tests.support.fakes.summaries import make_due_list
from tests.support.moto_tables import read_table_definitions
from tests.support.payloads import make_capture_id, make_nik
from tests.support.registration_builders import make_campaign
from tests.support.registration_stores import RegistrationStores, open_registration_stores
from tests.support.rollup_harness import FakeLambdaContext

# One session for all of moto: making one reads the whole model of the service again.
_MOTO_SESSION = boto3.Session("testing", "testing", region_name="eu-north-1")
_TABLE_NAME = "RegistrationsTable"

CORE_CALLER = make_caller(Role.CORE, client_id="membership", campaigns=frozenset({"*"}))


@dataclass
class RegistrationHarness:
    """Services on one table, with one clock. A service can get a store of its own."""

    dynamodb: Any
    stores: RegistrationStores
    clock: FixedClock
    limits: IntakeLimits
    # Longer than any test, but those of this retention.
    identity_retention: timedelta = timedelta(days=36_500)
    erased_sms: list[str] = field(default_factory=list)
    photos: InMemoryPhotos = field(default_factory=InMemoryPhotos)

    @property
    def intake_service(self) -> IntakeService:
        return self.make_intake_service(self.stores.intake)

    @property
    def lifecycle_service(self) -> LifecycleService:
        return self.make_lifecycle_service(self.stores.lifecycle)

    @property
    def reading_service(self) -> ReadingService:
        return ReadingService(store=self.stores.reading, clock=self.clock)

    @property
    def erasure_service(self) -> ErasureService:
        return self.make_erasure_service(self.stores.erasure)

    def make_intake_service(
        self,
        store: IntakeStore,
        *,
        accepts_until: str = "2999-12-31",
        limits: IntakeLimits | None = None,
        campaigns: CampaignService | None = None,
        **campaign_changes: Any,
    ) -> IntakeService:
        """Return the intake for a campaign of two days, or for given ones."""
        campaign = make_campaign(accepts_until=accepts_until, **campaign_changes)
        return IntakeService(
            store=store,
            campaigns=campaigns
            or CampaignService(
                campaigns=InMemoryCampaigns(campaign),
                get_due_list=make_due_list,
                clock=self.clock,
            ),
            quote_service=QuoteService(rules=load_rules(), clock=self.clock),
            hashing=KeyedHash(lambda: HashKey(bytes(32))),
            limits=limits or self.limits,
            clock=self.clock,
            random_index=randbelow,
        )

    def make_lifecycle_service(self, store: LifecycleStore) -> LifecycleService:
        return LifecycleService(
            store=store,
            reading=self.reading_service,
            hashing=KeyedHash(lambda: HashKey(bytes(32))),
            max_payment_difference=25,
            identity_retention=self.identity_retention,
            clock=self.clock,
        )

    def make_erasure_service(self, store: ErasureStore) -> ErasureService:
        return ErasureService(
            store=store,
            reading=self.reading_service,
            photos=self.photos,
            chats=InMemoryWorkerChats(),
            clock=self.clock,
            retention_periods=dict.fromkeys(
                (Status.CANCELLED, Status.EXPIRED, Status.LAPSED), timedelta(days=90)
            ),
        )

    def submit(
        self,
        number: int = 1,
        *,
        nik_number: int | None = None,
        caller: Caller | None = None,
        worker: dict[str, Any] | None = None,
        intake: IntakeService | None = None,
        **changes: Any,
    ) -> Answer:
        """Submit a capture. Another `number` is another capture, and another worker without `nik_number`."""
        nik = make_nik(7000 + (number if nik_number is None else nik_number))
        command = make_submission(
            capture_id=make_capture_id(number), worker={"nik": nik, **(worker or {})}, **changes
        )
        intake = intake or self.intake_service
        result = intake.submit(command, caller=caller or make_caller(), correlation_id="c-1")
        return result.answer

    def register(self, number: int = 1, *, nik_number: int | None = None) -> Registration:
        """Return the registration that a submitted capture makes."""
        return self.stores.reading.get(self.submit(number, nik_number=nik_number).reference)

    def cancel(self, reference: str) -> None:
        """Cancel an application."""
        self.lifecycle_service.cancel(reference, Cancellation(reason="other"), caller=make_caller())

    def age_due(self) -> dict[str, int]:
        """Apply the time-outs that are due now. Return the number of changes by status."""
        context = FakeLambdaContext(self.clock, timedelta(minutes=15))
        return age_due_registrations(
            self.lifecycle_service, self.erasure_service, self.erased_sms.append, context
        )

    def scan_items(self) -> list[dict[str, Any]]:
        """Return the table's items, without counts of phone numbers, which expire, and of deletions."""
        items = self.dynamodb.scan(TableName=_TABLE_NAME)["Items"]
        return [item for item in items if not item["pk"]["S"].startswith(("PHONE#", "CAMPAIGN#"))]

    def remove_attribute(self, name: str) -> None:
        """Remove an attribute from every item, as if an earlier release had stored them."""
        for item in self.scan_items():
            self.dynamodb.update_item(
                TableName=_TABLE_NAME,
                Key={"pk": item["pk"], "sk": item["sk"]},
                UpdateExpression="REMOVE #name",
                ExpressionAttributeNames={"#name": name},
            )

    def advance_days(self, days: int) -> None:
        """Move the clock."""
        self.clock.advance(timedelta(days=days))


@pytest.fixture
def harness(_isolated_aws_environment: None) -> Iterator[RegistrationHarness]:
    with open_harness() as harness:
        yield harness


@contextmanager
def open_harness() -> Iterator[RegistrationHarness]:
    """Open a harness on an empty table."""
    with mock_aws():
        client = _MOTO_SESSION.client("dynamodb")
        client.create_table(TableName=_TABLE_NAME, **read_table_definitions()[_TABLE_NAME])
        cipher = FieldCipher(lambda: FieldKeys(current_key_id="k", by_id={"k": bytes(32)}))
        clock = FixedClock(NOW)
        stores = open_registration_stores(client, _TABLE_NAME, cipher)
        yield RegistrationHarness(
            client,
            stores,
            clock,
            make_limits(InMemoryDayCounts(), clock, on_unusual_client=stores.unusual_clients.record),
        )
