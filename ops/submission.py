"""Send files of captures to the API as devices do: each device's lines in order, all devices at once."""

from codecs import BOM_UTF8
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
    """The captures of one device: JSON Lines, each line the body of one request."""

    device: str
    lines: tuple[bytes, ...]

    @classmethod
    def from_files(cls, device: str, files: Iterable[Path]) -> "DeviceBatch":
        """Read the lines of files in the given order, without blank lines and byte order marks."""
        lines = (line.removeprefix(BOM_UTF8) for file in files for line in file.read_bytes().splitlines())
        return cls(device, tuple(line for line in lines if line.strip()))


@dataclass(frozen=True)
class SubmissionOutcomes:
    """Counts of outcomes by device."""

    by_device: Mapping[str, Counter[str]] = field(default_factory=dict)

    @property
    def total(self) -> Counter[str]:
        return sum(self.by_device.values(), Counter())

    @property
    def is_complete(self) -> bool:
        """Return True if every line got an answer, which may be a refusal."""
        return UNANSWERED not in self.total


def submit_batches(
    batches: Iterable[DeviceBatch], *, make_api: Callable[[str], ApiClient], on_answer: Callable[[str], None]
) -> SubmissionOutcomes:
    """Send all batches and count the outcomes. Call `on_answer` with the device after each line.

    After an interruption no further line is sent.
    """
    batches = list(batches)
    interrupted = Event()

    def send(batch: DeviceBatch) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        with closing(make_api(batch.device)) as api:
            for line in takewhile(lambda _: not interrupted.is_set(), batch.lines):
                outcomes[_submit_line(api, line)] += 1
                on_answer(batch.device)
        return outcomes

    with ThreadPoolExecutor(max_workers=max(len(batches), 1)) as devices:
        try:
            counts = list(devices.map(send, batches))
        except BaseException:
            interrupted.set()
            raise
    return SubmissionOutcomes({batch.device: count for batch, count in zip(batches, counts, strict=True)})


def _submit_line(api: ApiClient, line: bytes) -> str:
    try:
        response = api.send("POST", "/v1/registrations", line)
    except ApiUnavailable:
        return UNANSWERED
    if response.is_success:
        return REPLAYED if "Idempotent-Replayed" in response.headers else str(response.json()["outcome"])
    return _describe_refusal(response)


def _describe_refusal(response: httpx.Response) -> str:
    """Return the codes of the invalid fields or, if there are none, the problem's code."""
    try:
        problem = response.json()
        codes = [error["code"] for error in problem.get("errors", [])] or [problem["code"]]
    except (ValueError, KeyError):
        return f"status {response.status_code}"
    return " + ".join(sorted(set(codes)))
