"""A link with a code: wherever it is opened, the code is used, and is in no address and no history."""

import pytest
from playwright.sync_api import expect

from tests.browser.screens.conftest import OpenBrowser
from tests.browser.screens.walker import Walker
from tests.support.app_stage import AppStage

CODE = "AAAAAAAAAAAAAAAAAAAAAA"


def list_history(walker: Walker) -> list[str]:
    """Return the addresses of the tab's history that belong to the app."""
    return [entry for entry in walker.list_history() if "/app" in entry]


@pytest.mark.parametrize("link", [f"#self={CODE}", f"#enrol={CODE}", "#self=not a code", f"#other={CODE}"])
def test_a_link_that_is_opened_in_an_open_tab_leaves_nothing_in_its_history(
    stage: AppStage, open_browser: OpenBrowser, link: str
) -> None:
    walker = open_browser()
    walker.open(stage.app_url)
    walker.page.evaluate("link => { location.hash = link }", link)
    walker.page.wait_for_function("location.hash === ''")
    assert [entry for entry in list_history(walker) if "#" in entry] == []


def test_a_link_that_is_opened_in_an_open_tab_is_used(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser()
    walker.open(stage.app_url)
    code = stage.make_code()
    walker.page.evaluate("code => { location.hash = `#enrol=${code}` }", code)
    expect(walker.find("enrol-code")).to_have_value(code)
    walker.find("enrol-submit").click()
    walker.find("officer").wait_for()


def test_a_link_that_is_opened_on_a_device_changes_nothing(officer: Walker) -> None:
    officer.page.evaluate("code => { location.hash = `#enrol=${code}` }", CODE)
    officer.page.wait_for_function("location.hash === ''")
    expect(officer.find("new-registration")).to_be_visible()
    assert [entry for entry in list_history(officer) if "#" in entry] == []
