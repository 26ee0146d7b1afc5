"""Fixtures of the tests of the web app's screens: the app over HTTP, and browsers of every width."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.browser.screens.walker import Walker
from tests.support.app_stage import AppStage

PHONE_WIDTH, TABLET_WIDTH = 320, 1280

OpenBrowser = Callable[..., Walker]


@pytest.fixture
def open_browser(browser: Browser) -> Iterator[OpenBrowser]:
    """Yield a function that opens a browser which has stored nothing yet."""
    contexts = []

    def open_page(width: int = TABLET_WIDTH, **options: Any) -> Walker:
        viewport = ViewportSize(width=width, height=740 if width < 900 else 800)
        context = browser.new_context(viewport=viewport, **{"service_workers": "block", **options})
        contexts.append(context)
        return Walker(context.new_page())

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def officer(stage: AppStage, open_browser: OpenBrowser) -> Walker:
    """Return an officer on shift, on a tablet."""
    walker = open_browser()
    walker.enrol(stage.app_url, stage.make_code())
    walker.sign_on()
    return walker
