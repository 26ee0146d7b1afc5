"""Fixtures of the tests of a device without a network: a tablet that can be killed, and a market."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.browser.conftest import BROWSERS, find_browser
from tests.browser.offline.device_page import DevicePage, enrol_device
from tests.support.app_stage import AppStage, run_app_stage
from tests.support.chromium import Chromium, Session


# Per module: while Playwright runs, this thread has an event loop, and no other test can have one.
@pytest.fixture(scope="module")
def playwright_driver() -> Iterator[Playwright]:
    """Yield a running Playwright."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture
def stage(moto_stage: None) -> Iterator[AppStage]:
    """Yield a market of these days, whose server is reached by a link that can be cut."""
    with run_app_stage() as stage:
        yield stage


@pytest.fixture(scope="module")
def _shared_chromium(
    playwright_driver: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chromium]:
    with Chromium(playwright_driver, _find_browser(), tmp_path_factory.mktemp("profile")) as chromium:
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
    with Chromium(playwright_driver, _find_browser(), tmp_path / "profile") as chromium:
        yield chromium


def _find_browser() -> str:
    path = find_browser()
    if path is None:
        pytest.skip(f"no browser is installed: the tests of pages need one of {', '.join(BROWSERS)}")
    return path


@pytest.fixture
def device(tablet: Session, stage: AppStage) -> DevicePage:
    """Return an enrolled device with an officer on shift."""
    return enrol_device(tablet, stage)


@pytest.fixture
def killable_device(killable_tablet: Chromium, stage: AppStage) -> DevicePage:
    """Return an enrolled device with an officer on shift, whose browser can be killed."""
    return enrol_device(killable_tablet, stage)
