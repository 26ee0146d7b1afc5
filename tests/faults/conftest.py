"""The stage of each fault, and the table of all of them at the end."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.fake_sms.inbox import Inbox
from ops.fake_sms.server import FakeSmsServer
from tests.faults.drill import Drill, Outcome

_SMS_ENDPOINT = "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2"
_OUTCOMES: list[Outcome] = []


@pytest.fixture
def drill(moto_stage: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    """Run a stage with the campaign at Pasar Tanah Abang on its first day, and a gateway of its own."""
    with FakeSmsServer(0, Inbox(tmp_path / "sms.jsonl")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv(_SMS_ENDPOINT, server.url)
        yield Drill(server)
        server.shutdown()
        thread.join()


@pytest.fixture
def conclude() -> Callable[[Outcome], None]:
    """Return what adds the figures of a fault to the table, and fails if something was lost or doubled."""

    def add(outcome: Outcome) -> None:
        _OUTCOMES.append(outcome)
        assert outcome.has_passed, outcome

    return add


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table; under xdist the workers keep their figures, and there is none."""
    if not _OUTCOMES:
        return
    row = "{:<58} {:>8} {:>5} {:>8} {:>9}  {:<12} {}"
    terminalreporter.write_line("")
    terminalreporter.write_line(
        row.format("fault", "injected", "lost", "doubled", "(expected)", "recovered", "remark").rstrip()
    )
    for each in _OUTCOMES:
        cells = (each.injected, each.lost, each.doubled, f"({each.expected_doubles})", each.recovered_after)
        terminalreporter.write_line(row.format(each.fault, *cells, each.remark).rstrip())
