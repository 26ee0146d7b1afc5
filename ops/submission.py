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

from ops.api_client import ApiClient, ApiUnavailable

UNANSWERED = "unanswered"
REPLAYED = "replayed"


@dataclass(frozen=True)
class DeviceBatch:
    """What one device has to send: JSON Lines, each line the body of one request."""

    device: str
    lines: tuple[bytes, ...]

    @classmethod
    def from_files(cls, device: str, files: Iterable[Path]) -> "DeviceBatch":
        """All lines of some files, in the order given; blank lines are nothing."""
        lines = (line for file in files for line in file.read_bytes().splitlines())
        return cls(device, tuple(line for line in lines if line.strip()))


@dataclass(frozen=True)
class SubmissionOutcomes:
    """How often each outcome was answered, by device."""

    by_device: Mapping[str, Counter[str]] = field(default_factory=dict)

    @property
    def total(self) -> Counter[str]:
        """All devices together."""
        return sum(self.by_device.values(), Counter())

    @property
    def is_complete(self) -> bool:
        """Whether every line got an answer, be it a refusal."""
        return UNANSWERED not in self.total


def submit_batches(
    batches: Iterable[DeviceBatch], *, make_api: Callable[[str], ApiClient], on_answer: Callable[[str], None]
) -> SubmissionOutcomes:
    """Send everything and count what came back; `on_answer` hears the device after each of its lines.

    Interrupted, it sends no further line.
    """
    batches = list(batches)
    interrupted = Event()

    def send(sending: DeviceBatch) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        with closing(make_api(sending.device)) as api:
            for line in takewhile(lambda _: not interrupted.is_set(), sending.lines):
                outcomes[_submit_line(api, line)] += 1
                on_answer(sending.device)
        return outcomes

    with ThreadPoolExecutor(max_workers=max(len(batches), 1)) as devices:
        try:
            counted = list(devices.map(send, batches))
        except BaseException:
            interrupted.set()
            raise
    return SubmissionOutcomes(
        {sending.device: count for sending, count in zip(batches, counted, strict=True)}
    )


def _submit_line(api: ApiClient, line: bytes) -> str:
    try:
        response = api.send("POST", "/v1/registrations", line)
    except ApiUnavailable:
        return UNANSWERED
    if response.is_success:
        return REPLAYED if "Idempotent-Replayed" in response.headers else str(response.json()["outcome"])
    return _describe_refusal(response)


def _describe_refusal(response: httpx.Response) -> str:
    """The code of a problem, or of the fields at fault where it names any."""
    try:
        problem = response.json()
        codes = [error["code"] for error in problem.get("errors", [])] or [problem["code"]]
    except (ValueError, KeyError):
        return f"status {response.status_code}"
    return " + ".join(sorted(set(codes)))
