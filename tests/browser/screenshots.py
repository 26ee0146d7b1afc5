"""Takes the screenshots of docs/screenshots: an invented day, as wide as a phone and as a desktop.

Run `make screenshots`. Look at them before you commit them: fonts differ from machine to machine.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from chalicelib.rollups.renderings import board, html, mail, xlsx
from ops.openapi.page import build_page
from tests.browser.conftest import find_browser
from tests.browser.office import convert, find_office
from tests.browser.png import shrink
from tests.support.report_builders import make_report

OUT = Path(__file__).parents[2] / "docs" / "screenshots"

# Each file's name, document, and the window's width and height; with a height of 0, the whole page is taken.
SHOTS = (
    ("page-phone", html.render_html(make_report(), "id"), 360, 0),
    ("page-desk", html.render_html(make_report(), "id"), 1280, 0),
    ("mail-phone", mail.compose(make_report(), "id").html, 360, 0),
    ("mail-desk", mail.compose(make_report(), "id").html, 1280, 0),
    ("board-phone", board.render_board(make_report(), "id"), 360, 0),
    ("docs-phone", build_page(), 360, 800),
    ("docs-desk", build_page(), 1280, 800),
    ("board-screen", board.render_board(make_report(), "id"), 1280, 720),
)
# The pages of the workbook that LibreOffice prints: the totals, the breakdowns, what changed.
WORKBOOK_PAGES = (1, 2, 5)


def take_documents(path: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the picture of each document."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, document, width, height in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height or 640})
            page.set_content(document)
            yield name, page.screenshot(full_page=not height)
            page.close()
        browser.close()


def take_workbook(path: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the picture of each page of the printed workbook, in the browser's PDF viewer."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        workbook = Path(directory) / "workbook.xlsx"
        workbook.write_bytes(xlsx.render_workbook(make_report(), "id"))
        convert("pdf", Path(directory), [workbook])
        # Only the newer of Chromium's two ways to run without a window has the viewer.
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--headless=new"],
            ignore_default_args=["--headless", "--headless=old"],
        )
        for number in WORKBOOK_PAGES:
            page = browser.new_page(viewport={"width": 1024, "height": 728})
            page.goto(f"{workbook.with_suffix('.pdf').as_uri()}#page={number}&toolbar=0&navpanes=0&view=Fit")
            page.wait_for_timeout(1500)  # The viewer does not say when it has drawn the page.
            yield f"workbook-{number}", page.screenshot()
            page.close()
        browser.close()


def main() -> None:
    """Write every screenshot."""
    path = find_browser()
    if path is None or find_office() is None:
        sys.exit("a Chromium and LibreOffice must be installed to take screenshots with")
    OUT.mkdir(exist_ok=True)
    for take in (take_documents, take_workbook):
        for name, picture in take(path):
            (OUT / f"{name}.png").write_bytes(shrink(picture))


if __name__ == "__main__":
    main()
