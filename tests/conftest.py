"""What every test shares: an environment that can reach no account, and tables on moto for those that ask."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from chalicelib import wiring
from chalicelib.privacy.keyring import FIELD_PURPOSE, HASH_PURPOSE
from chalicelib.settings import settings
from tests.tables import STAGE_ENVIRONMENT, create_tables

# A region the product never runs in, and credentials that open nothing: a test that escapes finds no one.
_NOWHERE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-north-1",
}


# Folders whose tests share something that takes seconds to start.
_SHARED = frozenset({"browser", "e2e", "infra", "zip"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share something costly on one worker; the others go to whoever is free."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        starts_its_own = "own_stack" in getattr(item, "fixturenames", ())
        if not starts_its_own and (folder in _SHARED or item.get_closest_marker("e2e")):
            item.add_marker(pytest.mark.xdist_group(folder))


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "DAFTAR_", "POWERTOOLS_"))]:
        monkeypatch.delenv(name)
    for name, value in _NOWHERE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, _no_account: None) -> Iterator[None]:
    """The tables, the queues and the keys of one stage on moto, and wiring that builds everything anew."""
    for name, value in STAGE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        create_tables(boto3.client("dynamodb"))
        for name in ("notifications", "reminders"):
            queue = boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"]
            monkeypatch.setenv(f"DAFTAR_{name.upper()}_QUEUE_URL", queue)
        field_key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        monkeypatch.setenv("DAFTAR_FIELD_KEY_ARN", field_key)
        _forget_what_was_built()
        for purpose in (FIELD_PURPOSE, HASH_PURPOSE):
            wiring.wrapped_keys().add(wiring.key_wrap().make(purpose, at=wiring.now()))
        yield
        _forget_what_was_built()


@pytest.fixture
def rebuilt(stage: None) -> Callable[[], None]:
    """Build everything anew at the next call, as a container that starts now would."""
    return _forget_what_was_built


def _forget_what_was_built() -> None:
    settings.cache_clear()
    for built in vars(wiring).values():
        if hasattr(built, "cache_clear"):
            built.cache_clear()
