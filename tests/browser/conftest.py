"""Fixtures of the tests in a real browser, where this machine has one."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from tests.support.app_stage import AppStage, run_app_stage

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# The tags of axe-core for the rules of WCAG 2.2, level A and AA.
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_browser() -> str | None:
    """Return the path of a Chromium, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def require_browser() -> str:
    """Return the path of a Chromium. Skip the test where this machine has none."""
    path = find_browser()
    if path is None:
        pytest.skip(f"no browser is installed: the tests of pages need one of {', '.join(BROWSERS)}")
    return path


# Per module: while Playwright runs, this thread has an event loop, and no other test can have one.
@pytest.fixture(scope="module")
def playwright_driver() -> Iterator[Playwright]:
    """Yield a running Playwright."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright_driver: Playwright) -> Iterator[Browser]:
    """Yield a Chromium of this machine; Playwright brings none of its own."""
    # In a container everything runs as root, where Chromium refuses its sandbox.
    running = playwright_driver.chromium.launch(executable_path=require_browser(), args=["--no-sandbox"])
    yield running
    running.close()


@pytest.fixture
def stage(moto_stage: None) -> Iterator[AppStage]:
    """Yield a market of these days, whose server is reached by a link that can be cut."""
    with run_app_stage() as stage:
        yield stage


@dataclass
class BrowserPage:
    """A page in the browser with its JavaScript errors and console messages."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._record_console_message)

    def _record_console_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def measure_overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return width

    def find_violations(self) -> list[str]:
        """Return the violations of WCAG, level AA, that axe-core finds."""
        # Of what passes, one element a rule is enough, and much faster.
        options = {"runOnly": {"type": "tag", "values": WCAG_AA}, "resultTypes": ["violations"]}
        results = Axe().run(self.page, options=options).response
        assert results["passes"], "axe checked nothing"
        return [
            f"{each['id']}: {node['html']} {node['failureSummary']}"
            for each in results["violations"]
            for node in each["nodes"]
        ]


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[BrowserPage]:
    """Yield an empty page, as wide as a desktop window."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    yield BrowserPage(page)
    page.close()
