"""Fixtures of the tests of the console: a branch, and people at browsers of every width."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize

from ops.fake_sms.inbox import Inbox
from ops.fake_sms.server import FakeSmsServer
from tests.browser.console.branch import Branch
from tests.browser.console.person import Person
from tests.edge.conftest import SMS_ENDPOINT
from tests.support.app_stage import run_app_stage
from tests.support.http_server import serve_in_background

PHONE_WIDTH, DESK_WIDTH = 360, 1440

OpenTab = Callable[..., Person]


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSmsServer]:
    """Yield a gateway for SMS."""
    with FakeSmsServer(0, Inbox(tmp_path / "sms.jsonl")) as server, serve_in_background(server):
        monkeypatch.setenv(SMS_ENDPOINT, server.url)
        yield server


@pytest.fixture
def branch(moto_stage: None, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Branch]:
    """Yield a branch with its server, where few registrations are enough for a device to be unusual."""
    monkeypatch.setenv("DAFTAR_ANOMALY_MIN_WORKERS", "3")
    monkeypatch.setenv("DAFTAR_APP_URL", "https://daftar.example/api/app")
    with run_app_stage() as stage:
        yield Branch(stage, gateway)


@pytest.fixture
def open_tab(browser: Browser, branch: Branch) -> Iterator[OpenTab]:
    """Yield a function that opens the console in a browser which has stored nothing yet."""
    contexts = []

    def open_page(width: int = DESK_WIDTH, **options: Any) -> Person:
        viewport = ViewportSize(width=width, height=740 if width < 900 else 900)
        context = browser.new_context(viewport=viewport, service_workers="block", **options)
        contexts.append(context)
        return Person(context.new_page(), branch.url)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def manager(branch: Branch, open_tab: OpenTab) -> Person:
    """Return the campaign's manager, signed in at a desk."""
    person = open_tab()
    person.sign_in(branch.stage.manager_token)
    return person
