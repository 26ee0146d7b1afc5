"""Workers with Telegram on their phones, at the fake chat of a local stack."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from ops.local.chat_registration import make_acts
from ops.local.description import StackDescription
from tests.support.payloads import make_nik

# Longer than a message of a killed process is hidden from the next one.
_PATIENCE_SECONDS = 240.0
_POLL_SECONDS = 1.5
# Of a text, which goes on with what differs from one worker to the other.
_SHOWN_LETTERS = 24

_FIRST_USER_ID = 6_000_001


def make_worker_nik(number: int) -> str:
    """Return the NIK of a worker."""
    return make_nik(number + 1, district_code="940305")


@dataclass
class Replies:
    """The replies to one worker: the beginnings of the texts in order, and the seconds until each came.

    `asked_again` counts the answers that never came, after which the worker asked again. `last_text` is the
    answer to the registration.
    """

    texts: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    last_text: str = ""
    asked_again: int = 0


class Worker:
    """One worker, who answers each question some seconds after it came."""

    def __init__(
        self,
        description: StackDescription,
        number: int,
        *,
        campaign_id: str,
        think_seconds: float,
    ) -> None:
        user_id = _FIRST_USER_ID + number
        self._path = f"{description.chat_url}/telegram/users/{user_id}"
        phone = f"+628245{number:07}"
        self._acts = make_acts(campaign_id, make_worker_nik(number), phone)
        self._think_seconds = think_seconds
        self._random = random.Random(number)  # noqa: S311 - no secret

    def register(self) -> Replies:
        """Do everything, one act after another. Return what was told."""
        told = Replies()
        with httpx.Client(trust_env=False, timeout=60) as http:
            for act in self._acts:
                time.sleep(self._random.uniform(0, 2 * self._think_seconds))
                if not self._act(http, act):
                    told.asked_again += 1
                    self._act(http, {"text": "MULAI"})
            transcript = self._fetch(http)
        asked_at = 0.0
        for message in transcript:
            if message["from"] == "user":
                asked_at = message["sent_at"]
            else:
                told.texts.append(message["text"][:_SHOWN_LETTERS])
                told.last_text = message["text"]
                told.seconds.append(message["sent_at"] - asked_at)
        return told

    def _act(self, http: httpx.Client, act: dict[str, Any]) -> bool:
        """Do one thing. Return True once there is an answer, False if none came."""
        before = self._count_answers(http)
        http.post(f"{self._path}/messages", json=act).raise_for_status()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self._count_answers(http) > before:
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _count_answers(self, http: httpx.Client) -> int:
        return sum(message["from"] == "bot" for message in self._fetch(http))

    def _fetch(self, http: httpx.Client) -> list[dict[str, Any]]:
        transcript: list[dict[str, Any]] = http.get(f"{self._path}/transcript").json()
        return transcript


def count_disorder(told: Sequence[Replies], expected: Sequence[str]) -> int:
    """Return how many workers were not told what one worker alone is told, each text once and in order."""
    return sum(each.texts != list(expected) for each in told if not each.asked_again)
