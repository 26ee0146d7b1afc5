"""Fixtures of all tests: an environment that can reach no AWS account, and a stage on moto."""

import functools
import os
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from chalicelib.clock import utc_now
from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from tests.support.moto_snapshots import REGION, Snapshot, get_moto_client
from tests.support.moto_tables import STAGE_ENVIRONMENT, create_tables
from tests.support.moto_transactions import patch_moto_transactions
from tests.support.scheduling import SharedResourceScheduling

# A region where the product never runs, and credentials that are invalid.
_DUMMY_AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
}


patch_moto_transactions()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedResourceScheduling:
    """Return the scheduler that keeps tests which share something on one worker."""
    return SharedResourceScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _cached_botocore_models() -> Iterator[None]:
    """Read the models of the AWS services once, though every test has its own clients."""
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _isolated_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "DAFTAR_", "POWERTOOLS_"))]:
        monkeypatch.delenv(name)
    for name, value in _DUMMY_AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def _create_stage_resources() -> str:
    """Create the tables and the KMS key with the stage's data keys, and return the ARN of the key."""
    create_tables(get_moto_client("dynamodb"))
    arn: str = get_moto_client("kms").create_key()["KeyMetadata"]["Arn"]
    wrapper = KMSKeyWrapper(get_moto_client("kms"), arn)
    keys = DynamoWrappedKeys(get_moto_client("dynamodb"), STAGE_ENVIRONMENT["DAFTAR_KEYS_TABLE"])
    for purpose in (FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE):
        keys.add(wrapper.generate(purpose, now=utc_now()))
    return arn


_STAGE_SNAPSHOT = Snapshot(("dynamodb", "kms"), _create_stage_resources)


@pytest.fixture
def moto_stage(monkeypatch: pytest.MonkeyPatch, _isolated_aws_environment: None) -> Iterator[None]:
    """The tables, the queues and the keys of a stage on moto, and the settings that name them."""
    for name, value in STAGE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        monkeypatch.setenv("DAFTAR_FIELD_KEY_ARN", _STAGE_SNAPSHOT.restore())
        for name in ("notifications", "reminders"):
            queue = get_moto_client("sqs").create_queue(QueueName=name)["QueueUrl"]
            monkeypatch.setenv(f"DAFTAR_{name.upper()}_QUEUE_URL", queue)
        outbox = get_moto_client("sqs").create_queue(
            QueueName="chat-outbox.fifo", Attributes={"FifoQueue": "true"}
        )
        monkeypatch.setenv("DAFTAR_CHAT_OUTBOX_QUEUE_URL", outbox["QueueUrl"])
        yield
