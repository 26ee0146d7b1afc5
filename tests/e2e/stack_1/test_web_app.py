"""The web app as the packaged stack serves it, under the prefix of its stage."""

import re
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.browser.conftest import find_browser
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

IS_CONTROLLED = "navigator.serviceWorker.ready.then((registration) => registration.scope)"


def test_every_file_of_the_web_app_arrives_compressed_and_whole(stack: RunningStack) -> None:
    app_url = stack.description.app_url
    worker = httpx.get(f"{app_url}/service-worker.js")
    names = ["app", *(f"app/{name}" for name in re.findall(r"[0-9a-f]{16}/[a-z0-9./-]+", worker.text))]
    assert len(names) > 3
    for name in names:
        url = urljoin(app_url, name)
        compressed = httpx.get(url, headers={"Accept-Encoding": "gzip"})
        plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
        assert (compressed.status_code, plain.status_code) == (200, 200), name
        assert compressed.headers["Content-Encoding"] == "gzip", name
        assert "Content-Encoding" not in plain.headers, name
        assert compressed.content == plain.content, name


def test_the_web_app_opens_again_without_a_network(stack: RunningStack) -> None:
    path = find_browser()
    if path is None:
        pytest.skip("no browser here to open the web app with")
    app_url, wrong = stack.description.app_url, []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context()
        page = context.new_page()
        page.on(
            "console", lambda line: wrong.append(line.text) if line.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(app_url)
        scope = page.evaluate(IS_CONTROLLED)
        context.set_offline(True)
        page.reload()
        title = page.title()
        browser.close()

    assert scope == app_url
    assert title
    assert wrong == []
