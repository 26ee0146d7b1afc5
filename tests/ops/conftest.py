"""The SMS stand-in on a port of its own."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from ops.gateway.inbox import Inbox
from ops.gateway.server import GatewayServer


@pytest.fixture
def inbox_file(tmp_path: Path) -> Path:
    return tmp_path / "texts.jsonl"


@pytest.fixture
def gateway(inbox_file: Path) -> Iterator[str]:
    with GatewayServer(0, Inbox(inbox_file)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


@pytest.fixture
def sms(gateway: str) -> Any:
    once = Config(retries={"total_max_attempts": 1})
    return boto3.client("pinpoint-sms-voice-v2", endpoint_url=gateway, config=once)
