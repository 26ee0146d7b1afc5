"""The console on the packaged stack: from a worker's receipt to the right phone, and the day's count."""

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from chalicelib.searches.receipt_codes import make_receipt_code
from tests.browser.conftest import find_browser
from tests.browser.console.person import Person
from tests.support.isolated_campaign import DAY, open_market
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

RIGHT_PHONE = "0824-5552-7999"


def test_a_worker_with_a_wrong_phone_is_found_by_the_receipt_and_gets_the_sms(stack: RunningStack) -> None:
    path = find_browser()
    if path is None:
        pytest.skip("no browser here to open the console with")
    market = open_market(stack)
    capture = market.make_capture_payload()
    reference = market.register(capture).json()["reference"]
    market.await_sms(reference)
    day = f"/v1/campaigns/{market.campaign_id}/summaries/{DAY}"
    assert stack.send("manager", "POST", day).status_code == 200
    code = make_receipt_code(capture["capture_id"])
    manager = {"Authorization": f"Bearer {stack.description.tokens['manager']}"}
    search = f"{stack.description.api_url}/v1/searches"
    # The stream writes what is searched for.
    wait_until(
        "the receipt's code",
        lambda: httpx.post(search, json={"text": code}, headers=manager).json()["registrations"],
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        person = Person(browser.new_page(), stack.description.console_url)
        person.sign_in(stack.description.tokens["manager"])
        expect(person.find("campaign-row", campaign_id=market.campaign_id)).to_be_visible()
        person.search(code)
        person.find("registration-detail", reference=reference).wait_for()
        person.find("action-correct").click()
        person.find("correction-reason").fill("Nomor HP salah ketik")
        person.find("correction-phone").fill(RIGHT_PHONE)
        person.find("correction-submit").click()
        person.find("correction", state="applied").wait_for()
        to = "+62" + RIGHT_PHONE.replace("-", "")[1:]
        wait_until("the SMS", lambda: [each for each in stack.list_sms() if each["to"] == to])
        person.go(f"#/campaigns/{market.campaign_id}/days/{DAY}")
        person.find("recount").click()
        expect(person.page.locator(".day-page .told").first).to_contain_text("oreksi")
        errors = person.errors
        browser.close()
    assert errors == []
