"""How fast a line of waiting confirmations goes out on the deployed stack, beside the rate that is set."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.harness import find_free_port_pair
from ops.api_client import ApiClient
from ops.local.stack import LocalStack
from tests.support.campaigns import create_campaign, make_capture
from tests.support.functions import override_environment, pause_event_sources
from tests.support.polling import wait_until

# What these machines can send beside all that they do; the rate that goes live is a setting.
_PARTS_PER_SECOND = 10
_BATCH_ITEMS = 200
_TIMEOUT_FACTOR = 3
_CAMPAIGN_ID = "draining"
_TOLERANCE = 0.05


class DrainIncomplete(Exception):
    """The line was not what it should have been."""


@dataclass(frozen=True)
class DrainResult:
    """What came of it: texts, the parts a second that were set and seen, the most in one second."""

    sms_count: int
    configured_rate: float
    measured_rate: float
    peak_per_second: int

    @property
    def has_passed(self) -> bool:
        """Whether the rate was what was set, but for a twentieth."""
        return abs(self.measured_rate / self.configured_rate - 1) <= _TOLERANCE

    def __str__(self) -> str:
        """The figures, in a sentence."""
        return (
            f"{self.sms_count} texts to as many workers, {self.measured_rate:.2f} parts a second where"
            f" {self.configured_rate:g} are set, at most {self.peak_per_second} in one second"
        )


def measure_drain(
    data_dir: Path, *, sms_count: int, parts_per_second: float = _PARTS_PER_SECOND
) -> DrainResult:
    """Let so many confirmations wait, then let the senders read them.

    Raises DrainIncomplete where not each of them goes out, once.
    """
    stack = LocalStack(port=find_free_port_pair(), directory=data_dir)
    description = stack.up()
    sender = description.outputs["OnNotificationsName"]
    try:
        functions = stack.emulator.make_client("lambda")
        with override_environment(functions, [sender], DAFTAR_SMS_PARTS_A_SECOND=str(parts_per_second)):
            with pause_event_sources(functions, sender):
                _register_workers(stack, sms_count)
                wait_until(
                    "all to wait", lambda: stack.count_waiting_sms() == sms_count, timeout_seconds=sms_count
                )
            wait_until(
                "all to go out",
                lambda: stack.count_waiting_sms() == 0,
                timeout_seconds=_TIMEOUT_FACTOR * sms_count / parts_per_second,
            )
        sent = description.fetch_sms()
        if not len({text["to"] for text in sent}) == len(sent) == sms_count:
            raise DrainIncomplete(f"{len(sent)} of {sms_count} texts went out")
        return _measure(sent, parts_per_second)
    finally:
        stack.down()


def _register_workers(stack: LocalStack, workers: int) -> None:
    description = stack.describe()
    create_campaign(description, _CAMPAIGN_ID)
    with closing(ApiClient(description.api_url, description.tokens["kiosk"])) as kiosk:
        for first in range(0, workers, _BATCH_ITEMS):
            numbers = range(first, min(first + _BATCH_ITEMS, workers))
            items = [make_capture(number + 1, campaign_id=_CAMPAIGN_ID) for number in numbers]
            answer = kiosk.send("POST", "/v1/registrations/batch", json.dumps({"items": items}))
            answer.raise_for_status()


def _measure(sms_list: Sequence[Mapping[str, Any]], parts_per_second: float) -> DrainResult:
    times = sorted(datetime.fromisoformat(text["received_at"]) for text in sms_list)
    began, parts = times[0], sum(text["parts"] for text in sms_list)
    seconds = Counter((at - began) // timedelta(seconds=1) for at in times)
    return DrainResult(
        sms_count=len(sms_list),
        configured_rate=parts_per_second,
        measured_rate=(parts - 1) / (times[-1] - began).total_seconds(),
        peak_per_second=max(seconds.values()),
    )
