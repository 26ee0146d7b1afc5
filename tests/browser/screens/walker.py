"""An officer, or a script from outside, that knows nothing of the app but its test ids."""

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from tests.browser.conftest import BrowserPage
from tests.browser.png import shrink

OFFICER = "ofc-12"
NAME, PHONE = "Melati Kusumawati", "0824-5550-7001"

_WAIT = 15_000
_MAX_STEPS = 20
_PICTURE_WIDTHS = {360: "phone", 1280: "tablet"}
# Read here, because tests run without the settings of this machine.
_SCREENSHOTS = os.environ.get("DAFTAR_SCREENSHOTS")
# What is not a fault of the app: its service worker is not under test here, and refusals are answers.
_EXPECTED_MESSAGES = ("Service Worker", "status of 4", "ERR_INTERNET_DISCONNECTED", "ERR_FAILED")


class Walker:
    """Walks through the app by its test ids: what is not on the screen is behind `next`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.browser_page = BrowserPage(page)
        self.problems: list[str] = []
        page.set_default_timeout(_WAIT)

    def find(self, testid: str, **data: Any) -> Locator:
        """Return what has a test id, and some `data-` values."""
        values = "".join(f'[data-{name.replace("_", "-")}="{value}"]' for name, value in data.items())
        return self.page.locator(f'[data-testid="{testid}"]{values}')

    def reach(self, testid: str, **data: Any) -> Locator:
        """Go on until something is on the screen, and return it."""
        found, following = self.find(testid, **data), self.find("next")
        for _ in range(_MAX_STEPS):
            found.or_(following).locator("visible=true").first.wait_for()
            if found.is_visible():
                return found
            following.click()
        raise AssertionError(f"{testid} is on no screen")

    def fill(self, testid: str, value: str) -> None:
        """Fill in a field, wherever it is."""
        self.reach(testid).fill(value)

    def choose(self, testid: str, **data: Any) -> None:
        """Choose something, wherever it is."""
        self.reach(testid, **data).click()

    def open(self, url: str) -> None:
        """Open the app."""
        self.page.goto(url)
        self.page.locator("h1").wait_for()

    def enrol(self, url: str, code: str) -> None:
        """Open the app on a new device, and enrol it."""
        self.open(url)
        self.fill("enrol-code", code)
        self.find("enrol-submit").click()
        self.find("enrol-code").wait_for(state="hidden")

    def sign_on(self, officer: str = OFFICER) -> None:
        """Begin a shift."""
        self.fill("officer", officer)
        self.find("shift-start").click()
        self.page.locator('[data-testid="new-registration"]:enabled').wait_for()

    def begin(self) -> None:
        """Begin a registration."""
        self.find("new-registration").click()
        self.find("nik").wait_for()

    def answer(self, nik: str, *, name: str = NAME, phone: str | None = PHONE) -> None:
        """Answer all that is asked of a porter, up to the consent."""
        self.fill("nik", nik)
        self.fill("name", name)
        if phone is None:
            self.choose("no-phone")
        else:
            self.fill("phone", phone)
        self.fill("occupation-search", "kuli panggul")
        self.choose("occupation-option", id="porter")
        self.choose("income-option", amount=2_500_000)
        self.choose("consent")

    def register(self, nik: str, **answers: Any) -> str:
        """Register a porter, and return the short code."""
        self.begin()
        self.answer(nik, **answers)
        return self.save()

    def save(self) -> str:
        """Save, and return the short code."""
        self.choose("save")
        self.find("saved-code").wait_for()
        return self.find("saved-code").inner_text()

    def wait_for_state(self, state: str) -> Locator:
        """Return the capture in the list that is in a state."""
        item = self.find("queue-item", state=state).first
        item.wait_for()
        return item

    def list_texts(self) -> dict[str, dict[str, str]]:
        """Return the texts of the app by key and language."""
        texts: dict[str, dict[str, str]] = self.page.evaluate(
            """async () => {
              const script = document.querySelector("script[src]").src;
              return (await import(new URL("../texts/translate.js", script).href)).TEXTS;
            }"""
        )
        return texts

    def list_history(self) -> list[str]:
        """Return the addresses in this tab's history."""
        session = self.page.context.new_cdp_session(self.page)
        entries = session.send("Page.getNavigationHistory")["entries"]
        return [entry["url"] for entry in entries]

    def check_screen(self, name: str) -> None:
        """Record what is wrong with this screen for a screen reader or a narrow window, and its title.

        Where DAFTAR_SCREENSHOTS names a folder, pictures of the Indonesian screen are put there: of a phone's
        and of a tablet's width. A tablet is not made narrow: its form would go back to the first question.
        """
        if _SCREENSHOTS and self.page.locator("html").get_attribute("lang") == "id":
            for width, device in _PICTURE_WIDTHS.items():
                if width >= (self.page.viewport_size or {"width": 0})["width"] or device == "tablet":
                    self._take_screenshot(Path(_SCREENSHOTS), f"{name}-{device}", width)
        self.problems += self.browser_page.find_violations()
        if self.browser_page.measure_overflow() > 0:
            self.problems.append(f"wider than the window: {self.page.locator('h1').inner_text()}")
        if self.page.title() != "Daftar":
            self.problems.append(f"title: {self.page.title()}")

    def _take_screenshot(self, folder: Path, name: str, width: int) -> None:
        window = self.page.viewport_size
        assert window is not None
        # As high as the page: what sticks to the window's lower edge would cover its middle.
        self.page.set_viewport_size({"width": width, "height": 640})
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": width, "height": height})
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(shrink(self.page.screenshot(animations="disabled")))
        self.page.set_viewport_size(window)

    @property
    def errors(self) -> list[str]:
        """Return the errors of scripts and policies that the browser reported."""
        return [
            each
            for each in self.browser_page.errors
            if not any(expected in each for expected in _EXPECTED_MESSAGES)
        ]
