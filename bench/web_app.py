"""`python -m bench.web_app`: the web app on a link like 2G: seconds and bytes of loading and sending.

Needs a Chromium. Not part of the gate, nor of `make bench`: it takes some minutes.
"""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from bench.stack import CaptureRefused, run_stack
from ops.api_client import ApiClient
from tests.browser.conftest import find_browser
from tests.browser.offline.device_page import make_content
from tests.support.chromium import Chromium
from tests.support.link import Link, Shape, run_link
from tests.support.payloads import make_campaign_payload

_CAPTURES = 100
_CAMPAIGN, _DEVICE = "pasar-2g", "tablet-2g"
# 64 kbit/s, 600 ms there and back.
_BYTES_PER_SECOND, _DELAY_SECONDS = 8_000, 0.3
_FIRST_CUT_SECONDS, _CUT_SECONDS, _CUT_EVERY_SECONDS = 3, 20, 60

_CONSOLE = Console()

_OPEN = """async (release) => {
  const { openDevice } = await import(`./app/${release}/scripts/device.js`);
  window.device = await openDevice();
}"""
_SAVE = """async (contents) => {
  for (const content of contents) await device.outbox.save(device.outbox.newCaptureId(), content);
}"""


def main() -> None:
    """Measure and print."""
    executable = find_browser()
    if executable is None:
        raise SystemExit("no browser is installed")
    with (
        TemporaryDirectory() as directory,
        run_stack(Path(directory) / "stack") as stack,
        sync_playwright() as playwright,
        Chromium(playwright, executable, Path(directory) / "profile") as chromium,
    ):
        description = stack.describe()
        code = _make_code(description.api_url, description.tokens)
        app_url = urlsplit(description.app_url)
        with run_link(app_url.port or 80) as link:
            link.shape = Shape(bytes_per_second=_BYTES_PER_SECOND, delay_seconds=_DELAY_SECONDS)
            page = chromium.context.new_page()
            url = app_url._replace(netloc=f"127.0.0.1:{link.port}").geturl()
            _measure(page, link, url, code)


def _measure(page: Page, link: Link, url: str, code: str) -> None:
    with _timed("first load, until the app opens without a network", link):
        page.goto(url, timeout=300_000)
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    release = page.evaluate("document.querySelector('script').src.match(/app\\/([0-9a-f]+)\\//)[1]")
    page.evaluate(_OPEN, release)
    with _timed("enrolment and bundle", link):
        page.evaluate("(code) => device.session.enrol(code)", code)
    page.evaluate("device.shift.signOn('ofc-12', '')")
    link.cut()
    contents = [make_content(number) for number in range(1, _CAPTURES + 1)]
    page.evaluate(_SAVE, contents)
    plain = len(json.dumps(contents, separators=(",", ":")))
    link.restore()
    page.evaluate("device.sender.start()")
    before = link.bytes_up
    with (
        _timed(f"{_CAPTURES} captures, with cuts of {_CUT_SECONDS} s each {_CUT_EVERY_SECONDS} s", link),
        _cuts(link),
    ):
        while (counts := page.evaluate("device.outbox.count()"))["accepted"] < _CAPTURES:
            if counts["needs_fix"]:
                raise CaptureRefused(f"{counts['needs_fix']} captures")
            time.sleep(0.5)
    squeezed = len(gzip.compress(json.dumps(contents).encode()))
    _CONSOLE.print(
        f"bytes a capture: {plain / _CAPTURES:.0f} as JSON, {squeezed / _CAPTURES:.0f} compressed,"
        f" {(link.bytes_up - before) / _CAPTURES:.0f} on the link with headers and what was sent again"
    )


@contextmanager
def _timed(what: str, link: Link) -> Iterator[None]:
    began_at, up, down = time.monotonic(), link.bytes_up, link.bytes_down
    yield
    seconds = time.monotonic() - began_at
    _CONSOLE.print(
        f"{what}: {seconds:.0f} s, {link.bytes_up - up:,} bytes up, {link.bytes_down - down:,} down",
    )


@contextmanager
def _cuts(link: Link) -> Iterator[None]:
    """Cut the link again and again inside the block."""
    is_over = threading.Event()

    def cut_again_and_again() -> None:
        is_over.wait(_FIRST_CUT_SECONDS)
        while not is_over.is_set():
            link.cut()
            is_over.wait(_CUT_SECONDS)
            link.restore()
            is_over.wait(_CUT_EVERY_SECONDS - _CUT_SECONDS)

    thread = threading.Thread(target=cut_again_and_again)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _make_code(api_url: str, tokens: dict[str, str]) -> str:
    """Make a campaign of these days with a device, and return a code for it."""
    today = datetime.now(UTC).date()
    campaign = make_campaign_payload(
        campaign_id=_CAMPAIGN,
        first_day=(today - timedelta(days=1)).isoformat(),
        last_day=(today + timedelta(days=1)).isoformat(),
        accepts_until="2999-12-31",
    )
    client = {"client_id": _DEVICE, "roles": ["kiosk"], "campaigns": [_CAMPAIGN]}
    with closing(ApiClient(api_url, tokens["manager"])) as manager:
        manager.send("POST", "/v1/campaigns", json.dumps(campaign).encode()).raise_for_status()
    with closing(ApiClient(api_url, tokens["admin"])) as admin:
        admin.send("POST", "/v1/clients", json.dumps(client).encode()).raise_for_status()
        answer = admin.send("POST", f"/v1/clients/{_DEVICE}/enrolment-codes", b"{}").raise_for_status()
    code: str = answer.json()["code"]
    return code


if __name__ == "__main__":
    main()
