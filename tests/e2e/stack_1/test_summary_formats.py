"""A summary in each of its forms from the deployed stack: bytes are bytes, and the board in a browser."""

import io
from urllib.parse import urljoin

import httpx
import openpyxl
import pytest
from playwright.sync_api import sync_playwright

from chalicelib.rollups.renderings.formats import MEDIA_TYPES
from tests.browser.conftest import find_browser
from tests.support.payloads import (
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

CAMPAIGN, DAY = "papan-2024", "2024-10-09"
SUMMARY = f"/v1/campaigns/{CAMPAIGN}/summaries/{DAY}"
CREATED = 6


@pytest.fixture(scope="module")
def counted_market(stack: RunningStack) -> RunningStack:
    """The stack with a campaign of its own, six workers and their summary."""
    opened = stack.send(
        "manager", "POST", "/v1/campaigns", make_campaign_payload(campaign_id=CAMPAIGN, last_day=DAY)
    )
    assert opened.status_code == 201
    for number in range(CREATED):
        capture = make_capture_payload(
            campaign_id=CAMPAIGN,
            capture_id=make_capture_id(4400 + number),
            worker={"nik": make_nik(8800 + number), "phone": make_phone(8800 + number)},
        )
        assert stack.send("kiosk", "POST", "/v1/registrations", capture).status_code == 201
    assert stack.send("manager", "POST", SUMMARY).status_code == 200
    return stack


def request(stack: RunningStack, path: str, **headers: str) -> httpx.Response:
    """A request as a program or a browser of a manager sends it."""
    token = stack.description.tokens["manager"]
    url = f"{stack.description.api_url}{path}"
    return httpx.get(
        url, headers={"Authorization": f"Bearer {token}", **headers}, timeout=30, trust_env=False
    )


@pytest.mark.parametrize(
    "accepted", ["*/*", MEDIA_TYPES["xlsx"], "text/html,application/xhtml+xml,*/*;q=0.8"]
)
def test_a_workbook_arrives_as_bytes_whatever_is_accepted(
    counted_market: RunningStack, accepted: str
) -> None:
    answer = request(counted_market, f"{SUMMARY}?format=xlsx", Accept=accepted)

    assert answer.headers["Content-Type"] == MEDIA_TYPES["xlsx"]
    told = {row[0]: row[1] for row in openpyxl.load_workbook(io.BytesIO(answer.content))["Ringkasan"].values}
    assert told["Terdaftar"] == CREATED


def test_every_other_format_arrives_as_text(counted_market: RunningStack) -> None:
    document = request(counted_market, SUMMARY, Accept="*/*")
    page = request(counted_market, SUMMARY, Accept="text/html, */*;q=0.1")
    table = request(counted_market, f"{SUMMARY}?format=csv")

    assert document.json()["counts"]["created"] == CREATED
    assert page.text.startswith("<!doctype html>")
    assert f">{CREATED}<" in page.text
    assert f",created,,{CREATED},workers" in table.text


def test_bodies_with_non_ascii_letters_arrive_intact(counted_market: RunningStack) -> None:
    """API Gateway encodes the bodies of requests, now that it hands on bytes as they are."""
    changed = counted_market.send(
        "manager", "PATCH", f"/v1/campaigns/{CAMPAIGN}", {"place": "Blok É, lantai 1½"}
    )

    assert changed.json()["place"] == "Blok É, lantai 1½"


def test_the_board_opens_in_a_browser_and_keeps_the_token_to_itself(counted_market: RunningStack) -> None:
    path = find_browser()
    if path is None:
        pytest.skip("no browser here to open the board with")
    asked, wrong = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(locale="id-ID")
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{counted_market.description.api_url}/board#{CAMPAIGN}")
        page.get_by_label("Token layar").fill(counted_market.description.tokens["viewer"])
        page.get_by_role("button", name="Tampilkan papan").click()
        page.locator(".huge").wait_for()
        told = page.locator(".huge").inner_text()
        browser.close()

    assert told == str(CREATED)
    assert wrong == []
    assert urljoin(counted_market.description.api_url, "/") == urljoin(asked[-1], "/")
    assert not [url for url in asked if counted_market.description.tokens["viewer"] in url]
