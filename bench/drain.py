"""Measure how fast queued confirmations are sent on the deployed stack, against the configured rate."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.stack import run_stack
from ops.api_client import ApiClient
from ops.local.stack import LocalStack
from tests.support.campaigns import create_campaign, make_capture
from tests.support.functions import override_environment, pause_event_sources
from tests.support.polling import wait_until

# A rate that a development machine can keep.
_PARTS_PER_SECOND = 10
_BATCH_ITEMS = 200
_TIMEOUT_FACTOR = 3
_CAMPAIGN_ID = "draining"
_TOLERANCE = 0.05


class DrainIncomplete(Exception):
    """Not every queued SMS was sent exactly once."""


@dataclass(frozen=True)
class DrainResult:
    """The number of SMS, and the configured, measured and peak rates in parts per second."""

    sms_count: int
    configured_rate: float
    measured_rate: float
    peak_per_second: int

    @property
    def has_passed(self) -> bool:
        """Return True if the measured rate is within 5 % of the configured one."""
        return abs(self.measured_rate / self.configured_rate - 1) <= _TOLERANCE

    def __str__(self) -> str:
        return (
            f"{self.sms_count} SMS to as many workers, {self.measured_rate:.2f} parts per second"
            f" ({self.configured_rate:g} configured), at most {self.peak_per_second} in one second"
        )


def measure_drain(
    data_dir: Path, *, sms_count: int, parts_per_second: float = _PARTS_PER_SECOND
) -> DrainResult:
    """Queue confirmations while the sending function is paused, then measure the sending.

    Raise DrainIncomplete unless each SMS is sent exactly once.
    """
    with run_stack(data_dir) as stack:
        sender = stack.describe().outputs["OnNotificationsName"]
        functions = stack.emulator.make_client("lambda")
        with override_environment(functions, [sender], DAFTAR_SMS_PARTS_A_SECOND=str(parts_per_second)):
            with pause_event_sources(functions, sender):
                _register_workers(stack, sms_count)
                wait_until(
                    "all SMS to be queued",
                    lambda: stack.count_waiting_sms() == sms_count,
                    timeout_seconds=sms_count,
                )
            wait_until(
                "all SMS to be sent",
                lambda: stack.count_waiting_sms() == 0,
                timeout_seconds=_TIMEOUT_FACTOR * sms_count / parts_per_second,
            )
        sent = stack.describe().fetch_sms()
        if not len({sms["to"] for sms in sent}) == len(sent) == sms_count:
            raise DrainIncomplete(f"{len(sent)} of {sms_count} SMS were sent")
        return _measure(sent, parts_per_second)


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
    times = sorted(datetime.fromisoformat(sms["received_at"]) for sms in sms_list)
    started_at, parts = times[0], sum(sms["parts"] for sms in sms_list)
    seconds = Counter((time - started_at) // timedelta(seconds=1) for time in times)
    return DrainResult(
        sms_count=len(sms_list),
        configured_rate=parts_per_second,
        measured_rate=(parts - 1) / (times[-1] - started_at).total_seconds(),
        peak_per_second=max(seconds.values()),
    )
