"""A person at the console, who knows nothing of it but its test ids and what is written on it."""

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import BrowserPage
from tests.browser.png import shrink

_WAIT = 15_000
# Read here, because tests run without the settings of this machine.
_SCREENSHOTS = os.environ.get("DAFTAR_CONSOLE_SCREENSHOTS")
# Refusals are answers, and not faults of the page.
_EXPECTED_MESSAGE = "status of 4"


class Person:
    """Works at the console in one tab."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.browser_page = BrowserPage(page)
        self.problems: list[str] = []
        page.set_default_timeout(_WAIT)

    def find(self, testid: str, **data: Any) -> Locator:
        """Return what has a test id, and some `data-` values."""
        values = "".join(f'[data-{name.replace("_", "-")}="{value}"]' for name, value in data.items())
        return self.page.locator(f'[data-testid="{testid}"]{values}')

    def open(self, fragment: str = "") -> None:
        """Open a page of the console by its address."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}{fragment}")
        self.page.locator("h1").wait_for()

    def sign_in(self, token: str, fragment: str = "") -> None:
        """Open a page and sign in."""
        self.open(fragment)
        self.find("console-token").fill(token)
        self.find("console-sign-in").click()
        expect(self.find("console-token")).to_be_hidden()
        self.wait()

    def go(self, fragment: str) -> None:
        """Go to a page of the console in the same tab, as a typed address does."""
        self.page.evaluate("fragment => { location.hash = fragment; }", fragment)
        self.wait()

    def wait(self) -> None:
        """Wait until the page that was asked for is on the screen."""
        expect(self.page.locator("main:not([aria-busy])")).to_be_visible()

    def search(self, text: str) -> None:
        self.go("#/search")
        self.find("search").fill(text)
        self.find("search-submit").click()

    def check_page(self, name: str) -> None:
        """Record what is wrong with this page for a screen reader or a narrow window.

        Where DAFTAR_CONSOLE_SCREENSHOTS names a folder, a picture of the page is put there.
        """
        if _SCREENSHOTS:
            self._take_screenshot(Path(_SCREENSHOTS), name)
        self.problems += [f"{name}: {each}" for each in self.browser_page.find_violations()]
        if self.browser_page.measure_overflow() > 0:
            self.problems.append(f"{name}: wider than the window")

    def _take_screenshot(self, folder: Path, name: str) -> None:
        window = self.page.viewport_size
        assert window is not None
        folder.mkdir(parents=True, exist_ok=True)
        is_dark = self.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        self.page.emulate_media(color_scheme="light")
        picture = self.page.screenshot(animations="disabled", full_page=True)
        self.page.emulate_media(color_scheme="dark" if is_dark else "light")
        kind = "phone" if window["width"] < 600 else "desk"
        (folder / f"{name}-{kind}.png").write_bytes(shrink(picture))

    @property
    def errors(self) -> list[str]:
        """Return the errors of scripts and policies that the browser reported."""
        return [each for each in self.browser_page.errors if _EXPECTED_MESSAGE not in each]
