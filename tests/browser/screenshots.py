"""Takes the screenshots of docs/screenshots: an invented day, as wide as a phone and as a desktop.

Run `make screenshots`. Look at them before you commit them: fonts differ from machine to machine.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from chalicelib.rollups.renderings import board, html, mail
from ops.openapi.page import build_page
from tests.browser.conftest import find_browser
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


def main() -> None:
    """Write every screenshot."""
    path = find_browser()
    if path is None:
        sys.exit("no browser is installed to take screenshots with")
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, document, width, height in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height or 640})
            page.set_content(document)
            page.screenshot(path=OUT / f"{name}.png", full_page=not height)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
