"""A fake SMS gateway on a port of its own, and the rights of those who run commands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.support.fake_gateway import run_fake_gateway
from tests.support.operator_rights import enforce_operator_rights


@pytest.fixture(autouse=True)
def _operator_rights() -> Iterator[None]:
    """Let a command do what its row of rights allows, and nothing else."""
    with enforce_operator_rights() as refused:
        yield
    assert refused == []


@pytest.fixture
def inbox_file(tmp_path: Path) -> Path:
    return tmp_path / "sms.jsonl"


@pytest.fixture
def gateway_url(inbox_file: Path) -> Iterator[str]:
    with run_fake_gateway(inbox_file) as url:
        yield url


@pytest.fixture
def sms_client(gateway_url: str) -> Any:
    no_retries = Config(retries={"total_max_attempts": 1})
    return boto3.client("pinpoint-sms-voice-v2", endpoint_url=gateway_url, config=no_retries)
