"""What every test shares: an environment that can reach no account, and tables on moto for those that ask."""

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from moto import mock_aws
from xdist.scheduler import LoadScopeScheduling

from chalicelib import wiring
from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.settings import settings
from tests.support.moto_snapshots import REGION, Snapshot
from tests.support.moto_tables import STAGE_ENVIRONMENT, create_tables
from tests.support.moto_transactions import patch_moto_transactions

# Where the product never runs, and credentials that open nothing: a test that escapes finds no one.
_DUMMY_AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
}


patch_moto_transactions()

# Folders whose tests share something that takes seconds to start.
_FOLDERS_SHARING_RESOURCES = frozenset({"browser", "infra", "zip"})

# Those of the packaged stack share two, so that no worker has to wait for one other at the end: about half of
# the time that they take is spent in these modules.
SECOND_STACK_MODULES = frozenset(
    {"test_intake", "test_persons", "test_refusals", "test_repeats", "test_reports", "test_strangers"}
)

# These start stacks of their own.
OWN_STACK_MODULES = frozenset({"test_daftar_run", "test_restart"})


class _SharedResourceScheduling(LoadScopeScheduling):
    """Keeps tests that share something costly on one worker; the others go to whoever is free.

    The groups of xdist 3.8 itself are lost: pytest 9.2 keeps the ids of tests elsewhere, and nobody is told.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        folder = path.parts[1]
        if path.stem in OWN_STACK_MODULES:
            return nodeid
        if folder == "e2e":
            return "the other stack" if path.stem in SECOND_STACK_MODULES else "a stack"
        is_shared = (
            folder in _FOLDERS_SHARING_RESOURCES or path.stem == "test_packaging" or "[embedded" in nodeid
        )
        return folder if is_shared else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How the tests are given to the workers."""
    return _SharedResourceScheduling(config, log)


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
