"""Intake and casework on the declared table, on moto: one desk where captures come in and cases go on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from secrets import randbelow
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignOffice
from chalicelib.clients.model import Role
from chalicelib.contributions.rules import shipped_rules
from chalicelib.contributions.service import Quoting
from chalicelib.privacy.encryption import FieldCipher, FieldKeys
from chalicelib.privacy.hashing import HashKey, KeyedHash
from chalicelib.registrations.casework import Casework
from chalicelib.registrations.dynamodb import DynamoRegistrations, DynamoWorkers
from chalicelib.registrations.erasing import Erasing
from chalicelib.registrations.lifecycle import Cancellation
from chalicelib.registrations.model import Answer, Registration
from chalicelib.registrations.service import Limits, Registrar, Registrations
from chalicelib.wiring import new_write_id
from tests.builders import NOW, a_caller, a_campaign, a_capture_id, a_nik, a_submission, some_limits
from tests.fakes import FixedClock, InMemoryDayCounts, KnownCampaigns
from tests.tables import declared_tables

# One session for all of moto: making one reads the whole model of the service again.
_MOTO = boto3.Session("testing", "testing", region_name="eu-north-1")
_TABLE = "RegistrationsTable"

CORE = a_caller(Role.CORE, client_id="membership", campaigns=frozenset({"*"}))


@dataclass
class Desk:
    """Where captures are taken in and cases go on."""

    client: Any
    store: DynamoRegistrations
    workers: DynamoWorkers
    clock: FixedClock
    limits: Limits

    @property
    def registrar(self) -> Registrar:
        """Takes captures in for a campaign of two days that never closes."""
        campaign = Campaign.model_validate(a_campaign(accepts_until="2999-12-31"))
        return Registrar(
            registrations=self.store,
            campaigns=CampaignOffice(campaigns=KnownCampaigns(campaign), clock=self.clock),
            quoting=Quoting(rules=shipped_rules(), clock=self.clock),
            hashing=KeyedHash(lambda: HashKey(bytes(32))),
            limits=self.limits,
            clock=self.clock,
            random_index=randbelow,
        )

    @property
    def casework(self) -> Casework:
        """Changes cases."""
        return self.casework_on(self.store)

    def casework_on(self, store: Registrations) -> Casework:
        """Changes cases in a store of its own."""
        return Casework(registrations=store, clock=self.clock)

    @property
    def erasing(self) -> Erasing:
        """Takes workers away."""
        return Erasing(
            workers=self.workers, registrations=self.store, clock=self.clock, kept_for=timedelta(days=90)
        )

    def submit(self, number: int = 1, *, nik: int | None = None, **changes: Any) -> Answer:
        """Send a capture; another number is another capture of another worker, unless `nik` says whose."""
        worker = {"nik": a_nik(7000 + (number if nik is None else nik)), **changes.pop("worker", {})}
        command = a_submission(capture_id=a_capture_id(number), worker=worker, **changes)
        return self.registrar.submit(command, by=a_caller(), correlation_id="c-1").answer

    def registered(self, number: int = 1, **changes: Any) -> Registration:
        """The registration that a capture makes."""
        return self.store.get(self.submit(number, **changes).reference)

    def cancel(self, reference: str) -> None:
        """Let an application end."""
        self.casework.cancel(reference, Cancellation(reason="worker_request"), by=a_caller())

    def days_later(self, days: int) -> None:
        """Let time go by."""
        self.clock.forward(timedelta(days=days))


@pytest.fixture
def desk(_no_account: None) -> Iterator[Desk]:
    with mock_aws():
        client = _MOTO.client("dynamodb")
        client.create_table(TableName=_TABLE, **declared_tables()[_TABLE])
        cipher = FieldCipher(lambda: FieldKeys(current="k", by_id={"k": bytes(32)}))
        clock = FixedClock(NOW)
        yield Desk(
            client,
            DynamoRegistrations(client, _TABLE, cipher),
            DynamoWorkers(client, _TABLE, cipher, new_id=new_write_id),
            clock,
            some_limits(InMemoryDayCounts(), clock),
        )
