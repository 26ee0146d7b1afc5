"""The engines that every store is tested on: moto, the embedded AWS, and the one of DAFTAR_TEST_DYNAMODB_URL.

moto handles requests one by one; only the other two handle concurrent requests.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from ops.local.emulator import Emulator
from tests.support.moto_tables import read_table_definitions
from tests.support.ports import find_free_port
from tests.support.registration_stores import RegistrationStores, open_registration_stores

# Concurrent threads need a connection each, and their conflicts must reach the test without a retry.
_RACE_CONFIG = Config(max_pool_connections=50, retries={"mode": "standard", "total_max_attempts": 1})
_PREFIXES = count(1)

# One session for all of moto, because each new session reads the service models again.
_MOTO_SESSION = boto3.Session("testing", "testing", region_name="eu-north-1")

_NAMED_URL = os.environ.get("DAFTAR_TEST_DYNAMODB_URL")
_CONCURRENT_ENGINES = [pytest.param("embedded_engine", id="embedded", marks=pytest.mark.e2e)]
if _NAMED_URL:
    _CONCURRENT_ENGINES.append(pytest.param("named_engine", id="named"))


class Engine:
    """A DynamoDB on which a test creates its own tables."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._prefix = f"test-{os.getpid()}-{next(_PREFIXES)}-"
        self._table_names: list[str] = []

    def create_table(self, logical_id: str) -> str:
        """Create a table as the template declares it. Return its name."""
        name = f"{self._prefix}{logical_id}"
        self.client.create_table(TableName=name, **read_table_definitions()[logical_id])
        self._table_names.append(name)
        return name

    def scan_items(self) -> list[dict[str, Any]]:
        """Return every raw item of the test's tables."""
        return [
            item
            for name in self._table_names
            for page in self.client.get_paginator("scan").paginate(TableName=name)
            for item in page["Items"]
        ]

    def delete_tables(self) -> None:
        """Delete the test's tables."""
        for name in self._table_names:
            self.client.delete_table(TableName=name)


@pytest.fixture(params=[pytest.param("moto_engine", id="moto"), *_CONCURRENT_ENGINES])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    create_engine: Callable[[], Engine] = request.getfixturevalue(request.param)
    engine = create_engine()
    yield engine
    engine.delete_tables()


@pytest.fixture(params=_CONCURRENT_ENGINES)
def concurrent_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine that handles concurrent requests."""
    create_engine: Callable[[], Engine] = request.getfixturevalue(request.param)
    engine = create_engine()
    yield engine
    engine.delete_tables()


@pytest.fixture
def moto_engine(_isolated_aws_environment: None) -> Iterator[Callable[[], Engine]]:
    with mock_aws():
        yield lambda: Engine(_MOTO_SESSION.client("dynamodb"))


@pytest.fixture(scope="session")
def embedded_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Engine]]:
    emulator = Emulator(
        port=find_free_port(), home=tmp_path_factory.mktemp("embedded"), sms_url="http://127.0.0.1:9"
    )
    with ExitStack() as stack:
        stack.callback(emulator.program.stop)
        emulator.start()
        client = _connect(emulator.url)
        yield lambda: Engine(client)


@pytest.fixture(scope="session")
def named_engine() -> Callable[[], Engine]:
    if not _NAMED_URL:
        pytest.skip(
            "DAFTAR_TEST_DYNAMODB_URL names no further engine, such as DynamoDB Local on http://127.0.0.1:8000"
        )
    client = _connect(_NAMED_URL)
    return lambda: Engine(client)


@pytest.fixture
def cipher() -> FieldCipher:
    return FieldCipher(lambda: FieldKeys(current_key_id="2024-10", by_id={"2024-10": bytes(range(32))}))


def _connect(url: str) -> Any:
    session = boto3.Session("test", "test", region_name="ap-southeast-3")
    return session.client("dynamodb", endpoint_url=url, config=_RACE_CONFIG)


@pytest.fixture
def stores(engine: Engine, cipher: FieldCipher) -> RegistrationStores:
    """Return the stores of registrations over a table of the test's own."""
    return open_registration_stores(engine.client, engine.create_table("RegistrationsTable"), cipher)
