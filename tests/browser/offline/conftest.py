"""Fixtures of the tests of a device without a network: a tablet that can be killed, and a market."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.browser.conftest import require_browser
from tests.browser.offline.device_page import DevicePage, enrol_device
from tests.support.app_stage import AppStage
from tests.support.chromium import Chromium, Session


@pytest.fixture(scope="module")
def _shared_chromium(
    playwright_driver: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chromium]:
    with Chromium(playwright_driver, require_browser(), tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture
def tablet(_shared_chromium: Chromium) -> Iterator[Session]:
    """Yield a browser that has stored nothing yet."""
    session = _shared_chromium.new_session()
    yield session
    session.context.close()


@pytest.fixture
def killable_tablet(playwright_driver: Playwright, tmp_path: Path) -> Iterator[Chromium]:
    """Yield a browser with a profile on the disk, which can be killed and opened again."""
    with Chromium(playwright_driver, require_browser(), tmp_path / "profile") as chromium:
        yield chromium


@pytest.fixture
def device(tablet: Session, stage: AppStage) -> DevicePage:
    """Return an enrolled device with an officer on shift."""
    return enrol_device(tablet, stage)


@pytest.fixture
def killable_device(killable_tablet: Chromium, stage: AppStage) -> DevicePage:
    """Return an enrolled device with an officer on shift, whose browser can be killed."""
    return enrol_device(killable_tablet, stage)
