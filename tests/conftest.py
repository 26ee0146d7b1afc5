"""What every test shares: an environment that can reach no account, and tables on moto for those that ask."""

import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from moto import mock_aws

from chalicelib import wiring
from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.data_requests.store import DynamoWrappedKeys
from chalicelib.settings import settings
from tests.support.moto_snapshots import REGION, Snapshot
from tests.support.moto_tables import STAGE_ENVIRONMENT, create_tables
from tests.support.moto_transactions import patch_moto_transactions
from tests.support.scheduling import SharedResourceScheduling

# Where the product never runs, and credentials that open nothing: a test that escapes finds no one.
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
    """Every test has AWS clients of its own, but the models of the services need reading only once."""
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _isolated_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "DAFTAR_", "POWERTOOLS_"))]:
        monkeypatch.delenv(name)
    for name, value in _DUMMY_AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


# One session for all of moto: making one reads the whole model of the service again.
_MOTO_SESSION = boto3.Session("testing", "testing", region_name=REGION)


def _create_stage_resources() -> str:
    """Tables, and the key that the stage's data keys are wrapped under; its ARN."""
    create_tables(_MOTO_SESSION.client("dynamodb"))
    arn: str = _MOTO_SESSION.client("kms").create_key()["KeyMetadata"]["Arn"]
    wrap = KMSKeyWrapper(_MOTO_SESSION.client("kms"), arn)
    keys = DynamoWrappedKeys(_MOTO_SESSION.client("dynamodb"), STAGE_ENVIRONMENT["DAFTAR_KEYS_TABLE"])
    for purpose in (FIELD_PURPOSE, HASH_PURPOSE):
        keys.add(wrap.generate(purpose, now=wiring.utc_now()))
    return arn


_STAGE_SNAPSHOT = Snapshot(("dynamodb", "kms"), _create_stage_resources)


@pytest.fixture
def moto_stage(monkeypatch: pytest.MonkeyPatch, _isolated_aws_environment: None) -> Iterator[None]:
    """The tables, the queues and the keys of one stage on moto, and wiring that builds everything anew."""
    for name, value in STAGE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        monkeypatch.setenv("DAFTAR_FIELD_KEY_ARN", _STAGE_SNAPSHOT.restore())
        for name in ("notifications", "reminders"):
            queue = _MOTO_SESSION.client("sqs").create_queue(QueueName=name)["QueueUrl"]
            monkeypatch.setenv(f"DAFTAR_{name.upper()}_QUEUE_URL", queue)
        _reset_container()
        yield
        _reset_container()


@pytest.fixture
def rebuild_container(moto_stage: None) -> Callable[[], None]:
    """Build everything anew at the next call, as a container that starts now would."""
    return _reset_container


def _reset_container() -> None:
    settings.cache_clear()
    for built in vars(wiring).values():
        # The SDK's session knows nothing but its own data, and reading that is longer than most tests.
        if hasattr(built, "cache_clear") and built is not wiring._session:
            built.cache_clear()
