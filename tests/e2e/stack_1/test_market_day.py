"""A market day of the web app on the packaged stack. `make faults` has one of 200 captures."""

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.conftest import find_browser
from tests.support.chromium import Chromium
from tests.support.market_day import check_market_day, run_linked_stack, run_market_day
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e
CAPTURES = 30


def test_a_day_without_a_network_and_with_a_browser_that_is_killed_arrives_whole(
    stack: RunningStack, tmp_path: Path
) -> None:
    executable = find_browser()
    if executable is None:
        pytest.skip("no browser is installed")
    with (
        run_linked_stack(stack.description, "e2e") as linked,
        sync_playwright() as playwright,
        Chromium(playwright, executable, tmp_path / "profile") as chromium,
    ):
        day = run_market_day(linked, chromium, captures=CAPTURES)
    check_market_day(day, captures=CAPTURES)
    assert day.kills == 3
