"""Faults of the packaged stack in the emulator: everything at once, and a restart. `make faults` runs them.

They need minutes, and the emulator's ports; the other faults are in process.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from bench.stack import run_stack
from ops.local.stack import LocalStack
from tests.browser.conftest import find_browser
from tests.faults.drill import Outcome
from tests.support.campaigns import create_campaign, make_capture
from tests.support.chromium import Chromium
from tests.support.fault_injection import run_fault_injection
from tests.support.market_day import check_market_day, run_linked_stack, run_market_day
from tests.support.running_stack import RunningStack

Conclude = Callable[[Outcome], None]
WORKERS = 30
CAPTURES = 200


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Run a stack of its own."""
    with run_stack(tmp_path_factory.mktemp("local")) as stack:
        yield stack


def test_everything_at_once_and_a_killed_sender(stack: LocalStack, conclude: Conclude) -> None:
    result = run_fault_injection(stack, "bad-day", workers=WORKERS, first_worker=90_001)

    requests = {name: number for name, number in result.requests.items() if name != "forwarded"}
    injected = sum(result.faults.values()) + sum(requests.values()) + result.killed_processes
    conclude(
        Outcome(
            "packaged stack: everything at once, sender killed",
            injected=injected,
            lost=result.without_sms,
            doubled=result.duplicates,
            recovered_after=f"{result.seconds:.0f} s",
            expected_doubles=result.duplicates - result.unexplained_duplicates,
            remark=f"{result.redriven} dead letters redriven; doubles are of unknown outcome",
        )
    )


def test_a_market_day_whose_browser_is_killed(stack: LocalStack, tmp_path: Path, conclude: Conclude) -> None:
    executable = find_browser()
    if executable is None:
        pytest.skip("no browser is installed")
    with (
        run_linked_stack(stack.describe(), "faults") as linked,
        sync_playwright() as playwright,
        Chromium(playwright, executable, tmp_path / "profile") as chromium,
    ):
        day = run_market_day(linked, chromium, captures=CAPTURES)
    check_market_day(day, captures=CAPTURES)
    conclude(
        Outcome(
            "packaged stack: 200 captures offline, browser killed",
            injected=day.kills,
            lost=CAPTURES - len({each.number for each in day.arrived}),
            doubled=len(day.arrived) - len({each.number for each in day.arrived}),
            recovered_after=f"{day.seconds:.0f} s",
            remark=f"in order; {day.handed_over_at} by the first officer, the rest by the next",
        )
    )


def test_an_emulator_that_is_restarted(tmp_path: Path, conclude: Conclude) -> None:
    with run_stack(tmp_path) as stack:
        create_campaign(stack.describe(), "restart")
        _register(stack, range(90_101, 90_106))
        stack.down()
        stack.up()
        _register(stack, range(90_101, 90_111))
        sms_list = stack.await_sms(10)
    copies = Counter(sms["to"] for sms in sms_list)
    conclude(
        Outcome(
            "emulator restarted",
            injected=1,
            lost=10 - len(copies),
            doubled=sum(copies.values()) - len(copies),
            recovered_after="its start",
            remark="changes still in the stream are published after it",
        )
    )


def _register(stack: LocalStack, numbers: range) -> None:
    running = RunningStack(stack, stack.describe())
    for number in numbers:
        capture = make_capture(number, campaign_id="restart")
        answer = running.send("van-1", "POST", "/v1/registrations", capture)
        assert answer.is_success, answer.text
