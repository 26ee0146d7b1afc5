"""A Chromium with a profile on disk that can be killed and opened again, as a tablet's battery does."""

import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from playwright.sync_api import BrowserContext, Page, Playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_START_SECONDS = 30
# Between a kill and the next start.
_REST_SECONDS = 0.2
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # In a container everything runs as root, where Chromium refuses its sandbox.
    "--remote-debugging-port=0",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--password-store=basic",
)


class Tablet(Protocol):
    """A browser whose tabs share what they store."""

    def new_page(self, url: str) -> Page:
        """Return a new tab at an address."""


class Session:
    """A browser that begins with nothing stored, and keeps nothing: one of many in a running Chromium."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context

    def new_page(self, url: str) -> Page:
        """Return a new tab at an address."""
        page = self.context.new_page()
        page.goto(url)
        return page


class Chromium:
    """One browser on one profile."""

    def __init__(self, playwright: Playwright, executable: str, profile: Path) -> None:
        self._playwright = playwright
        self._executable = executable
        self.profile = profile
        self._process: subprocess.Popen[bytes] | None = None
        self._browser: Browser | None = None

    def __enter__(self) -> "Chromium":
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def open(self) -> None:
        """Start the browser, with what its profile has from the last time."""
        port_file = self.profile / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [self._executable, *_OPTIONS, f"--user-data-dir={self.profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not (port_file.exists() and port_file.read_text().strip()):
            assert time.monotonic() < deadline, "Chromium did not start"
            time.sleep(0.02)
        port = port_file.read_text().splitlines()[0]
        self._browser = self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")

    @property
    def context(self) -> BrowserContext:
        """Return the context of the profile itself."""
        assert self._browser is not None
        return self._browser.contexts[0]

    def new_page(self, url: str) -> Page:
        """Return a new tab at an address."""
        return Session(self.context).new_page(url)

    def new_session(self) -> Session:
        """Return another browser in the same process."""
        assert self._browser is not None
        return Session(self._browser.new_context())

    def kill(self) -> None:
        """End all processes of the browser at once. They get no time to write anything."""
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # As long as a tablet needs to start again.
        deadline = time.monotonic() + _START_SECONDS
        while _is_group_running(self._process.pid):
            assert time.monotonic() < deadline, "Chromium did not end"
            time.sleep(0.01)
        time.sleep(_REST_SECONDS)
        self._process = self._browser = None

    def close(self) -> None:
        """Close the browser as its user does, so that it writes all that it keeps."""
        assert self._browser is not None
        assert self._process is not None
        session = self._browser.new_browser_cdp_session()
        session.send("Browser.close")
        self._process.wait(timeout=_START_SECONDS)
        self._process = self._browser = None


def _is_group_running(group: int) -> bool:
    """Return True while a thread of a group's processes has not ended.

    A process that was killed is a zombie as soon as its first thread has ended, while others may still write.
    """
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, process_group, threads = fields[0], int(fields[2]), int(fields[17])
        if process_group == group and (state not in "ZX" or threads > 1):
            return True
    return False
