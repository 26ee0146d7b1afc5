"""The store of instances of ODK Collect, on each engine."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chalicelib.aws.items import from_item
from chalicelib.channels.odk.model import KnownInstance
from chalicelib.channels.odk.store import DynamoOdkInstances
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

KNOWN = KnownInstance(str(uuid4()), "tanah-abang-2024")


@pytest.fixture
def table(engine: Engine) -> str:
    return engine.create_table("ClientsTable")


def test_an_instance_is_found_as_it_was_stored_however_often(engine: Engine, table: str) -> None:
    instances, instance_id = DynamoOdkInstances(engine.client, table, lambda: NOW), uuid4()
    for _ in range(2):
        instances.add(instance_id, KNOWN)
    assert instances.find(instance_id) == KNOWN
    assert instances.find(uuid4()) is None


def test_an_instance_expires_and_has_ids_only(engine: Engine, table: str) -> None:
    DynamoOdkInstances(engine.client, table, lambda: NOW).add(uuid4(), KNOWN)
    [item] = map(from_item, engine.client.scan(TableName=table)["Items"])
    assert item["expires_at"] == int((NOW + timedelta(days=400)).timestamp())
    assert set(item) == {"pk", "sk", "capture_id", "campaign_id", "expires_at"}
