"""The registrations and captures that a restore takes away, by what people can do about them."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.private_files import write_private_file
from ops.restore.items import Item

_CAPTURE, _REGISTRATION = "CAPTURE", "APPLICATION"


@dataclass
class Losses:
    """Captures that came after the moment, and registrations that changed after it.

    `sequences` are the numbers of lost captures by device; `unnumbered` captures came without one, from a bot
    or another program. `changed` are the registrations whose later status is lost, with that status.
    """

    captures: int = 0
    sequences: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    unnumbered: int = 0
    changed: dict[str, str] = field(default_factory=dict)
    destroyed: set[str] = field(default_factory=set)

    @classmethod
    def from_file(cls, file: Path) -> "Losses":
        """Read what `write` has written."""
        values = json.loads(file.read_text(encoding="utf-8"))
        sequences = defaultdict(list, values.pop("sequences"))
        return cls(**{**values, "sequences": sequences, "destroyed": set(values["destroyed"])})

    def write(self, file: Path) -> None:
        """Write them before anything is taken away: a run that was cut off does not find them again."""
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private_file(file, json.dumps({**vars(self), "destroyed": sorted(self.destroyed)}))

    def record(self, current: Item | None, restored: Item | None) -> None:
        """Take note of one change that a merge makes to the registrations table."""
        kind = (current or restored or {})["sk"]["S"]
        if kind == _CAPTURE and current is not None and restored is None:
            self._record_capture(current)
        if kind != _REGISTRATION:
            return
        if current is not None and restored is not None:
            if "destroyed_at" in current and "destroyed_at" not in restored:
                self.destroyed.add(current["reference"]["S"])
            elif current.get("status") != restored.get("status"):
                self.changed[current["reference"]["S"]] = current["status"]["S"]

    def list_runs(self) -> list[dict[str, Any]]:
        """Return the numbers of lost captures as runs: of which device, from, and to."""
        return [
            {"client_id": client_id, "first": first, "last": last}
            for client_id, numbers in sorted(self.sequences.items())
            for first, last in _iter_runs(sorted(numbers))
        ]

    def _record_capture(self, capture: Item) -> None:
        self.captures += 1
        if "device_sequence" in capture and "client_id" in capture:
            self.sequences[capture["client_id"]["S"]].append(int(capture["device_sequence"]["N"]))
        else:
            self.unnumbered += 1


def _iter_runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last number of each run of successive numbers."""
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] > numbers[end - 1] + 1:
            yield numbers[start], numbers[end - 1]
            start = end
