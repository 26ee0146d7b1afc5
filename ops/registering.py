"""Sending files of captures to the API as devices would: each device's lines in order, devices at once."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from threading import Event

import httpx

from ops.api import API, NoAnswer

UNANSWERED = "unanswered"
REPLAYED = "replayed"


@dataclass(frozen=True)
class Sending:
    """What one device has to send: JSON Lines, each line the body of one request."""

    device: str
    lines: tuple[bytes, ...]

    @classmethod
    def of(cls, device: str, files: Iterable[Path]) -> "Sending":
        """All lines of some files, in the order given; blank lines are nothing."""
        lines = (line for file in files for line in file.read_bytes().splitlines())
        return cls(device, tuple(line for line in lines if line.strip()))


@dataclass(frozen=True)
class Outcomes:
    """How often each outcome was answered, by device."""

    by_device: Mapping[str, Counter[str]] = field(default_factory=dict)

    @property
    def total(self) -> Counter[str]:
        """All devices together."""
        return sum(self.by_device.values(), Counter())

    @property
    def are_definite(self) -> bool:
        """Whether every line got an answer, be it a refusal."""
        return UNANSWERED not in self.total


def register(
    sendings: Iterable[Sending], *, api_for: Callable[[str], API], on_answer: Callable[[str], None]
) -> Outcomes:
    """Send everything and count what came back; `on_answer` hears the device after each of its lines.

    Interrupted, it sends no further line.
    """
    sendings = list(sendings)
    interrupted = Event()

    def send(sending: Sending) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        with closing(api_for(sending.device)) as api:
            for line in takewhile(lambda _: not interrupted.is_set(), sending.lines):
                outcomes[_outcome(api, line)] += 1
                on_answer(sending.device)
        return outcomes

    with ThreadPoolExecutor(max_workers=max(len(sendings), 1)) as devices:
        try:
            counted = list(devices.map(send, sendings))
        except BaseException:
            interrupted.set()
            raise
    return Outcomes({sending.device: count for sending, count in zip(sendings, counted, strict=True)})


def _outcome(api: API, line: bytes) -> str:
    try:
        response = api.send("POST", "/v1/registrations", line)
    except NoAnswer:
        return UNANSWERED
    if response.is_success:
        return REPLAYED if "Idempotent-Replayed" in response.headers else str(response.json()["outcome"])
    return _refusal(response)


def _refusal(response: httpx.Response) -> str:
    """The code of a problem, or of the fields at fault where it names any."""
    try:
        problem = response.json()
        codes = [error["code"] for error in problem.get("errors", [])] or [problem["code"]]
    except (ValueError, KeyError):
        return f"status {response.status_code}"
    return " + ".join(sorted(set(codes)))
