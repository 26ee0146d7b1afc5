"""Intake and casework on the declared table, on moto: one desk where captures come in and cases go on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from secrets import randbelow
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.callers import Role
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.randomness import generate_write_id
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.intake import IntakeLimits, IntakeService, Registrations
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.model import Answer, Registration
from chalicelib.registrations.states import Cancellation
from chalicelib.registrations.store import DynamoRegistrations, DynamoWorkers
from tests.support.builders import (
    NOW,
    make_caller,
    make_campaign_payload,
    make_capture_id,
    make_limits,
    make_nik,
    make_submission,
)
from tests.support.fakes import FixedClock, InMemoryCampaigns, InMemoryDayCounts
from tests.support.moto_tables import read_table_definitions

# One session for all of moto: making one reads the whole model of the service again.
_MOTO_SESSION = boto3.Session("testing", "testing", region_name="eu-north-1")
_TABLE_NAME = "RegistrationsTable"

CORE_CALLER = make_caller(Role.CORE, client_id="membership", campaigns=frozenset({"*"}))


@dataclass
class RegistrationHarness:
    """Where captures are taken in and cases go on."""

    dynamodb: Any
    registrations: DynamoRegistrations
    workers: DynamoWorkers
    clock: FixedClock
    limits: IntakeLimits

    @property
    def intake_service(self) -> IntakeService:
        """Takes captures in for a campaign of two days that never closes."""
        campaign = Campaign.model_validate(make_campaign_payload(accepts_until="2999-12-31"))
        return IntakeService(
            registrations=self.registrations,
            campaigns=CampaignService(campaigns=InMemoryCampaigns(campaign), clock=self.clock),
            quote_service=QuoteService(rules=load_rules(), clock=self.clock),
            hashing=KeyedHash(lambda: HashKey(bytes(32))),
            limits=self.limits,
            clock=self.clock,
            random_index=randbelow,
        )

    @property
    def lifecycle_service(self) -> LifecycleService:
        """Changes cases."""
        return self.make_lifecycle_service(self.registrations)

    def make_lifecycle_service(self, registrations: Registrations) -> LifecycleService:
        """Changes cases in a store of its own."""
        return LifecycleService(registrations=registrations, clock=self.clock)

    @property
    def erasure_service(self) -> ErasureService:
        """Takes workers away."""
        return ErasureService(
            workers=self.workers,
            registrations=self.registrations,
            clock=self.clock,
            retention_period=timedelta(days=90),
        )

    def submit(self, number: int = 1, *, nik_number: int | None = None, **changes: Any) -> Answer:
        """Send a capture; another number is another capture of another worker, unless `nik` says whose."""
        worker = {
            "nik": make_nik(7000 + (number if nik_number is None else nik_number)),
            **changes.pop("worker", {}),
        }
        command = make_submission(capture_id=make_capture_id(number), worker=worker, **changes)
        return self.intake_service.submit(command, caller=make_caller(), correlation_id="c-1").answer

    def register(self, number: int = 1, **changes: Any) -> Registration:
        """The registration that a capture makes."""
        return self.registrations.get(self.submit(number, **changes).reference)

    def cancel(self, reference: str) -> None:
        """Let an application end."""
        self.lifecycle_service.cancel(reference, Cancellation(reason="worker_request"), caller=make_caller())

    def advance_days(self, days: int) -> None:
        """Let time go by."""
        self.clock.advance(timedelta(days=days))


@pytest.fixture
def harness(_isolated_aws_environment: None) -> Iterator[RegistrationHarness]:
    with mock_aws():
        client = _MOTO_SESSION.client("dynamodb")
        client.create_table(TableName=_TABLE_NAME, **read_table_definitions()[_TABLE_NAME])
        cipher = FieldCipher(lambda: FieldKeys(current_key_id="k", by_id={"k": bytes(32)}))
        clock = FixedClock(NOW)
        yield RegistrationHarness(
            client,
            DynamoRegistrations(client, _TABLE_NAME, cipher),
            DynamoWorkers(client, _TABLE_NAME, cipher, new_id=generate_write_id),
            clock,
            make_limits(InMemoryDayCounts(), clock),
        )
