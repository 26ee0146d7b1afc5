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
from typing import Any

from ops.api_client import ApiClient, ApiUnavailable
from ops.refusals import ApiRefusal

UNANSWERED = "unanswered"
REPLAYED = "replayed"


@dataclass(frozen=True)
class CaptureLine:
    """A line of a file: the body of one request. `number` is its place in the file, from 1."""

    body: bytes
    file: str = ""
    number: int = 0


@dataclass(frozen=True)
class DeviceBatch:
    """The captures of one device."""

    device: str
    lines: tuple[CaptureLine, ...]

    @classmethod
    def from_files(cls, device: str, files: Iterable[Path]) -> "DeviceBatch":
        """Read the lines of files in the given order, without blank lines and byte order marks."""
        lines = (
            CaptureLine(line.removeprefix(BOM_UTF8), str(file), number)
            for file in files
            for number, line in enumerate(file.read_bytes().splitlines(), 1)
        )
        return cls(device, tuple(line for line in lines if line.body.strip()))


@dataclass(frozen=True)
class FailedLine:
    """A line that was refused or, without a `refusal`, got no answer."""

    line: CaptureLine
    refusal: ApiRefusal | None

    def __str__(self) -> str:
        reason = "no answer" if self.refusal is None else str(self.refusal)
        return f"{self.line.file}:{self.line.number}: {reason}"

    def to_json(self) -> dict[str, Any]:
        """Return the place of the line and what is wrong with it. The values of the line are not in it."""
        refusal = self.refusal or ApiRefusal(0, UNANSWERED, "There was no answer.")
        return {
            "file": self.line.file,
            "line": self.line.number,
            "code": refusal.code,
            "message": refusal.title,
            "fields": list(refusal.fields),
        }


@dataclass(frozen=True)
class SubmissionOutcomes:
    """Counts of outcomes by device, and the lines that were refused or unanswered."""

    by_device: Mapping[str, Counter[str]] = field(default_factory=dict)
    failed_lines: tuple[FailedLine, ...] = ()

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

    After an interruption no further line is sent, and no line is tried again.
    """
    batches = list(batches)
    interrupted = Event()
    clients = {batch.device: make_api(batch.device) for batch in batches}

    def send(batch: DeviceBatch) -> tuple[Counter[str], list[FailedLine]]:
        outcomes: Counter[str] = Counter()
        failed_lines = []
        with closing(clients[batch.device]) as api:
            for line in takewhile(lambda _: not interrupted.is_set(), batch.lines):
                outcome, failed_line = _submit_line(api, line)
                outcomes[outcome] += 1
                failed_lines += [failed_line] if failed_line else []
                on_answer(batch.device)
        return outcomes, failed_lines

    with ThreadPoolExecutor(max_workers=max(len(batches), 1)) as devices:
        try:
            results = list(devices.map(send, batches))
        except BaseException:
            interrupted.set()
            for api in clients.values():
                api.interrupt()
            raise
    return SubmissionOutcomes(
        {batch.device: outcomes for batch, (outcomes, _) in zip(batches, results, strict=True)},
        tuple(each for _, failed_lines in results for each in failed_lines),
    )


def _submit_line(api: ApiClient, line: CaptureLine) -> tuple[str, FailedLine | None]:
    try:
        response = api.send("POST", "/v1/registrations", line.body)
    except ApiUnavailable:
        return UNANSWERED, FailedLine(line, None)
    if response.is_success:
        try:
            outcome = (
                REPLAYED if "Idempotent-Replayed" in response.headers else str(response.json()["outcome"])
            )
        except (ValueError, KeyError, TypeError):
            # A success without an answer of ours is none: whatever stands between may have made it.
            return UNANSWERED, FailedLine(line, None)
        return outcome, None
    refusal = ApiRefusal.from_response(response)
    return refusal.outcome, FailedLine(line, refusal)
