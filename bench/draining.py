"""How fast a line of waiting confirmations goes out on the deployed stack, beside the rate that is set."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.functions import told, unread
from bench.market import capture_of, open_campaign
from bench.stage import free_pair
from ops.api import API
from ops.stack import LocalStack
from tests.e2e.waiting import until

# What these machines can send beside all that they do; the rate that goes live is a setting.
_PARTS_A_SECOND = 10
_BATCH_ITEMS = 200
_PATIENCE = 3
_CAMPAIGN = "draining"
_TOLERANCE = 0.05


class NotDrained(Exception):
    """The line was not what it should have been."""


@dataclass(frozen=True)
class Drain:
    """What came of it: texts, the parts a second that were set and seen, the most in one second."""

    texts: int
    rate_set: float
    rate_seen: float
    most_in_a_second: int

    @property
    def is_good(self) -> bool:
        """Whether the rate was what was set, but for a twentieth."""
        return abs(self.rate_seen / self.rate_set - 1) <= _TOLERANCE

    def __str__(self) -> str:
        """The figures, in a sentence."""
        return (
            f"{self.texts} texts to as many workers, {self.rate_seen:.2f} parts a second where"
            f" {self.rate_set:g} are set, at most {self.most_in_a_second} in one second"
        )


def drain(home: Path, *, texts: int, rate: float = _PARTS_A_SECOND) -> Drain:
    """Let so many confirmations wait, then let the senders read them.

    Raises NotDrained where not each of them goes out, once.
    """
    stack = LocalStack(port=free_pair(), local=home)
    description = stack.up()
    sender = description.outputs["OnNotificationsName"]
    try:
        functions = stack.emulator.client("lambda")
        with told(functions, [sender], DAFTAR_SMS_PARTS_A_SECOND=str(rate)):
            with unread(functions, sender):
                _register(stack, texts)
                until("all to wait", lambda: stack.texts_waiting() == texts, seconds=texts)
            until("all to go out", lambda: stack.texts_waiting() == 0, seconds=_PATIENCE * texts / rate)
        sent = description.messages()
        if not len({text["to"] for text in sent}) == len(sent) == texts:
            raise NotDrained(f"{len(sent)} of {texts} texts went out")
        return _seen(sent, rate)
    finally:
        stack.down()


def _register(stack: LocalStack, workers: int) -> None:
    description = stack.describe()
    open_campaign(description, _CAMPAIGN)
    with closing(API(description.api_url, description.tokens["kiosk"])) as kiosk:
        for first in range(0, workers, _BATCH_ITEMS):
            numbers = range(first, min(first + _BATCH_ITEMS, workers))
            items = [capture_of(number + 1, campaign_id=_CAMPAIGN) for number in numbers]
            answer = kiosk.send("POST", "/v1/registrations/batch", json.dumps({"items": items}))
            answer.raise_for_status()


def _seen(texts: Sequence[Mapping[str, Any]], rate: float) -> Drain:
    times = sorted(datetime.fromisoformat(text["received_at"]) for text in texts)
    began, parts = times[0], sum(text["parts"] for text in texts)
    seconds = Counter((at - began) // timedelta(seconds=1) for at in times)
    return Drain(
        texts=len(texts),
        rate_set=rate,
        rate_seen=(parts - 1) / (times[-1] - began).total_seconds(),
        most_in_a_second=max(seconds.values()),
    )
