"""The web app's modules in a tab without screens, for tests of many captures."""

from typing import Any, Protocol

from playwright.sync_api import Page

from tests.support.chromium import Chromium, Tablet
from tests.support.payloads import make_capture_payload, make_nik, make_phone

OFFICER = "ofc-12"

_SET_UP = """async () => {
  const app = location.href.replace(/\\/blank$/, "");
  const page = await (await fetch(app)).text();
  const [, release] = page.match(/app\\/([0-9a-f]+)\\//);
  const { openDevice } = await import(`${app}/${release}/scripts/device.js`);
  window.device = await openDevice();
}"""

_SAVE = """async (contents) => {
  const saved = [];
  for (const content of contents) {
    saved.push(await device.outbox.save(device.outbox.newCaptureId(), content));
    console.log("saved");
  }
  return saved;
}"""


def make_content(number: int, **changes: Any) -> dict[str, Any]:
    """Return what an officer enters for an invented worker; each number is another one."""
    worker = {
        "nik": make_nik(number),
        "name": f"Melati {'ABCDEFGHIJ'[number % 10]} Kusumawati",
        "phone": make_phone(number),
        **changes.pop("worker", {}),
    }
    capture = make_capture_payload(worker=worker, **changes)
    del capture["worker"]["email"]  # No form asks for one.
    return {group: capture[group] for group in ("worker", "work", "coverage", "consent")}


class Stage(Protocol):
    """What serves the app to a device."""

    @property
    def blank_url(self) -> str:
        """The address of the page without screens."""

    def make_code(self) -> str:
        """Return a code with which a device enrols."""


class DevicePage:
    """A device in a tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._saved: list[str] = []
        page.on("console", lambda message: self._saved.append(message.text))

    @classmethod
    def open(cls, tablet: Tablet, stage: Stage) -> "DevicePage":
        """Open the app's modules in a new tab."""
        return cls.set_up(tablet.new_page(stage.blank_url))

    @classmethod
    def set_up(cls, page: Page) -> "DevicePage":
        """Open the app's modules in a blank tab."""
        page.evaluate(_SET_UP)
        return cls(page)

    def enrol(self, code: str, officer: str = OFFICER) -> None:
        """Enrol the device and begin an officer's shift."""
        self.call("device.session.enrol(argument)", code)
        self.sign_on(officer)

    def sign_on(self, officer: str = OFFICER) -> None:
        """Begin an officer's shift without a PIN."""
        self.call("device.shift.signOn(argument, '')", officer)

    def save(self, *contents: dict[str, Any]) -> list[dict[str, Any]]:
        """Save captures, one after the other. Return them as the outbox lists them."""
        saved: list[dict[str, Any]] = self.page.evaluate(_SAVE, list(contents))
        return saved

    def begin_saving(self, *contents: dict[str, Any]) -> None:
        """Have captures saved, one after the other, and do not wait. Each one that is saved is logged."""
        self.page.evaluate(f"(contents) => {{ void ({_SAVE})(contents) }}", list(contents))

    def wait_until_saved(self, number: int) -> int:
        """Wait until so many captures were said to be saved since the last call. Return their number."""
        while len(self._saved) < number:
            self.page.wait_for_event("console")
        said = len(self._saved)
        self._saved.clear()
        return said

    def list(self) -> list[dict[str, Any]]:
        """Return the outbox's list."""
        captures: list[dict[str, Any]] = self.call("device.outbox.list()")
        return captures

    def count(self) -> dict[str, int]:
        """Return the number of captures in each state."""
        numbers: dict[str, int] = self.call("device.outbox.count()")
        return numbers

    def send(self) -> dict[str, int]:
        """Start the sender, try once, and return the numbers after it."""
        self.call("(device.sender.start(), device.sender.sendNow())")
        return self.count()

    def call(self, expression: str, argument: Any = None) -> Any:
        """Evaluate an expression with `device` and `argument`, and wait for its promise."""
        return self.page.evaluate(f"async (argument) => await ({expression})", argument)


def enrol_device(tablet: Tablet, stage: Stage) -> DevicePage:
    """Return a new device with an officer on shift."""
    page = DevicePage.open(tablet, stage)
    page.enrol(stage.make_code())
    # From now on the app opens without a network.
    page.call("navigator.serviceWorker.ready.then(() => null)")
    return page


def reopen(chromium: Chromium, stage: Stage) -> DevicePage:
    """Return the device after its browser was killed and opened again."""
    chromium.kill()
    chromium.open()
    page = DevicePage.open(chromium, stage)
    page.sign_on()
    return page
