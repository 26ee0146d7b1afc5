"""Fixtures of all tests: an environment that can reach no AWS account, and a stage on moto."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from moto import mock_aws
from xdist.scheduler import LoadScopeScheduling

from chalicelib.clock import utc_now
from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.data_requests.store import DynamoWrappedKeys
from tests.support.moto_snapshots import REGION, Snapshot
from tests.support.moto_tables import STAGE_ENVIRONMENT, create_tables
from tests.support.moto_transactions import patch_moto_transactions

# A region where the product never runs, and credentials that are invalid.
_DUMMY_AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
}


patch_moto_transactions()

# Folders whose tests share a resource that takes seconds to start.
_FOLDERS_SHARING_RESOURCES = frozenset({"browser", "infra", "zip"})

# Tests of the packaged stack share two stacks, of about equal duration, so that two workers can run them. The
# second stack has these modules.
SECOND_STACK_MODULES = frozenset(
    {"test_intake", "test_persons", "test_refusals", "test_repeats", "test_reports", "test_strangers"}
)

# Modules that start their own stacks.
OWN_STACK_MODULES = frozenset({"test_daftar_run", "test_restart"})


class _SharedResourceScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Runs tests that share a costly resource on one worker, and the others on any.

    It replaces the groups of xdist 3.8, which do not work with pytest 9.2: that keeps the ids of tests
    elsewhere.
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
    """Return the scheduler that distributes the tests to the workers."""
    return _SharedResourceScheduling(config, log)


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


# One session for all set-up: each session reads the models of the services again.
_MOTO_SESSION = boto3.Session("testing", "testing", region_name=REGION)


def _create_stage_resources() -> str:
    """Create the tables and the KMS key with the stage's data keys, and return the ARN of the key."""
    create_tables(_MOTO_SESSION.client("dynamodb"))
    arn: str = _MOTO_SESSION.client("kms").create_key()["KeyMetadata"]["Arn"]
    wrapper = KMSKeyWrapper(_MOTO_SESSION.client("kms"), arn)
    keys = DynamoWrappedKeys(_MOTO_SESSION.client("dynamodb"), STAGE_ENVIRONMENT["DAFTAR_KEYS_TABLE"])
    for purpose in (FIELD_PURPOSE, HASH_PURPOSE):
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
            queue = _MOTO_SESSION.client("sqs").create_queue(QueueName=name)["QueueUrl"]
            monkeypatch.setenv(f"DAFTAR_{name.upper()}_QUEUE_URL", queue)
        yield
